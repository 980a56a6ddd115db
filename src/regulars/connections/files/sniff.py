"""How a file is written: encoding, separator, decimal sign and order of dates, each with what told it. Pure."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from charset_normalizer import from_bytes

from regulars.connections.files.errors import EmptyFile, NotATable
from regulars.record.customers.contacts import fold

SAMPLE_BYTES = 1 << 20
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet such as .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "a database file"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an xz archive"),
)


class DateOrder(StrEnum):
    """What stands first in a date that is written with numbers only."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True)
class Format:
    """How a file is written. ``evidence`` says of each part what told it, for a person to check."""

    encoding: str
    separator: str
    decimal_comma: bool = False
    date_order: DateOrder = DateOrder.YEAR_FIRST
    evidence: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Format":
        known = {name: stored[name] for name in ("encoding", "separator", "decimal_comma", "evidence")}
        return cls(**known, date_order=DateOrder(stored["date_order"]))


def check_is_text(sample: bytes) -> None:
    """Raises EmptyFile, or NotATable for what plainly is something else, whatever its name says."""
    if not sample.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise EmptyFile("The file is empty")
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise NotATable(f"This is {what}, not a CSV file: open it and export it as CSV")
    head = sample[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise NotATable("This is a web page or XML, not a CSV file: perhaps the export needs you to sign in first")
    if head.startswith((b"{", b"[{", b"[\n", b"[]")):
        raise NotATable("This is JSON, not a CSV file: export it as CSV")
    if b"\x00" in sample and not sample.startswith((b"\xff\xfe", b"\xfe\xff")) and not _looks_wide(sample):
        raise NotATable("This is a binary file, not a CSV file")


def _looks_wide(sample: bytes) -> bool:
    """UTF-16 without a byte order mark: every second byte of Western text is zero."""
    zeros = sample[:2000].count(0)
    return 0.3 < zeros / min(len(sample), 2000) < 0.7


def detect_encoding(sample: bytes) -> tuple[str, str]:
    """Name of the encoding, and what told it."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name, "byte order mark"
    if b"\x00" in sample:  # before UTF-8, in which a zero byte is a letter as any other
        is_little = sample[1::2].count(0) > sample[::2].count(0)
        return ("utf-16-le" if is_little else "utf-16-be"), "every second byte is zero"
    try:
        sample[: len(sample) - _cut_bytes(sample)].decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", "valid UTF-8" if not sample.isascii() else "plain ASCII"
    return _by_letters(sample[:200_000])


_USUAL = ("cp1252", "not UTF-8; the usual one of Windows")
_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "iso8859_15", "shift_jis", "gb18030"]


_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WESTERN = frozenset("äöüßÄÖÜéèêëàâçîïôùûœæøåÉÈÀÇÊÔŒÆØÅñÑãõáíóúÃÕÁÍÓÚìòÌÒ¿¡€£–—‘’“”„«»°")
_CENTRAL = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰöüäôľĺŕÖÜÄđĐßţşăâîŢŞĂ€–—‘’“”„«»°")


def _by_letters(sample: bytes) -> tuple[str, str]:
    """The encoding in which the letters look most like words.

    Where words are Latin with some other letters among them, the usual letters of Western and of Central European languages are
    counted, and Western ones win a draw; words of nothing but other letters are left to the statistics of charset-normalizer.
    """
    words = b"".join(_WORD.findall(sample))
    foreign = sum(byte >= 0x80 for byte in words)
    western, central = _usual_letters(words, "cp1252", _WESTERN), _usual_letters(words, "cp1250", _CENTRAL)
    if foreign <= 0.75 * len(words) and max(western, central) > 0.5 * foreign:
        return _USUAL if western >= central else ("cp1250", "Central European letters")
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    return (best.encoding, "the letters make words in it") if best else _USUAL


def _usual_letters(words: bytes, encoding: str, letters: frozenset[str]) -> int:
    """How many letters are usual ones in this encoding's languages; -1 where the bytes are not this encoding."""
    try:
        return sum(letter in letters for letter in words.decode(encoding))
    except UnicodeDecodeError:
        return -1


def _cut_bytes(sample: bytes) -> int:
    """How many bytes at the end of a sample may belong to a letter that goes on after it."""
    for back in range(1, min(4, len(sample)) + 1):
        byte = sample[-back]
        if byte >= 0xC0:
            return back
        if byte < 0x80:
            return 0
    return 0


def detect_separator(text: str) -> tuple[str, str]:
    """The separator that gives the most columns, the same number in the most rows. Raises NotATable where none gives two."""
    best, columns, share = ",", 1, 0.0
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in sample_rows(text, separator) if any(row))
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        agreeing = count / sum(widths.values())
        if width > 1 and (agreeing * min(width, 6), width) > (share * min(columns, 6), columns):
            best, columns, share = separator, width, agreeing
    if columns < 2:
        raise NotATable("No separator gives two columns: this does not look like a CSV or TSV file")
    return best, f"{columns} columns in {share:.0%} of the first rows"


