"""How a file is written: encoding, separator, decimal sign and order of dates, each with what told it. Pure."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import islice, pairwise
from typing import Any

from charset_normalizer import from_bytes

from regulars.connections.files.errors import EmptyFile, NotATable
from regulars.record.customers.contacts import fold

SAMPLE_BYTES = 1 << 20
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet such as .xlsx"),
    (b"PK\x05\x06", "an empty zip archive"),
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
    has_header: bool = True
    evidence: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Format":
        known = {name: stored[name] for name in ("encoding", "separator", "decimal_comma", "evidence")}
        is_headed = stored.get("has_header", True)
        return cls(**known, date_order=DateOrder(stored["date_order"]), has_header=is_headed)


def check_is_text(sample: bytes) -> None:
    """Raises EmptyFile, or NotATable for what plainly is something else, whatever its name says."""
    if not sample.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise EmptyFile("The file is empty")
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            advice = (
                "unpack it, or open it and export it as CSV" if "archive" in what else "open it and export it as CSV"
            )
            raise NotATable(f"This is {what}, not a CSV file: {advice}")
    head = sample[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.match(rb"<[a-z!?]", head):
        raise NotATable("This is a web page or XML, not a CSV file: perhaps the export needs you to sign in first")
    if re.match(rb"\{|\[\s*[\[{\"\]]", head):
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
    whole = sum(map(len, _UTF8_LETTER.findall(sample)))
    if whole > 0.5 * len(sample.translate(None, bytes(range(0x80)))):
        return "utf-8", "most letters are UTF-8, but some are damaged"
    first = next(place for place, byte in enumerate(sample) if byte >= 0x80)
    return _by_letters(sample[max(first - 100, 0) : first + 200_000])


_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


_USUAL = ("cp1252", "not UTF-8; the usual one of Windows")
_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "iso8859_15", "shift_jis", "gb18030"]
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WESTERN = "äöüßÄÖÜéèêëàâçîïôùûœæøåÉÈÀÇÊÔŒÆØÅñÑãõáíóúÃÕÁÍÓÚìòÌÒ¿¡€£–—‘’“”„«»°"
_CENTRAL = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰöüäôľĺŕÖÜÄđĐßţşăâîŢŞĂ€–—‘’“”„«»°"
# In the order in which they win a draw: how common they are.
_LATIN = (
    (*_USUAL, _WESTERN),
    ("cp1250", "Central European letters", _CENTRAL),
    ("mac_roman", "letters as older programs on a Mac write them", _WESTERN),
)


def _by_letters(sample: bytes) -> tuple[str, str]:
    """The encoding in which the letters look most like words.

    Where words are Latin with some other letters among them, the usual letters of each encoding's languages are counted; words of
    nothing but other letters are left to the statistics of charset-normalizer.
    """
    found_words = _WORD.findall(sample)
    is_latin = 2 * sum(len(word) == 1 or re.search(rb"[A-Za-z]", word) is not None for word in found_words) >= len(
        found_words
    )
    words = b" ".join(found_words)
    foreign = sum(byte >= 0x80 for byte in words)
    found = [(_usual_letters(words, name, letters), name, evidence) for name, evidence, letters in _LATIN]
    count, encoding, said = max(found, key=lambda one: one[0])
    if is_latin and count > 0.5 * foreign:
        return encoding, said
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    return (best.encoding, "the letters make words in it") if best else _USUAL


def _usual_letters(words: bytes, encoding: str, letters: str) -> int:
    """How many letters are usual ones in this encoding's languages, capitals inside a word apart; -1 where the bytes are not this encoding."""
    try:
        text = words.decode(encoding)
    except UnicodeDecodeError:
        return -1
    return sum(
        letter in letters and not (letter.isupper() and before.islower()) for before, letter in pairwise(f" {text}")
    )


