"""The command's face: how the file is read, what became of it, its rejected rows, undo; a refusal is one sentence and exit code 1."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from regulars.connections.files.models import Import
from regulars.connections.files.operations import undoing
from regulars.connections.files.tests.test_applying import BAD, FIRST, everything
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Store
from regulars.record.orders.models import Order
from regulars.record.orders.operations.undo import Undone, undo_orders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(store: Store) -> None:
    pass


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import", *arguments, stdout=out)
    return out.getvalue()


def write(folder: Path, content: str | bytes) -> str:
    path = folder / "my orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_it_says_how_the_file_is_read_and_what_became_of_it(tmp_path: Path) -> None:
    said = run("orders", write(tmp_path, FIRST)).splitlines()
    public_id = to_public(Import.PREFIX, Import.objects.get().uid)
    assert said == [
        f"{public_id}: my orders.csv, 8 rows, UCI Online Retail, utf-8 (plain ASCII), separated by comma, "
        "decimal point (amounts with a point: 6), dates ymd (such as 2010-12-01)",
        f"{public_id}: 8 rows: 7 taken as they are, 1 altered, 0 skipped. 3 new orders, 1 new refund, 1 adjustment.",
        f"Rows and reasons: regulars import rejects {public_id}",
    ]


def test_the_reject_file_is_printed_with_lines_of_the_file_and_without_formulas(tmp_path: Path) -> None:
    quoted = BAD.replace("1,A1,x,one", '1,A1,"two\nlines",one')
    run("orders", write(tmp_path, quoted))
    printed = run("rejects", to_public(Import.PREFIX, Import.objects.get().uid))
    rows = list(csv.reader(io.StringIO(printed.removeprefix("\ufeff"))))
    assert rows[0][:4] == ["line", "outcome", "reason", "InvoiceNo"]
    assert [row[0] for row in rows[1:]] == ["2", "4", "5", "7", "8", "9", "10"]
    assert {row[1] for row in rows[1:]} == {"skipped"}
    assert rows[4][5] == '\'=HYPERLINK("x")'


def test_an_import_is_undone_and_the_same_file_comes_to_the_same(tmp_path: Path) -> None:
    file = write(tmp_path, FIRST)
    empty = everything()
    run("orders", file)
    first = facts()
    public_id = to_public(Import.PREFIX, Import.objects.get().uid)
    assert run("undo", public_id) == f"{public_id}: Undone: 4 orders and refunds and 2 people removed, 0 restored.\n"
    assert everything() == empty
    run("orders", file)
    assert facts() == first


def facts() -> list[tuple[object, ...]]:
    return sorted(Order.objects.values_list("number", "placed_at", "total_minor", "line_count", "country", "digest"))


def test_a_killed_undo_tells_everything_that_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"{n},A1,x,1,2010-12-01 08:26:00,2.55,{n},France\n" for n in range(1, 2501))
    run("orders", write(tmp_path, FIRST.splitlines(keepends=True)[0] + lines))
    public_id = to_public(Import.PREFIX, Import.objects.get().uid)
    calls: list[int] = []

    def dies_at_the_third(batch_id: int) -> Undone:
        calls.append(batch_id)
        if len(calls) == 3:  # the newest batch said that it was done, the next brought orders
            raise KeyboardInterrupt
        return undo_orders(batch_id)

    monkeypatch.setattr(undoing, "undo_orders", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run("undo", public_id)
    row = Import.objects.get()
    assert (row.state, 0 < Order.objects.count() < 2500) == ("undoing", True)
    assert row.undone["removed"] == 2500 - Order.objects.count()
    assert run("undo", public_id) == (
        f"{public_id}: Undone: 2,500 orders and refunds and 2,500 people removed, 0 restored.\n"
    )
    assert Order.objects.count() == 0
    assert len(calls) == len(set(calls)) + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resume", "imp_nonsense"), "imp_nonsense"),
        (("undo", "imp_01m80f07h7f7yt68bgx9j9thh2"), "There is no import imp_01m80f07h7f7yt68bgx9j9thh2"),
        (("orders", "/nowhere/file.csv"), "/nowhere/file.csv cannot be read: No such file or directory"),
        (("orders", "/"), "/ cannot be read: Is a directory"),
        (("orders", "{}", "--map", "number"), "--map looks like number=Invoice"),
        (("orders", "{}", "--map", "number=Nr"), "The file has no column 'Nr'"),
        (("orders", "{}", "--store", "de"), "the stores are: uk"),
        (("customers", "{}"), "import it as orders"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    file = write(tmp_path, FIRST)
    with pytest.raises(CommandError) as refusal:
        run(*(argument.replace("{}", file) for argument in arguments))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1
    assert not Import.objects.exists()
    assert not list(tmp_path.rglob("*.sealed"))
