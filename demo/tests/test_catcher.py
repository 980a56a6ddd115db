"""The catcher's pages, without its servers."""

from pathlib import Path

from demo.catcher import Mails, list_page, mail_page

_LINK = "https://shop.example/unsubscribe/" + "m" * 80
_RAW = f"Subject: Hello\r\nTo: Ann <ann@people.example>\r\nList-Unsubscribe: \r\n <{_LINK}>\r\n\r\nDear <Ann>\r\n"


def test_the_source_is_what_came_and_nothing_made_of_it(tmp_path: Path) -> None:
    name = "0" * 32
    (tmp_path / f"{name}.eml").write_bytes(_RAW.encode())
    mail = Mails(tmp_path).find(name)
    assert mail is not None
    assert f"List-Unsubscribe: \r\n &lt;{_LINK}&gt;\r\n\r\nDear &lt;Ann&gt;" in mail_page(mail, "source")


def test_the_list_says_how_many_are_shown(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 32}.eml").write_bytes(_RAW.encode())
    assert "1 mail was caught here. None left this machine." in list_page(Mails(tmp_path), "")
    for number in range(1, 101):
        (tmp_path / f"{number:032d}.eml").write_bytes(_RAW.encode())
    assert "101 mails were caught here. None left this machine. The newest 100 are shown." in list_page(
        Mails(tmp_path), "ann"
    )
