"""Where the embedded server lives under a data folder. Pure paths: no process, no Django."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 107  # bytes, sun_path of Linux less the terminating NUL
_LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class EmbeddedPlace:
    """Folders and files of one embedded server."""

    data: Path
    socket_folder: Path
    log: Path

    @classmethod
    def under(cls, home: Path) -> "EmbeddedPlace":
        """The place that belongs to a data folder; the socket moves to a short path where the folder's is too long."""
        near = home / "socket"
        if len(bytes(near)) + _LONGEST_SOCKET_NAME > SOCKET_PATH_LIMIT:
            name = hashlib.sha256(bytes(home)).hexdigest()[:16]
            near = Path(tempfile.gettempdir()) / f"regulars-{name}"
        return cls(data=home / "postgres", socket_folder=near, log=home / "log" / "postgres.log")
