"""What a list reads from its address, and what it says of it."""

from datetime import date
from decimal import Decimal

import pytest
from django.http import QueryDict

from regulars.foundation.access.viewer import NOBODY
from regulars.foundation.pages.export import csv_lines, escape_formula
from regulars.foundation.pages.lists import Column, Empty, Filter, InvalidFilter, ListPage, address, read_chips
from regulars.foundation.pages.paging import Rows

PAGE = ListPage(
    name="things",
    title="Things",
    columns=[Column("name", "Name", sort="name"), Column("total", "Total", "money", is_optional=True)],
    filters=[
        Filter("state", "State", choices=lambda viewer: [("open", "Open"), ("done", "Done")]),
        Filter("made", "Made", "date"),
        Filter("total", "Total", "number"),
        Filter("score", "Score", "hidden", describe=lambda value: f"score {value}"),
    ],
    default_sort="-name",
    load=lambda query, viewer: Rows([], 0),
    href=lambda row: "",
    unit=str,
    empty=Empty("None", "None"),
)


def test_reads_every_kind_of_filter() -> None:
    query = PAGE.read(
        QueryDict(
            "q=+two+words+&state=open&state=done&made_from=2026-01-01&total_to=12.50&score=4&sort=name&cursor=abc"
        )
    )
    assert query.text == "two words"
    assert query.choices == {"state": ("open", "done"), "score": ("4",)}
    assert query.dates == {"made": (date(2026, 1, 1), None)}
    assert query.numbers == {"total": (None, Decimal("12.50"))}
    assert (query.sort, query.descending, query.cursor) == ("name", False, "abc")
    assert (query.one("state"), query.one("nothing")) == ("open", "")


def test_the_usual_order_holds_where_none_is_asked_for() -> None:
    query = PAGE.read(QueryDict(""))
    assert (query.sort, query.descending) == ("name", True)


@pytest.mark.parametrize(
    "asked", ["sort=password", "made_from=yesterday", "total_from=much", "total_from=NaN", "total_to=1e30"]
)
def test_what_cannot_be_read_is_refused_by_name(asked: str) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        PAGE.read(QueryDict(asked))
    assert asked.partition("=")[2] in refusal.value.sentence


def test_chips_read_as_a_sentence_and_lead_to_the_list_without_them() -> None:
    chips = read_chips(PAGE, QueryDict("state=open&state=done&made_from=2026-01-31&score=4&cursor=abc"), NOBODY)
    assert [(chip.label, chip.text) for chip in chips] == [
        ("State", "Open or Done"),
        ("Made", "from 31 Jan 2026"),
        ("Score", "score 4"),
    ]
    assert chips[0].without == "?made_from=2026-01-31&score=4"


def test_a_changed_question_begins_at_the_first_page() -> None:
    assert address(QueryDict("cursor=abc&sort=name"), {"sort": "-name"}) == "?sort=-name"


def test_optional_columns_show_when_asked_for() -> None:
    assert [column.name for column in PAGE.shown(QueryDict(""))] == ["name"]
    assert [column.name for column in PAGE.shown(QueryDict("columns=total"))] == ["total"]
    assert [column.name for column in PAGE.shown(QueryDict("columns=nonsense"))] == ["name", "total"]


@pytest.mark.parametrize("text", ["=1+1", "+44", "-2", "@cmd", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    assert escape_formula(text) == "'" + text


def test_numbers_of_an_export_stay_numbers() -> None:
    assert list(csv_lines(["a"], [[Decimal("-2.50"), None, 'say "x"']])) == ["\ufeffa\r\n", '-2.50,,"say ""x"""\r\n']
