"""Files from outside: in frames, each sealed and bound to its file and its place, the last one marked, so that a file which was cut, or
whose frames were moved, cannot be read as whole."""

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.prepared import run
from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal

FRAME = 1 << 18  # plain bytes
_STORE = """
INSERT INTO inbox_frame (file, number, received_at, is_last, body) VALUES (%(file)s, %(number)s, %(at)s, %(is_last)s, %(body)s)
"""
_FIND = "SELECT is_last, body FROM inbox_frame WHERE file = %s AND number = %s AND received_at = %s"


class FrameWriter:
    """Stores a file as it comes, under a key of whoever takes it in. Each frame is committed by itself, or joins the caller's transaction.

    The file is taken in once its key is stored: until then nobody can read what lies here, and ``forget_files`` removes it. While the
    database is away or full, writing raises OperationalError, which is answered with 503.
    """

    def __init__(self, file: UUID, key: bytes, at: datetime) -> None:
        self._file, self._key, self._at = file, key, at
        self._buffer = bytearray()
        self._number = 0

    def write(self, plain: bytes) -> None:
        self._buffer += plain
        while len(self._buffer) > FRAME:
            self._store(is_last=False)

    def finish(self) -> None:
        self._store(is_last=True)

    def _store(self, *, is_last: bool) -> None:
        plain = bytes(self._buffer[:FRAME])
        del self._buffer[:FRAME]
        body = seal(self._key, plain, _cell(self._file, self._number, is_last))
        row = {"file": self._file, "number": self._number, "at": self._at, "is_last": is_last, "body": body}
        run(_STORE, row)
        self._number += 1


def came_at(file: UUID) -> datetime | None:
    """When it came; None for one of which nothing is kept."""
    found = fetch("SELECT received_at FROM inbox_frame WHERE file = %s AND number = 0", [file])
    return found[0][0] if found else None


def list_files() -> dict[UUID, datetime]:
    """All files that are kept, also those that are still coming, with when they came."""
    return dict(fetch("SELECT file, received_at FROM inbox_frame WHERE number = 0", []))


def read_frames(file: UUID, came: datetime, key: bytes) -> Iterator[bytes]:
    """The plain file, frame by frame, one statement each: whoever reads slowly holds up nobody. Raises CannotOpen where it is not whole."""
    is_last, number = False, 0
    while not is_last:
        found = fetch(_FIND, [file, number, came])
        if not found:
            raise CannotOpen("A part of this file is no longer kept: hand it in again")
        is_last, body = found[0]
        yield unseal(key, bytes(body), _cell(file, number, is_last))
        number += 1


def forget_files(files: Collection[UUID]) -> None:
    execute("DELETE FROM inbox_frame WHERE file = ANY(%s)", [list(files)])


def _cell(file: UUID, number: int, is_last: bool) -> Cell:
    return Cell("inbox_frame", f"{file} {'last' if is_last else 'frame'}", number)
