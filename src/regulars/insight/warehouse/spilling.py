"""Where large questions write what does not fit into memory: a part of the data folder for each process."""

import os
import shutil
import socket
from pathlib import Path

from django.conf import settings


def spill_folder(pid: int) -> Path:
    """What processes that died left there is removed."""
    place: Path = settings.HOME / "spill"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    host = socket.gethostname()
    for left in place.glob(f"{host}-*"):
        if not _is_alive(int(left.name.rpartition("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    return place / f"{host}-{pid}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
