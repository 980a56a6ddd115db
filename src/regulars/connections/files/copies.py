"""The staged copy of a file: sealed in frames under the import's own key, in the data folder, until it has been applied.

A frame holds 64 KB of plain bytes, is bound to its import and place, and the last one is marked, so that a copy that was cut or
whose frames were moved cannot be read as whole.
"""

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

from regulars.connections.files.errors import CopyGone, CutFile, TooLarge
from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal

FRAME = 1 << 16
_GZIP = b"\x1f\x8b"
_OVERHEAD = 29  # version, nonce and tag
LARGEST_FILE = 8 << 30


@dataclass(frozen=True)
class Copied:
    """What was staged: size in bytes and SHA-256 of the plain file."""

    size: int
    sha256: str


def path_of(uid: UUID) -> Path:
    return Path(settings.HOME) / "imports" / f"{uid}.sealed"


def list_copies() -> list[Path]:
    return sorted((Path(settings.HOME) / "imports").glob("*.sealed"))


def _cell(uid: UUID, is_last: bool, frame: int) -> Cell:
    return Cell("files_import", f"{uid} {'last' if is_last else 'frame'}", frame)


def plain_pieces(file: BinaryIO) -> Iterator[bytes]:
    """The file as it is, in pieces of one frame."""
    while piece := file.read(FRAME):
        yield piece


class CopyWriter:
    """Seals a file into the data folder piece by piece as it comes, unpacked if it is gzip.

    ``finish`` makes it whole. Raises TooLarge (for what is in the file, so that a small archive cannot fill the disk) and CutFile;
    whoever writes calls ``abandon`` on any failure, and then no file is left.
    """

    def __init__(self, uid: UUID, key: bytes, largest: int = LARGEST_FILE) -> None:
        self._uid, self._key, self._largest = uid, key, largest
        self._path = path_of(uid)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._out = self._path.open("xb")
        self._digest = hashlib.sha256()
        self._size = self._number = 0
        self._buffer = bytearray()
        self._unpacker: zlib._Decompress | None = None
        self._is_first = True

    def write(self, piece: bytes) -> None:
        if self._is_first and piece:
            self._unpacker = zlib.decompressobj(wbits=31) if piece.startswith(_GZIP) else None
            self._is_first = False
        for plain in self._unpacked(piece):
            self._take(plain)

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            yield piece
            return
        try:
            while piece:
                yield self._unpacker.decompress(piece, 16 * FRAME)
                piece = self._unpacker.unconsumed_tail
                if self._unpacker.eof and (
                    rest := self._unpacker.unused_data
                ):  # gzip files may stand one after the other
                    self._unpacker, piece = zlib.decompressobj(wbits=31), rest
        except zlib.error as error:
            raise CutFile("The compressed file is damaged: copy it again") from error

    def _take(self, plain: bytes) -> None:
        self._size += len(plain)
        if self._size > self._largest:
            raise TooLarge(
                f"The file is larger than {max(self._largest >> 20, 1):,} MB: split it and import the parts one after the other"
            )
        self._digest.update(plain)
        self._buffer += plain
        while len(self._buffer) > FRAME:
            self._seal(bytes(self._buffer[:FRAME]), is_last=False)
            del self._buffer[:FRAME]

    def _seal(self, plain: bytes, is_last: bool) -> None:
        self._out.write(seal(self._key, plain, _cell(self._uid, is_last, self._number)))
        self._number += 1

    def finish(self) -> Copied:
        if self._unpacker is not None and not self._unpacker.eof:
            raise CutFile("The compressed file ends too early: it was cut, so copy it again")
        self._seal(bytes(self._buffer), is_last=True)
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        return Copied(self._size, self._digest.hexdigest())

    def abandon(self) -> None:
        self._out.close()
        self._path.unlink(missing_ok=True)


def write_copy(pieces: Iterable[bytes], uid: UUID, key: bytes, largest: int = LARGEST_FILE) -> Copied:
    """Seals all pieces; see CopyWriter. On any failure no file is left."""
    writer = CopyWriter(uid, key, largest)
    try:
        for piece in pieces:
            writer.write(piece)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


class SealedReader(io.RawIOBase):
    """The plain bytes of a staged copy, frame by frame. Raises CopyGone, and CannotOpen for a changed or cut copy."""

    def __init__(self, uid: UUID, key: bytes) -> None:
        try:
            self._file = path_of(uid).open("rb")
        except FileNotFoundError as error:
            raise CopyGone from error
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
