"""The product's own processes beside a bench: web and workers, with what they cost."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from django.db import connection

_PATIENCE = 60.0


@dataclass(frozen=True)
class Running:
    """A web server and workers of this process's database and data folder."""

    address: str
    processes: dict[str, psutil.Process]

    def cpu(self, name: str) -> float:
        """Seconds of processor that the processes of this name and what they started have taken; 'postgresql' is the whole server."""
        mains = [process for key, process in self.processes.items() if key.startswith(name)]
        every = [one for main in mains for one in (main, *main.children(recursive=True))]
        return sum(_seconds(one) for one in every) + sum(_of_ended(main) for main in mains)

    def megabytes(self, name: str) -> float:
        mains = [process for key, process in self.processes.items() if key.startswith(name)]
        return (
            float(sum(one.memory_info().rss for main in mains for one in (main, *main.children(recursive=True))))
            / 2**20
        )


@contextmanager
def running(
    workers: int, loops: Sequence[str] = ("inbox.read", "inbox.few"), *, has_web: bool = True
) -> Iterator[Running]:
    """Starts them and waits until they answer; ends them with the block. ``loops``: what workers do; all of it where none is named."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    own = {
        "PORT": port,
        "REGULARS_BIND": "127.0.0.1",
        "REGULARS_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "REGULARS_LOG_LEVEL": "ERROR",
    }
    with ExitStack() as stack:
        processes = {"web": stack.enter_context(_started(["serve"], own))} if has_web else {}
        for number in range(workers):
            processes[f"worker {number}"] = stack.enter_context(
                _started(["worker", *(word for loop in loops for word in ("--only", loop))], own)
            )
        if has_web:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
        server = psutil.Process(connection.connection.info.backend_pid).parent()
        yield Running(f"http://127.0.0.1:{port}", processes | ({"postgresql": server} if server else {}))


@contextmanager
def _started(arguments: Sequence[str], changes: dict[str, str]) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "regulars", *arguments]
    process = subprocess.Popen(command, env=dict(os.environ) | changes, stdout=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with urlopen(address) as answer:  # noqa: S310  our own
                if answer.status == 200:
                    return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError("the web server does not answer")


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _of_ended(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)
