"""Rows of a file as a stream: nothing is ever held but the rows of one unit. Pure but for the file that it is given."""

import csv
import hashlib
import io
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import BinaryIO

from regulars.connections.files.errors import CutFile, EmptyFile, NotATable, Scattered, TooLarge
from regulars.connections.files.sniff import Format, says_separator

LARGEST_CELL = 1 << 20
LARGEST_LINE = 4 << 20
MOST_COLUMNS = 2_000
MOST_HELD = 200_000  # rows of unfinished orders that may be in memory at once

csv.field_size_limit(LARGEST_CELL)


@dataclass
class Row:
    """One record: the number of its first line in the file (the header is line 1) and its cells."""

    line: int
    cells: list[str]


@dataclass
class Unit:
    """The rows that make one order, product or person."""

    key: str
    rows: list[Row]


def read_rows(file: BinaryIO, form: Format) -> Iterator[Row]:
    """The header and then every record that is not blank, without Excel's line ``sep=;``. Raises NotATable for what is
    no text or no CSV, CutFile for an open quote.
    """
    text = io.TextIOWrapper(file, encoding=form.encoding, errors="strict", newline="")
    reader = csv.reader(_lines(text), delimiter=form.separator, strict=True)
    line, is_first = 1, True
    try:
        for cells in reader:
            if any(cells):
                if not (is_first and says_separator(cells, form.separator)):
                    yield Row(line, cells)
                is_first = False
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise _decode_refusal(error, reader.line_num + 1, form.encoding) from error
    except csv.Error as error:
        raise _csv_refusal(error, line) from error
    finally:
        if not file.closed:
            text.detach()  # the file is the caller's to close


def data_rows(file: BinaryIO, form: Format) -> Iterator[Row]:
    """The records below the header, or all where there is none. Raises as ``read_rows``."""
    return islice(read_rows(file, form), int(form.has_header), None)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines of the file, never more of one than may be held in memory."""
    while line := text.readline(LARGEST_LINE):
        if len(line) == LARGEST_LINE:
            raise NotATable(
                f"A line is longer than {LARGEST_LINE >> 20} million letters: this does not look like an export"
            )
        yield line


def _decode_refusal(error: UnicodeDecodeError, line: int, encoding: str) -> CutFile | NotATable:
    """``line`` is that in which the piece of the file began whose letters could not be read."""
    before = error.object[: error.start].decode(encoding.removesuffix("-sig"), errors="replace")
    line += max(before.count("\n"), before.count("\r"))
    if "unexpected end" in error.reason or "truncated" in error.reason:
        return CutFile(f"The file ends in the middle of a letter, in line {line}: it was cut, so export it again")
    return NotATable(
        f"Line {line} holds bytes that are not {encoding}: choose another encoding or save the file as UTF-8"
    )


def _csv_refusal(error: csv.Error, line: int) -> CutFile | NotATable:
    reason = str(error)
    if "unexpected end" in reason:
        return CutFile(
            f"The file ends inside a quoted cell that begins in line {line}: it was cut, or a quote is missing"
        )
    if "field limit" in reason:
        return NotATable(
            f"A cell that begins in line {line} is larger than {LARGEST_CELL // 1024} KB: a quote is probably missing"
        )
    return NotATable(f"Line {line} is not CSV: {reason}")


@dataclass(frozen=True)
class Checked:
    """What a look at the whole file found. ``pieces``: for units whose rows stand apart, how many runs of rows each has."""

    header: list[str]
    row_count: int
    unit_count: int
    pieces: dict[bytes, int] = field(default_factory=dict)


def key_hash(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()


def check_whole(file: BinaryIO, form: Format, key_column: int | None, largest_rows: int = 50_000_000) -> Checked:
    """Reads every record once. Raises EmptyFile, CutFile, NotATable, TooLarge and Scattered."""
    tail = _Tail(file)
    rows = read_rows(tail, form)  # type: ignore[arg-type]
    header = next(rows, Row(1, [])).cells if form.has_header else []
    if len(header) > MOST_COLUMNS:
        raise NotATable(f"The file has {len(header):,} columns: this does not look like an export")
    runs = _Runs()
    count = 0
    last: Row | None = None
    for last in rows:
        count += 1
        if "\0" in "".join(last.cells):
            raise NotATable(f"Line {last.line} holds a zero byte: this is not a text file, or it was damaged")
        if key_column is not None:
            runs.add(last.cells[key_column].strip() if key_column < len(last.cells) else "")
    if last is None:
        raise EmptyFile("The file holds a header and no row below it" if header else "The file is empty")
    if len(last.cells) < len(header) and not tail.ends_with_line_break(form.encoding):
        raise CutFile(
            f"The last record, in line {last.line}, has {len(last.cells)} of {len(header)} columns: the file was cut, so export it again"
        )
    if count > largest_rows:
        raise TooLarge
    pieces = runs.pieces()
    return Checked(
        header, count, runs.count - sum(n - 1 for n in pieces.values()) if key_column is not None else count, pieces
    )


class _Tail(io.RawIOBase):
    """A file that remembers the last bytes read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._last = (self._last + piece[-4:])[-4:]
        return len(piece)

    def ends_with_line_break(self, encoding: str) -> bool:
        return (
            self._last.decode(encoding.removesuffix("-sig"), errors="ignore").endswith(("\n", "\r"))
            or self._last.strip(b"\0")[-1:] in b"\r\n"
        )


