"""A file that cannot be imported is refused in one sentence and leaves nothing."""

import gzip
import io
import zipfile

import pytest

from regulars.connections.files.errors import (
    CutFile,
    EmptyFile,
    NoSuchColumn,
    NotATable,
    RefusedFile,
    TooLarge,
    WrongKind,
)
from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import, stage_import
from regulars.connections.files.queries import list_rejects
from regulars.connections.files.tests.conftest import AT, Importer
from regulars.connections.files.tests.test_applying import FIRST, HEADER
from regulars.foundation.errors import InvalidInput
from regulars.foundation.inbox.models import Frame
from regulars.foundation.shop.models import Store
from regulars.record.consent.models import SuppressionEntry
from regulars.record.events.models import Batch
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", EmptyFile, "empty"),
        (b"\xef\xbb\xbf\n\n", EmptyFile, "empty"),
        (HEADER.encode(), EmptyFile, "no row below it"),
        (zipped(), NotATable, "export it as CSV"),
        (b"%PDF-1.7 ...", NotATable, "a PDF"),
        (b"<!DOCTYPE html><html>sign in</html>", NotATable, "web page"),
        (b'[{"order": 1}]', NotATable, "JSON"),
        (b"\x7fELF\x02\x01\x01\x00", NotATable, "program"),
        (b"a,b\n\x00\x01\x02\x03,2\n" * 10, NotATable, "binary"),
        (b"just some words\nin two lines\n", NotATable, "separator"),
        (FIRST.encode()[:-30], CutFile, "of 8 columns"),
        ((FIRST + '9,"a quote that never').encode(), CutFile, "quote"),
        (gzip.compress(FIRST.encode())[:-20], CutFile, "cut"),
        (FIRST.encode() + b"9,\xff\xfe\xfa,x,1,2010-12-01,1,1,x\n" + "é".encode(), NotATable, "bytes that are not"),
        (b"name,price\nmug,2\n", WrongKind, "order number"),
        (b"Handle,Title,Vendor,Option1 Value,Variant Price\na,A,v,x,1\n", WrongKind, "import it as products"),
        ((HEADER + "1,A,x,one,2010-12-01,1,1,x\n").encode(), WrongKind, "quantity 'one' is not a number (line 2)"),
        ((HEADER + "1,A,x\x00,1,2010-12-01,1,1,x\n").encode(), NotATable, "binary"),
        (b'{"order": 1}\n{"order": 2}\n', NotATable, "JSON"),
        (b"PK\x03\x04rest", NotATable, "unpack it, or open it"),
        (b"a,b\n" + b"x" * 5_000_000, NotATable, "longer than 4 million letters"),
        (b"x," * 2_500_000, NotATable, "longer than 4 million letters"),
        (HEADER.encode() + b'1,"' + b"x" * 1_100_000, NotATable, "larger than 1024 KB"),
        (b",".join(b"c%d" % n for n in range(100_000)) + b"\n1,2\n", NotATable, "has 100,000 columns"),
        (b"Order,Date,Email,Email\n1,2026-01-02,a@x.example,b@x.example\n", NotATable, "'Email' more than once"),
        ((FIRST * 9000).encode() + b"1,A\x00,x,1,2010-12-01,1,1,x\n", NotATable, "Line 81001 holds a zero byte"),
        ((FIRST * 9000).encode() + b"1,\xff,x,1,2010-12-01,1,1,x\n" + b"x" * 9, CutFile, "has 1 of 8 columns"),
        (gzip.compress(b""), EmptyFile, "empty"),
        (b"\x1f\x8b" + bytes(range(200)), CutFile, "damaged"),
    ],
    ids=range(29),
)
def test_it_is_refused(stage: Importer, content: bytes, error: type[RefusedFile], words: str) -> None:
    with pytest.raises(error) as refusal:
        stage(content, **({"encoding": "utf-8"} if error is NotATable and b"\xff\xfe\xfa" in content else {}))
    assert words in refusal.value.sentence
    assert "\n" not in refusal.value.sentence
    assert not Import.objects.exists()
    assert not Batch.objects.exists()
    assert not Order.objects.exists()
    assert not Frame.objects.exists()


def test_a_mapping_to_a_column_that_is_not_there(stage: Importer) -> None:
    with pytest.raises(NoSuchColumn, match="The file has no column 'Invoice Nr'"):
        stage(FIRST, mapping={"number": "Invoice Nr"})
    with pytest.raises(NoSuchColumn, match="is not a field of orders"):
        stage(FIRST, mapping={"nonsense": "InvoiceNo"})


@pytest.mark.parametrize(
    "options",
    [{"layout": "x"}, {"time_zone": "Mars"}, {"encoding": "klingon"}, {"currency": "XXL"}, {"separator": "#"}],
)
def test_options_that_cannot_be(stage: Importer, options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        stage(FIRST, **options)
    assert not Import.objects.exists()


def test_a_file_over_the_limit(store: Store) -> None:
    with pytest.raises(TooLarge):
        stage_import(io.BytesIO(FIRST.encode()), kind=Kind.ORDERS, file_name="x", store=store, at=AT, largest=100)
    assert not Frame.objects.exists()


def test_a_compressed_file_is_unpacked_and_the_limit_holds_for_what_is_in_it(store: Store) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(TooLarge):
        stage_import(io.BytesIO(bomb), kind=Kind.ORDERS, file_name="x", store=store, at=AT, largest=1_000_000)
    row = stage_import(
        io.BytesIO(gzip.compress(FIRST.encode())), kind=Kind.ORDERS, file_name="x.gz", store=store, at=AT
    )
    assert row.row_count == 8


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_excels_first_line_names_the_separator_and_counts_as_a_line(stage: Importer, separator: str) -> None:
    table = "Order,Date,Total,Note\n1,2026-01-02,5.00,x\n2,never,6.00,y\n"
    table = table.replace(",", separator)
    row = stage(f"sep={separator}\r\n{table}")
    assert (row.row_count, row.format["separator"], row.format["headers"][0]) == (2, separator, "Order")
    assert row.format["evidence"]["separator"] == "the first line says so"
    done = apply_import(row.pk, lambda: AT)
    assert [(reject.line, reject.reason) for reject in list_rejects(done)] == [
        (4, "date 'never' is not a date and time")
    ]


def test_blank_lines_above_the_header_are_no_header(stage: Importer) -> None:
    assert stage("\n\n" + FIRST).row_count == 8


def test_letters_amounts_and_dates_that_only_a_later_row_tells_are_understood(bring_in: Importer) -> None:
    head = "Order;Date;Email;Product;Unit price\n"
    early = "".join(f"{n};0{1 + n % 9}/02/2026;p{n % 5}@x.example;Mug;5\n" for n in range(2500))
    done = bring_in((head + early + "9999;02/13/2026;z@x.example;Müsli;5,50\n").encode("cp1252"))
    assert (done.format["encoding"], done.format["date_order"], done.format["decimal_comma"]) == ("cp1252", "mdy", True)
    assert (done.counts["rows_taken"], done.counts["rows_skipped"]) == (2501, 0)
    order = Order.objects.get(number="9999")
    assert (order.total_minor, order.lines.get().title, order.placed_at.month) == (550, "Müsli", 2)
    assert Order.objects.get(number="8").placed_at.month == 9


def test_a_bare_list_of_addresses_has_one_column(bring_in: Importer) -> None:
    bring_in("Email\nann@shop.example\nnobody\n", "consent", layout="suppressions")
    assert SuppressionEntry.objects.count() == 1
