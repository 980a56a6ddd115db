"""What a file's own bytes tell: encoding, separator, decimal sign, date order; rows by their key."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.connections.files.errors import NotATable, RefusedFile
from regulars.connections.files.reading import Row, check_whole, key_hash, read_rows, units
from regulars.connections.files.sniff import (
    DateOrder,
    Dates,
    Decimals,
    Format,
    Habits,
    says_separator,
    sniff,
    with_habits,
)
from regulars.connections.files.values import Unreadable, Values, strip_escape
from regulars.foundation.pages.export import escape_formula

FIRST, LAST = datetime(2001, 1, 1), datetime(2099, 1, 1)  # noqa: DTZ001  wanted without a zone
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèñ"
WORDS = st.text(LETTERS, min_size=1, max_size=12)
CELLS = st.text(LETTERS + ' ",;\n', max_size=15)


def written(rows: list[list[str]], separator: str, encoding: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


@given(
    st.lists(st.lists(CELLS, min_size=4, max_size=4).filter(any), min_size=1, max_size=20),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=80, deadline=None)
def test_what_was_written_is_read_again(rows: list[list[str]], separator: str, encoding: str) -> None:
    header = ["one", "two", "three", "four"]
    raw = written([header, *rows], separator, encoding)
    read = [row.cells for row in read_rows(io.BytesIO(raw), Format(encoding, separator))]
    assert read == [header, *rows]


@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=5, max_size=20), st.sampled_from([",", ";", "\t", "|"])
)
@settings(max_examples=60, deadline=None)
def test_the_separator_is_found(rows: list[list[str]], separator: str) -> None:
    form, read = sniff(written([["number", "name", "city"], *rows], separator, "utf-8"))
    assert form.separator == separator
    assert read[0] == ["number", "name", "city"]


PIECES = st.sampled_from(
    [
        b"a,b\n",
        b"1;2\r\n",
        b'"',
        b"\n",
        b"\xff\xfe",
        b"\x00",
        b"\xc3\xa4",
        b"\xe9",
        b"PK\x03\x04",
        b"sep=;\n",
        b"x" * 50,
    ]
)


@given(st.binary(max_size=400) | st.lists(PIECES, max_size=30).map(b"".join))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read_whole_or_refused_in_a_sentence(raw: bytes) -> None:
    try:
        form, shown = sniff(raw)
        checked = check_whole(io.BytesIO(raw), form, 0)
    except RefusedFile as refusal:
        said = refusal.sentence
    else:
        said = ""
    if said:
        assert re.fullmatch(r"[A-Z][^\n]{10,400}", said)
        return
    text = raw.decode(form.encoding)  # every byte has been understood, or it would have been refused
    rows = [cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=form.separator) if any(cells)]
    rows = rows[1:] if says_separator(rows[0], form.separator) else rows
    assert (checked.header, checked.row_count) == (rows[0], len(rows) - 1)
    seen = [cells for cells in shown if any(cells)]
    assert rows[: len(seen)] == seen


@given(
    st.lists(st.tuples(WORDS, st.decimals(-9999, 9999, places=2), st.datetimes(FIRST, LAST)), min_size=14, max_size=40),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
    st.sampled_from(list(DateOrder)),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_what_an_export_was_written_with_is_found_or_said_to_be_in_doubt(
    facts: list[tuple[str, Decimal, datetime]],
    encoding: str,
    separator: str,
    is_comma: bool,
    order: DateOrder,
    says_it: bool,
) -> None:
    pattern = {"ymd": "%Y-%m-%d", "dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}[order]
    texts = [f"{amount}".replace(".", ",") if is_comma else f"{amount}" for _, amount, _ in facts]
    rows = [[word, text, day.strftime(pattern)] for (word, _, day), text in zip(facts, texts, strict=True)]
    raw = written([["name", "amount", "date"], *rows], separator, encoding)
    if says_it:
        raw = f"sep={separator}\r\n".encode(encoding) + raw.removeprefix("".encode(encoding))
    form, shown = sniff(raw)
    form = with_habits(form, Habits().see(shown[1:]))
    assert (form.separator, form.decimal_comma) == (separator, is_comma)
    assert [row.cells for row in read_rows(io.BytesIO(raw), form)][1:] == rows
    if "check" in form.evidence["dates"]:
        assert all(day.day <= 12 for _, _, day in facts)
        form = replace(form, date_order=order)
    assert form.date_order == order
    values = Values(form, ZoneInfo("UTC"), "GBP")
    read = [(row[0], values.decimal(row[1]), values.moment(row[2]).date()) for row in rows]
    assert read == [(word, amount, day.date()) for word, amount, day in facts]


@settings(deadline=None)
@given(st.lists(st.decimals(0, 99999, places=2), min_size=1, max_size=30), st.booleans(), st.booleans())
def test_the_decimal_sign_is_found_and_amounts_are_exact(
    amounts: list[Decimal], is_comma: bool, is_grouped: bool
) -> None:
    texts = [f"{amount:,.2f}" if is_grouped else f"{amount:.2f}" for amount in amounts]
    if is_comma:
        texts = [text.translate(str.maketrans(".,", ",.")) for text in texts]
    found = Decimals()
    for text in texts:
        found.see(text)
    assert found.verdict[0] == is_comma
    values = Values(Format("utf-8", ";", decimal_comma=is_comma), ZoneInfo("UTC"), "GBP")
    assert [values.decimal(text) for text in texts] == amounts


@settings(deadline=None)
@given(
    st.lists(st.datetimes(FIRST, LAST), min_size=1, max_size=40),
    st.sampled_from(list(DateOrder)),
    st.sampled_from("./-"),
)
def test_dates_are_read_in_the_order_that_was_found(days: list[datetime], order: DateOrder, sign: str) -> None:
    pattern = {"ymd": "%Y-%m-%d", "dmy": "%d-%m-%Y", "mdy": "%m-%d-%Y"}[order].replace("-", sign)
    texts = [day.strftime(pattern + " %H:%M:%S") for day in days]
    dates = Dates()
    for text in texts:
        dates.see(text)
    found, evidence = dates.verdict()
    if "check" in evidence:
        found = order
    assert found == order
    values = Values(Format("utf-8", ",", date_order=found), ZoneInfo("UTC"), "GBP")
    assert [values.moment(text) for text in texts] == [day.replace(microsecond=0, tzinfo=UTC) for day in days]


CELL_PIECES = st.sampled_from(
    [
        *"0123456789",
        "12",
        "2026",
        "-",
        "/",
        ".",
        ",",
        ":",
        " ",
        "T",
        "+01:00",
        "+99:00",
        "Z",
        "AM",
        "pm",
        "£",
        "EUR",
        "(",
        ")",
        "'",
        "e5",
    ]
)


def read_or_reason(read: Callable[[str], Any], text: str) -> tuple[Any, str]:
    try:
        return read(text), ""
    except Unreadable as error:
        return None, str(error)


@settings(deadline=None, max_examples=400)
@given(
    st.text(max_size=30) | st.lists(CELL_PIECES, max_size=14).map("".join),
    st.booleans(),
    st.sampled_from(list(DateOrder)),
)
def test_every_text_is_a_value_in_range_or_has_a_reason(text: str, is_comma: bool, order: DateOrder) -> None:
    values = Values(Format("utf-8", ",", is_comma, order), ZoneInfo("Europe/London"), "GBP")
    for read in (values.decimal, values.whole, values.minor, values.moment):
        value, reason = read_or_reason(read, text)
        if value is None:
            assert text.strip()[:20].strip() in reason or "time zone" in reason
            continue
        assert read(text) == value
        digits = [sign for sign in text if sign.isdigit()]
        if isinstance(value, datetime):
            assert value.tzinfo == UTC
            assert 1970 <= value.year <= 2200
            assert len(digits) >= 3
        elif digits:
            assert abs(value) < 10**14
        else:
            assert (value, text.strip()) == (0, "")  # only nothing is nothing


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20).filter(lambda t: not t.startswith("'")))
def test_what_an_export_escapes_an_import_takes_back(text: str) -> None:
    assert strip_escape(escape_formula(text)) == text


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), max_size=60))
def test_rows_of_one_key_come_together_wherever_they_stand(keys: list[int]) -> None:
    rows = [Row(place, [str(key), str(place)]) for place, key in enumerate(keys)]
    runs = [key for place, key in enumerate(keys) if place == 0 or keys[place - 1] != key]
    pieces = {key_hash(str(key)): runs.count(key) for key in set(runs) if runs.count(key) > 1}
    found = list(units(rows, 0, pieces))
    assert sorted(unit.key for unit in found) == sorted({str(key) for key in keys})
    assert sorted(row.line for unit in found for row in unit.rows) == list(range(len(keys)))
    for unit in found:
        assert [row.line for row in unit.rows] == [place for place, key in enumerate(keys) if str(key) == unit.key]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2010-12-01 08:26:00", "2010-12-01T08:26:00+00:00"),
        ("2010-07-01 08:26:00", "2010-07-01T07:26:00+00:00"),
        ("2026-03-01 10:00:00 +0100", "2026-03-01T09:00:00+00:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01 10:00:00 UTC", "2026-03-01T10:00:00+00:00"),
        ("1/12/2010 8:26", "2010-12-01T08:26:00+00:00"),
        ("01.12.10", "2010-12-01T00:00:00+00:00"),
        ("1/12/2010 12:05 AM", "2010-12-01T00:05:00+00:00"),
        ("1/12/2010 1:05 pm", "2010-12-01T13:05:00+00:00"),
        ("31.01.2026, 14:30 Uhr", "2026-01-31T14:30:00+00:00"),
        ("1/12/2010 8:26 +0530", "2010-12-01T02:56:00+00:00"),
        ("2026/01/31 14:30", "2026-01-31T14:30:00+00:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    values = Values(Format("utf-8", ",", date_order=DateOrder.DAY_FIRST), ZoneInfo("Europe/London"), "GBP")
    assert values.moment(text).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-03-01 10:00:00 +99:00", "time zone"),
        ("2026-03-01 10:00:00 +23:00", "time zone"),
        ("2026-03-01T10:00:00-15:00", "time zone"),
        ("1/12/2010 8:26 +99:00", "time zone"),
        ("2026-03-01 10:00:00 Mars", "not a date and time"),
        ("2026-03-01 25:00", "not a date and time"),
        ("30/02/2026", "not a date and time"),
        ("1/12/2010 and more", "not a date and time"),
        ("order 1 of 2 from 3", "not a date and time"),
        ("0001-01-01", "out of range"),
    ],
)
def test_what_is_no_moment(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        Values(Format("utf-8", ",", date_order=DateOrder.DAY_FIRST), ZoneInfo("Europe/London"), "GBP").moment(text)


def test_an_amount_with_the_other_decimal_sign_is_no_other_amount() -> None:
    point, comma = (Values(Format("utf-8", ",", is_comma), ZoneInfo("UTC"), "EUR") for is_comma in (False, True))
    with pytest.raises(Unreadable, match="with a decimal point"):
        point.decimal("12,50")
    with pytest.raises(Unreadable, match="with a decimal comma"):
        comma.decimal("12.50")
    assert point.decimal("1,234") == comma.decimal("1.234") == Decimal(1234)


@pytest.mark.parametrize(
    "text", ["", "-", "abc", "1e400", "NaN", "Infinity", "12.5.6,7.8,9", "9" * 40, "12 of 30", "1,2,3"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Unreadable):
        Values(Format("utf-8", ","), ZoneInfo("UTC"), "GBP").decimal(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("£1,234.50", "1234.50"),
        ("(5.00)", "-5.00"),
        ("5.00-", "-5.00"),
        ("-£5", "-5"),
        ("£ -5", "-5"),
        ("'-3", "-3"),
        ("1 000", "1000"),
        ("1'234.50 CHF", "1234.50"),
        ("12.50 EUR", "12.50"),
        ("EUR 12.50", "12.50"),
        ("Rs. 500", "500"),
        ("1,00,000.00", "100000"),
        ("5.-", "5"),
        (".5", "0.5"),
    ],
)
def test_what_is_a_number(text: str, value: str) -> None:
    assert Values(Format("utf-8", ","), ZoneInfo("UTC"), "GBP").decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "written_in"),
    [
        ("Peña, Núñez São João", "cp1252"),
        ("Ærøskøbing, Malmö", "cp1252"),
        ("Crème brûlée à l'été, œuf", "cp1252"),
        ("Größe Straße Müller", "cp1252"),
        ("naïve “quotes” – dash €", "cp1252"),
        ("Zażółć gęślą jaźń", "cp1250"),
        ("plain letters", "utf-16-le"),
        ("plain letters", "utf-16-be"),
        ("Müller", "utf-8"),
    ],
)
def test_the_encoding_is_found(text: str, written_in: str) -> None:
    form, rows = sniff(f'name;city\r\n"{text}";x\r\n'.encode(written_in) * 3)
    assert rows[1] == [text, "x"], form.encoding


def test_a_file_of_utf_8_with_a_damaged_letter_is_refused_at_its_line() -> None:
    raw = "Order,Product\n1,Müsli\n2,Käse\n".encode() + b"3,M\xff\n"
    form, _ = sniff(raw)
    assert form.encoding == "utf-8"
    with pytest.raises(NotATable, match="Line 4 holds bytes that are not utf-8"):
        check_whole(io.BytesIO(raw), form, 0)


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        ("Peña, Núñez São João", ["cp1252", "utf-8", "utf-16"]),
        ("Ærøskøbing Malmö", ["cp1252", "utf-8"]),
        ("Crème brûlée à l'été, œuf", ["cp1252", "utf-8"]),
        ("Größe Straße Müller", ["cp1252", "cp1250", "utf-8"]),
        ("naïve “quotes” – dash € £12", ["cp1252", "utf-8"]),
        ("Zażółć gęślą jaźń", ["cp1250", "utf-8"]),
        ("Příliš žluťoučký kůň", ["cp1250", "utf-8"]),
        ("Müsli", ["cp1252", "utf-8"]),
        ("12,50 €", ["cp1252"]),
        ("Иванов Пётр, улица Ленина, дом семь", ["cp1251", "utf-8"]),
        ("Crème brûlée à l'été, Hélène", ["mac_roman"]),
        ("Größe Straße Müller Köln", ["mac_roman"]),
    ],
)
def test_old_encodings(text: str, encodings: list[str]) -> None:
    for encoding in encodings:
        raw = ("number;name\n" + f"1;{text}\n" * 3).encode(encoding)
        found, _ = sniff(raw)
        assert raw.decode(found.encoding).splitlines()[1] == f"1;{text}", encoding
