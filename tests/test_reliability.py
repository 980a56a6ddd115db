"""The page of bars names tests that are there, for every bar that it lists."""

import re

from tests.database import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
BARS = [*range(1, 13), 24, 25, 26, 29, 34, 51]


def test_every_bar_names_tests_that_are_there() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.+) \|$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == BARS
    named = {(number, *one) for number, tests in rows for one in re.findall(r"`([\w/.]+)::(\w+)`", tests)}
    assert {number for number, *_ in named} == {number for number, _ in rows}
    assert [one for one in sorted(named) if not _is_there(*one[1:])] == []


def _is_there(path: str, name: str) -> bool:
    file = ROOT / path if path.startswith("tests/") else ROOT / "src" / "regulars" / path
    return file.exists() and re.search(rf"^ *def {name}\(", file.read_text(), re.MULTILINE) is not None
