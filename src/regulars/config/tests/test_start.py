"""``regulars start`` as its user has it: one command, then killed piece by piece."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.database import lay_migrated

COMMAND = [sys.executable, "-m", "regulars"]


def until(holds: Callable[[], bool], seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return holds()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def processes_of(home: Path) -> dict[int, str]:
    """What works for a data folder: by its environment, or (the database) by where it stands."""
    found = {}
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("REGULARS_HOME") == str(home) or process.cwd() == str(home / "postgres")
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())
        except psutil.Error:
            continue
    return found


def pid_of(home: Path, word: str) -> int:
    return min((pid for pid, command in processes_of(home).items() if word in command), default=0)


def has_come_back(home: Path, word: str, killed: int) -> bool:
    return pid_of(home, word) not in {0, killed}


@pytest.fixture
def home() -> Iterator[Path]:
    """One that has been started before; from nothing the demo's test begins."""
    with tempfile.TemporaryDirectory(prefix="regulars-s-") as folder:
        Path(folder).chmod(0o711)
        lay_migrated(Path(folder))
        yield Path(folder)


class Installation:
    """``regulars`` on a data folder and port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = str(free_port())
        self.address = f"http://127.0.0.1:{self.port}"
        changes = {"REGULARS_HOME": str(home), "PORT": self.port, "DJANGO_SETTINGS_MODULE": "regulars.config.settings"}
        self.environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | changes

    def start(self) -> "subprocess.Popen[str]":
        """``regulars start``, once it is ready."""
        process = subprocess.Popen([*COMMAND, "start"], env=self.environment, stdout=subprocess.PIPE, text=True)
        assert until(lambda: self.is_ready() or process.poll() is not None)
        assert process.poll() is None
        return process

    def is_ready(self) -> bool:
        return status(f"{self.address}/readyz") == 200


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    yield Installation(home)
    for pid, command in processes_of(home).items():
        if "regulars start" in command:
            os.kill(pid, signal.SIGKILL)
    assert until(lambda: not processes_of(home))


@pytest.mark.slow
def test_start_keeps_everything_alive_and_a_kill_leaves_nothing_behind(installation: Installation) -> None:
    home = installation.home
    supervisor = installation.start()
    assert {"web.log", "worker.log", "postgres.log"} <= {path.name for path in (home / "log").iterdir()}

    for word in ("regulars serve", "bin/postgres -D"):
        killed = pid_of(home, word)
        assert killed
        os.kill(killed, signal.SIGKILL)
        assert until(partial(has_come_back, home, word, killed)), word
        assert until(installation.is_ready), word

    assert pid_of(home, "regulars worker")
    supervisor.kill()
    printed, _ = supervisor.communicate()
    assert printed == f"Regulars runs at {installation.address} (data in {home}; Ctrl-C ends it)\n"
    assert until(lambda: not processes_of(home)), processes_of(home)