def _cut_bytes(sample: bytes) -> int:
    """How many bytes at the end of a sample may belong to a letter that goes on after it."""
    for back in range(1, min(4, len(sample)) + 1):
        byte = sample[-back]
        if byte >= 0xC0:
            return back
        if byte < 0x80:
            return 0
    return 0


def detect_separator(text: str, is_bare: bool = False) -> tuple[str, str]:
    """The separator that gives the most columns, the same number in the most rows; what Excel's line ``sep=;`` says is believed.

    Raises NotATable where none gives two columns, but for a bare list: of which that is known, or below a header that says what it is.
    """
    said = next((sign for sign in SEPARATORS if text[:5].lower() == f"sep={sign}"), "")
    best, columns, share = ",", 1, 0.0
    for separator in said or SEPARATORS:
        widths = Counter(len(row) for row in sample_rows(text, separator) if any(row))
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        agreeing = count / sum(widths.values())
        if width > 1 and (agreeing * min(width, 6), width) > (share * min(columns, 6), columns):
            best, columns, share = separator, width, agreeing
    if columns < 2 and is_bare:
        return best, "one column"
    if columns < 2 and folded(text.partition("\n")[0]) not in _BARE_LISTS:
        raise NotATable("No separator gives two columns: this does not look like a CSV or TSV file")
    return best, "the first line says so" if said else f"{columns} columns in {share:.0%} of the first rows"


_BARE_LISTS = {"email", "emailaddress", "mail", "emails", "phone", "phonenumber", "emailadresse", "adresseemail"}


def says_separator(cells: Sequence[str], separator: str) -> bool:
    """Whether a file's first record is the line ``sep=;`` by which Excel is told the separator."""
    return separator.join(cells).lower() in {f"sep={sign}" for sign in SEPARATORS}


def sample_rows(text: str, separator: str) -> Iterator[list[str]]:
    """Rows of a sample that are not blank, without the line that names the separator; the last one may be cut and is left out."""
    rows = csv.reader(islice(io.StringIO(text, newline=""), 2000), delimiter=separator)
    try:
        previous, is_first = None, True
        for row in rows:
            if previous is not None:
                yield previous
            previous = row if any(row) and not (is_first and says_separator(row, separator)) else None
            is_first = is_first and not any(row)
        if previous is not None and (text.endswith(("\n", "\r")) or rows.line_num < 2):
            yield previous
    except csv.Error:
        return


_NUMBER = re.compile(
    r"[^\d.,]{0,5}(\d{1,3}(?:([.,'’ \u00a0\u202f])\d{3})(?:\2\d{3})*|\d+)(?:([.,])\d+)?[^\d.,]{0,5}"
)  # whole part, its grouping sign, decimal sign
_DATE = re.compile(r"\s*(\d{4}|\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{1,2})(?=$|[\sT,])")


@dataclass
class Decimals:
    """What amounts tell of the decimal sign. '1,234' tells nothing: it may be grouped."""

    commas: int = 0
    points: int = 0
    example: str = ""

    def see(self, cell: str) -> None:
        found = _NUMBER.fullmatch(cell.strip()) if len(cell) <= 40 else None
        sign = _decimal_sign(*found.groups()) if found else ""
        self.commas += sign == ","
        self.points += sign == "."
        if found and sign == "," and not self.example:
            self.example = re.sub(r"[^\d.,'’]", "", found[0])[:20]  # only the number: the rest may speak of somebody

    @property
    def is_settled(self) -> bool:
        return self.commas != self.points

    @property
    def verdict(self) -> tuple[bool, str]:
        """Whether it is a comma, and what told it."""
        if self.commas > self.points:
            return True, f"such as {self.example}"
        return False, f"amounts with a point: {self.points}" if self.points else "no amount tells; the point is assumed"


def _decimal_sign(whole: str, group: str | None, sign: str | None) -> str:
    """Which sign must be the decimal one: '1,234.5' and '1,234,567' say the point, '0,123' the comma, '1,234' nothing."""
    if sign:
        return "" if sign == group else sign
    if group not in {".", ","}:
        return ""
    if whole.count(group) > 1:
        return "." if group == "," else ","
    return group if whole.startswith("0") else ""


