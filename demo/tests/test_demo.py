"""The demo as a person starts it: one command, a mail in the catcher, Ctrl-C, and nothing left running."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from demo.place import Place, PortTaken, find_place, free_port

pytestmark = pytest.mark.slow
_ROOT = Path(__file__).parents[2]
_PATIENCE = 600  # seconds: at a load of ten on two processors 240 were not enough for its migrations and the rest


@contextmanager
def _running(home: Path, port: int) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A demo on a slice of the shop, and what it said up to its greeting."""
    outer = {
        name: value for name, value in os.environ.items() if not name.startswith(("REGULARS_", "DJANGO_", "DATABASE_"))
    }
    environment = outer | {"REGULARS_HOME": str(home), "PORT": str(port), "PYTHONPATH": str(_ROOT / "src")}
    command = [sys.executable, "-m", "demo", "--lines", "3000"]
    process = subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process, _said(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _said(process: "subprocess.Popen[str]") -> str:
    lines: list[str] = []
    until = time.monotonic() + _PATIENCE
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C stops everything" in line:
            return "".join(lines)
        assert time.monotonic() < until, "".join(lines)
    raise AssertionError("the demo ended by itself:\n" + "".join(lines))


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def _left_running(home: Path) -> list[str]:
    """Processes that were started for this data folder, the server's included."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get("REGULARS_HOME") == str(home) or Path(process.cwd()).is_relative_to(home)
        except (psutil.Error, OSError):
            continue
        if belongs and process.pid != os.getpid():
            found.append(" ".join(process.cmdline()))
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder that the server's account can reach where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="regulars-demo-")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_one_command_starts_it_and_ctrl_c_ends_it(home: Path) -> None:
    port = free_port(())
    with _running(home, port) as (process, said):
        assert "Sign in" in _get(f"http://127.0.0.1:{port}/sign-in")
        password = re.search(r"Password +(\S{12,})", said)
        caught = re.search(r"Caught mail +http://localhost:(\d+)", said)
        assert password
        assert caught
        mails = re.findall(r"<td>([^<]+\.example)[^<]*</td>", _get(f"http://127.0.0.1:{caught[1]}/"))
        assert mails
        assert (home / "demo" / "password").stat().st_mode & 0o777 == 0o600

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert _left_running(home) == []

    with _running(home, port) as (process, again):
        assert "Playing" not in again
        assert re.search(r"Password +(\S+)", again).group(1) == password[1]  # type: ignore[union-attr]
        assert re.findall(r"<td>([^<]+\.example)[^<]*</td>", _get(_catcher(again))) == mails
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert _left_running(home) == []


def _catcher(said: str) -> str:
    found = re.search(r"Caught mail +http://localhost(:\d+)", said)
    assert found
    return f"http://127.0.0.1{found[1]}/"


def test_two_demos_side_by_side_take_other_ports() -> None:
    first = find_place({})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.port))
        taken.listen()
        second = find_place({})

    assert second.port != first.port
    assert len({first.port, first.smtp_port, first.catcher_port, first.shop_port}) == 4


def test_a_port_that_is_taken_is_refused_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}: set PORT"):
            find_place({"PORT": str(port)})
    with pytest.raises(PortTaken, match="a number from 1 to 65535"):
        find_place({"PORT": "web"})


def test_mail_goes_nowhere_else_whatever_the_caller_says() -> None:
    place = Place(Path("/data"), 8000, 1025, 8025, 8125)
    outer = {"EMAIL_URL": "smtp://real.example:25", "REGULARS_RECIPIENTS": "*", "PORT": "8000", "OTHER": "kept"}
    environment = place.environment(outer)

    assert environment["EMAIL_URL"] == "smtp://127.0.0.1:1025"
    assert environment["REGULARS_RECIPIENTS"] == "*.example"
    assert environment["OTHER"] == "kept"