def sample_rows(text: str, separator: str) -> Iterator[list[str]]:
    """Rows of a sample; the last one may be cut and is left out."""
    rows = csv.reader(text.splitlines(keepends=True)[:2000], delimiter=separator)
    try:
        previous = None
        for row in rows:
            if previous is not None:
                yield previous
            previous = row
        if previous is not None and (text.endswith(("\n", "\r")) or rows.line_num < 2):
            yield previous
    except csv.Error:
        return


_COMMA = re.compile(r"^[^\d]*-?\d{1,3}(?:[. \u00a0\u202f']?\d{3})*,\d{1,2}\D*$|^-?\d+,\d{1,2}$|^-?\d+,\d{4,}$")
_POINT = re.compile(r"^[^\d]*-?\d{1,3}(?:[, \u00a0\u202f']?\d{3})*\.\d{1,2}\D*$|^-?\d+\.\d{1,2}$|^-?\d+\.\d{4,}$")
_DATE = re.compile(r"^\s*(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?:\D|$)")


def detect_decimal_comma(cells: Iterable[str]) -> tuple[bool, str]:
    """Whether amounts are written 1.234,56, and what told it."""
    commas = points = 0
    example = ""
    for cell in cells:
        if _COMMA.match(cell):
            commas += 1
            example = example or cell
        elif _POINT.match(cell):
            points += 1
    if commas > points:
        return True, f"such as {example.strip()[:20]}"
    return False, f"{points} amounts with a point" if points else "no amount tells; the point is assumed"


def detect_date_order(cells: Iterable[str], prefers_day: bool = True) -> tuple[DateOrder, str]:
    """What stands first in the dates. Where no date tells, ``prefers_day`` decides and the evidence says so."""
    first_over = second_over = ambiguous = 0
    for cell in cells:
        if not (found := _DATE.match(cell)):
            continue
        if len(found[1]) == 4:
            return DateOrder.YEAR_FIRST, f"such as {cell.strip()[:19]}"
        first_over += 12 < int(found[1]) <= 31
        second_over += 12 < int(found[2]) <= 31
        ambiguous += 1
    if first_over > second_over:
        return DateOrder.DAY_FIRST, f"{first_over} dates have a day over 12 first"
    if second_over:
        return DateOrder.MONTH_FIRST, f"{second_over} dates have a day over 12 second"
    if ambiguous:
        return (DateOrder.DAY_FIRST if prefers_day else DateOrder.MONTH_FIRST), "no date tells: check this"
    return DateOrder.YEAR_FIRST, "no such date found"


def sniff(sample: bytes, currency: str = "") -> tuple[Format, list[list[str]]]:
    """How the file of this beginning is written, and its first rows. Raises EmptyFile and NotATable.

    In doubt about dates, a shop that counts in US dollars writes the month first.
    """
    check_is_text(sample)
    encoding, encoding_evidence = detect_encoding(sample)
    text = sample.decode(encoding, errors="replace")
    separator, separator_evidence = detect_separator(text)
    rows = list(sample_rows(text, separator))
    cells = [cell for row in rows[1:500] for cell in row]
    comma, comma_evidence = detect_decimal_comma(cells)
    order, order_evidence = detect_date_order(cells, prefers_day=currency != "USD")
    evidence = {
        "encoding": encoding_evidence,
        "separator": separator_evidence,
        "decimal": comma_evidence,
        "dates": order_evidence,
    }
    return Format(encoding, separator, comma, order, evidence), rows


def folded(header: str) -> str:
    """A header without case, accents, spaces and signs, so that 'E-Mail ' and 'email' are the same."""
    return re.sub(r"[\W_]+", "", fold(header))


def same_headers(headers: Sequence[str], wanted: Iterable[str]) -> bool:
    """Whether all the wanted headers are there, whatever their case and signs."""
    there = {folded(header) for header in headers}
    return all(folded(name) in there for name in wanted)