@dataclass
class Dates:
    """What dates tell of their order; those that begin with the year are read so whatever the order of the others."""

    year_first: int = 0
    first_over: int = 0  # a day over 12 in the first place
    second_over: int = 0
    others: int = 0
    example: str = ""

    def see(self, cell: str) -> None:
        if not (found := _DATE.match(cell)):
            return
        if len(found[1]) == 4:
            self.year_first += 1
            self.example = self.example or found[0].strip()
            return
        self.others += 1
        self.first_over += 12 < int(found[1]) <= 31
        self.second_over += 12 < int(found[3]) <= 31

    @property
    def is_settled(self) -> bool:
        return self.first_over != self.second_over or bool(self.year_first and not self.others)

    def verdict(self, prefers_day: bool = True) -> tuple[DateOrder, str]:
        """What stands first, and what told it. Where no date tells, ``prefers_day`` decides and the evidence says so."""
        if not self.others:
            return DateOrder.YEAR_FIRST, f"such as {self.example}" if self.example else "no such date found"
        if self.first_over == self.second_over:
            return (DateOrder.DAY_FIRST if prefers_day else DateOrder.MONTH_FIRST), "no date tells: check this"
        order = DateOrder.DAY_FIRST if self.first_over > self.second_over else DateOrder.MONTH_FIRST
        place, against = ("first", self.second_over) if order == DateOrder.DAY_FIRST else ("second", self.first_over)
        said = f"dates with a day over 12 {place}: {max(self.first_over, self.second_over)}"
        return order, f"{said}, with one elsewhere: {against}; check this" if against else said


@dataclass
class Habits:
    """What the cells of a file tell of how its amounts and dates are written."""

    decimals: Decimals = field(default_factory=Decimals)
    dates: Dates = field(default_factory=Dates)

    def see(self, rows: Iterable[Sequence[str]]) -> "Habits":
        for row in rows:
            for cell in row:
                self.decimals.see(cell)
                self.dates.see(cell)
        return self

    @property
    def is_settled(self) -> bool:
        return self.decimals.is_settled and self.dates.is_settled


def sniff(sample: bytes, later: bytes = b"", *, is_bare: bool = False) -> tuple[Format, list[list[str]]]:
    """Encoding and separator of the file of this beginning, and its first rows. Raises EmptyFile and NotATable.

    ``later``: the first bytes further on that are not plain ASCII, where the beginning is. ``is_bare``: one column is enough.
    """
    check_is_text(sample)
    encoding, encoding_evidence = detect_encoding(sample + later)
    text = sample.decode(encoding, errors="replace").removeprefix("\ufeff")
    separator, separator_evidence = detect_separator(text, is_bare)
    evidence = {"encoding": encoding_evidence, "separator": separator_evidence}
    return Format(encoding, separator, evidence=evidence), list(sample_rows(text, separator))


def with_habits(form: Format, habits: Habits, currency: str = "") -> Format:
    """The format with what its amounts and dates tell. In doubt, a shop that counts in US dollars writes the month first."""
    comma, comma_evidence = habits.decimals.verdict
    order, order_evidence = habits.dates.verdict(prefers_day=currency != "USD")
    evidence = form.evidence | {"decimal": comma_evidence, "dates": order_evidence}
    return replace(form, decimal_comma=comma, date_order=order, evidence=evidence)


def folded(header: str) -> str:
    """A header without case, accents, spaces and signs, so that 'E-Mail ' and 'email' are the same."""
    return re.sub(r"[\W_]+", "", fold(header))


def same_headers(headers: Sequence[str], wanted: Iterable[str]) -> bool:
    """Whether all the wanted headers are there, whatever their case and signs."""
    there = {folded(header) for header in headers}
    return all(folded(name) in there for name in wanted)
