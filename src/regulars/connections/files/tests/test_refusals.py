"""A file that cannot be imported is refused in one sentence and leaves nothing."""

import gzip
import io
import zipfile
from pathlib import Path

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
from regulars.connections.files.operations import stage_import
from regulars.connections.files.tests.conftest import AT, Importer
from regulars.connections.files.tests.test_applying import FIRST, HEADER
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Store
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
    ],
    ids=range(18),
)
def test_it_is_refused(
    stage: Importer, data_folder: Path, content: bytes, error: type[RefusedFile], words: str
) -> None:
    with pytest.raises(error) as refusal:
        stage(content, **({"encoding": "utf-8"} if error is NotATable and b"\xff\xfe\xfa" in content else {}))
    assert words in refusal.value.sentence
    assert "\n" not in refusal.value.sentence
    assert not Import.objects.exists()
    assert not Batch.objects.exists()
    assert not Order.objects.exists()
    assert [p for p in data_folder.rglob("*") if p.is_file()] == []


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


def test_a_file_over_the_limit(store: Store, data_folder: Path) -> None:
    with pytest.raises(TooLarge):
        stage_import(io.BytesIO(FIRST.encode()), kind=Kind.ORDERS, file_name="x", store=store, at=AT, largest=100)
    assert [p for p in data_folder.rglob("*") if p.is_file()] == []


def test_a_compressed_file_is_unpacked_and_the_limit_holds_for_what_is_in_it(store: Store) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(TooLarge):
        stage_import(io.BytesIO(bomb), kind=Kind.ORDERS, file_name="x", store=store, at=AT, largest=1_000_000)
    row = stage_import(
        io.BytesIO(gzip.compress(FIRST.encode())), kind=Kind.ORDERS, file_name="x.gz", store=store, at=AT
    )
    assert row.row_count == 8
