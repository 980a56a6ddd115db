"""What a file's own bytes tell: encoding, separator, decimal sign, date order; rows by their key."""

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.connections.files.errors import RefusedFile
from regulars.connections.files.reading import Row, check_whole, key_hash, read_rows, units
from regulars.connections.files.sniff import DateOrder, Format, detect_date_order, detect_decimal_comma, sniff
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


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused_in_a_sentence(raw: bytes) -> None:
    with suppress(RefusedFile):
        form, _ = sniff(raw)
        check_whole(io.BytesIO(raw), form, 0)


@settings(deadline=None)
@given(st.lists(st.decimals(0, 99999, places=2), min_size=1, max_size=30), st.booleans(), st.booleans())
def test_the_decimal_sign_is_found_and_amounts_are_exact(
    amounts: list[Decimal], is_comma: bool, is_grouped: bool
) -> None:
    texts = [f"{amount:,.2f}" if is_grouped else f"{amount:.2f}" for amount in amounts]
    if is_comma:
        texts = [text.translate(str.maketrans(".,", ",.")) for text in texts]
    assert detect_decimal_comma(texts)[0] == is_comma
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
    found, evidence = detect_date_order(texts)
    if "check" in evidence:
        found = order
    assert found == order
    values = Values(Format("utf-8", ",", date_order=found), ZoneInfo("UTC"), "GBP")
    assert [values.moment(text) for text in texts] == [day.replace(microsecond=0, tzinfo=UTC) for day in days]


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_breaks_the_readers(text: str) -> None:
    values = Values(Format("utf-8", ","), ZoneInfo("Europe/London"), "GBP")
    for read in (values.decimal, values.whole, values.moment, values.minor):
        with suppress(Unreadable):
            read(text)


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
    ],
)
def test_moments(text: str, expected: str) -> None:
    values = Values(Format("utf-8", ",", date_order=DateOrder.DAY_FIRST), ZoneInfo("Europe/London"), "GBP")
    assert values.moment(text).isoformat() == expected


@pytest.mark.parametrize("text", ["", "-", "abc", "1e400", "NaN", "Infinity", "12.5.6,7.8,9", "9" * 40])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Unreadable):
        Values(Format("utf-8", ","), ZoneInfo("UTC"), "GBP").decimal(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("£1,234.50", "1234.50"), ("(5.00)", "-5.00"), ("5.00-", "-5.00"), ("'-3", "-3"), ("1 000", "1000")],
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
        ("Иванов Пётр, улица Ленина, дом семь", ["cp1251", "utf-8"]),
    ],
)
def test_old_encodings(text: str, encodings: list[str]) -> None:
    for encoding in encodings:
        raw = ("number;name\n" + f"1;{text}\n" * 3).encode(encoding)
        found, _ = sniff(raw)
        assert raw.decode(found.encoding).splitlines()[1] == f"1;{text}", encoding
