"""What the figures were measured on: without it a figure says nothing."""

import os
import platform
from pathlib import Path

import psutil

from regulars.foundation.embedded.server import EmbeddedServer

_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "work_mem",
    "max_wal_size",
)


def describe_machine() -> dict[str, str]:
    """Processor, cores, memory, system and Python, as words."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def describe_server(server: EmbeddedServer) -> dict[str, str]:
    """The settings of PostgreSQL that the figures depend on."""
    with server.connect() as connection:
        return {name: connection.execute(f"SHOW {name}").fetchall()[0][0] for name in _SETTINGS}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
