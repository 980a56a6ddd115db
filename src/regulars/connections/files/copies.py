"""The staged copy of a file: in the inbox, in frames sealed under the import's own key, until it has been applied."""

import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

from regulars.connections.files.errors import CopyGone, CutFile, TooLarge
from regulars.foundation.inbox.frames import FRAME, FrameWriter, came_at, forget_files, read_frames

_GZIP = b"\x1f\x8b"
_MOST_UNPACKED = 1 << 20  # bytes at once
LARGEST_FILE = 8 << 30


@dataclass(frozen=True)
class Copied:
    """What was staged: size in bytes and SHA-256 of the plain file."""

    size: int
    sha256: str


def plain_pieces(file: BinaryIO) -> Iterator[bytes]:
    """The file as it is, in pieces of one frame."""
    while piece := file.read(FRAME):
        yield piece


class CopyWriter:
    """Stores a file under seal piece by piece as it comes, unpacked if it is gzip.

    ``finish`` makes it whole. Raises TooLarge (for what is in the file, so that a small archive cannot fill the disk), CutFile, and
    OperationalError while the database is away or full; on any failure ``remove_copy`` is to be called.
    """

    def __init__(self, uid: UUID, key: bytes, at: datetime, largest: int = LARGEST_FILE) -> None:
        self._frames = FrameWriter(uid, key, at)
        self._largest = largest
        self._digest = hashlib.sha256()
        self._size = 0
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
                yield self._unpacker.decompress(piece, _MOST_UNPACKED)
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
        self._frames.write(plain)

    def finish(self) -> Copied:
        if self._unpacker is not None and not self._unpacker.eof:
            raise CutFile("The compressed file ends too early: it was cut, so copy it again")
        self._frames.finish()
        return Copied(self._size, self._digest.hexdigest())


def write_copy(pieces: Iterable[bytes], uid: UUID, key: bytes, at: datetime, largest: int = LARGEST_FILE) -> Copied:
    """Stores all pieces; see CopyWriter."""
    writer = CopyWriter(uid, key, at, largest)
    for piece in pieces:
        writer.write(piece)
    return writer.finish()


class _Joined(io.RawIOBase):
    """Pieces as one file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._left = self._left or next(self._pieces, b"")
        piece = self._left[: len(buffer)]
        self._left = self._left[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def open_copy(uid: UUID, key: bytes) -> BinaryIO:
    """The staged copy as an ordinary binary file, read with flat memory. Raises CopyGone; a changed or cut one raises CannotOpen when read."""
    came = came_at(uid)
    if came is None:
        raise CopyGone
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, _Joined(read_frames(uid, came, key))), FRAME))


def has_copy(uid: UUID) -> bool:
    return came_at(uid) is not None


def remove_copy(uid: UUID) -> None:
    forget_files([uid])