class _Runs:
    """Where runs of equal keys begin: eight bytes and a length for each, so that a large file needs little memory."""

    def __init__(self) -> None:
        self.count = 0
        self._hashes = array("Q")
        self._lengths = array("L")
        self._key: str | None = None

    def add(self, key: str) -> None:
        if key != self._key or not key:
            self._key = key
            self.count += 1
            self._hashes.append(int.from_bytes(key_hash(key)) if key else (1 << 63) + self.count)
            self._lengths.append(0)
        self._lengths[-1] += 1

    def pieces(self) -> dict[bytes, int]:
        """Runs of each key that has more than one. Raises Scattered where too many rows would have to be held."""
        ordered = sorted(self._hashes) if self.count > 1 else []
        twice = {one for one, next_one in pairwise(ordered) if one == next_one}
        if not twice:
            return {}
        total = dict.fromkeys(twice, 0)
        for value in self._hashes:
            if value in twice:
                total[value] += 1
        self._check_held(dict(total))
        return {value.to_bytes(8): runs for value, runs in total.items()}

    def _check_held(self, left: dict[int, int]) -> None:
        held: dict[int, int] = {}
        now = 0
        for value, length in zip(self._hashes, self._lengths, strict=True):
            if value not in left:
                continue
            left[value] -= 1
            held[value] = held.get(value, 0) + length
            now += length
            if now > MOST_HELD:
                raise Scattered
            if not left[value]:
                now -= held.pop(value)


def units(rows: Iterable[Row], key_column: int | None, pieces: dict[bytes, int]) -> Iterator[Unit]:
    """Rows by their key, a unit as soon as its last row has come; without a key column each row is a unit of its own.

    Rows without a key are units of their own. The order depends on the file alone, so that an import can be continued by counting.
    """
    if key_column is None:
        yield from (Unit("", [row]) for row in rows)
        return
    left = dict(pieces)
    held: dict[bytes, list[Row]] = {}
    for run in _runs(rows, key_column):
        name = key_hash(run.key) if left else b""
        if not run.key or name not in left:
            yield run
            continue
        left[name] -= 1
        held.setdefault(name, []).extend(run.rows)
        if not left[name]:
            yield Unit(run.key, held.pop(name))


def _runs(rows: Iterable[Row], key_column: int) -> Iterator[Unit]:
    run: Unit | None = None
    for row in rows:
        key = row.cells[key_column].strip() if key_column < len(row.cells) else ""
        if run is not None and key and run.key == key:
            run.rows.append(row)
            continue
        if run is not None:
            yield run
        run = Unit(key, [row])
    if run is not None:
        yield run
