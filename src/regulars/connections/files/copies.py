"""The staged copy of a file: sealed in frames under the import's own key, in the data folder, until it has been applied.

A frame holds 64 KB of plain bytes, is bound to its import and place, and the last one is marked, so that a copy that was cut or
whose frames were moved cannot be read as whole.
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings

from regulars.connections.files.errors import CutFile, TooLarge
from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal

FRAME = 1 << 16
_OVERHEAD = 29  # version, nonce and tag
LARGEST_FILE = 8 << 30


@dataclass(frozen=True)
class Copied:
    """What was staged: size in bytes and SHA-256 of the plain file."""

    size: int
    sha256: str


def path_of(uid: UUID) -> Path:
    return Path(settings.HOME) / "imports" / f"{uid}.sealed"


def _cell(uid: UUID, is_last: bool, frame: int) -> Cell:
    return Cell("files_import", f"{uid} {'last' if is_last else 'frame'}", frame)


def plain_pieces(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces of one frame, unpacked if it is gzip. Raises CutFile for a gzip that ends too early."""
    head = file.read(FRAME)
    whole = _Chained(head, file)
    source: BinaryIO = gzip.GzipFile(fileobj=whole) if head.startswith(b"\x1f\x8b") else whole  # type: ignore[assignment]
    try:
        while piece := source.read(FRAME):
            yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CutFile("The compressed file is damaged or cut: copy it again") from error


class _Chained(io.RawIOBase):
    """A beginning that was read already, and the rest."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        piece, self._head = (
            (self._head[:size], self._head[size:]) if size >= 0 else (self._head + self._rest.read(), b"")
        )
        return piece


def write_copy(pieces: Iterable[bytes], uid: UUID, key: bytes, largest: int = LARGEST_FILE) -> Copied:
    """Seals the pieces into the data folder. Raises TooLarge, and then (as on any failure) leaves no file."""
    path = path_of(uid)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as out:
            for number, (piece, is_last) in enumerate(_frames(pieces)):
                size += len(piece)
                if size > largest:
                    raise TooLarge(
                        f"The file is larger than {largest // (1 << 20):,} MB: split it and import the parts one after the other"
                    )
                digest.update(piece)
                out.write(seal(key, piece, _cell(uid, is_last, number)))
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Copied(size, digest.hexdigest())


def _frames(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces regrouped into full frames, and whether each is the last; an empty file has one empty frame."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) > FRAME:
            yield bytes(buffer[:FRAME]), False
            del buffer[:FRAME]
    yield bytes(buffer), True


class SealedReader(io.RawIOBase):
    """The plain bytes of a staged copy, frame by frame. Raises CannotOpen for a changed or cut copy."""

    def __init__(self, uid: UUID, key: bytes) -> None:
        self._file = path_of(uid).open("rb")
        self._uid, self._key = uid, key
        self._number = 0
        self._left = b""
        self._is_over = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._left and not self._is_over:
            self._left = self._next_frame()
        piece = self._left[: len(buffer)]
        self._left = self._left[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _next_frame(self) -> bytes:
        sealed = self._file.read(FRAME + _OVERHEAD)
        self._is_over = len(sealed) < FRAME + _OVERHEAD or self._at_end()
        if not sealed:
            raise CannotOpen("The staged copy of the file was cut: stage it again")
        plain = unseal(self._key, sealed, _cell(self._uid, self._is_over, self._number))
        self._number += 1
        return plain

    def _at_end(self) -> bool:
        here = self._file.tell()
        is_end = not self._file.read(1)
        self._file.seek(here)
        return is_end


def open_copy(uid: UUID, key: bytes) -> BinaryIO:
    """The staged copy as an ordinary binary file, read with flat memory."""
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, SealedReader(uid, key)), FRAME))


def remove_copy(uid: UUID) -> None:
    path_of(uid).unlink(missing_ok=True)
