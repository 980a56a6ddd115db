"""Supervisors as processes of their own, with small services that only sleep, end or refuse to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from regulars.foundation.supervisor.processes import AlreadyRuns, only_one

SUPERVISOR = """
import sys
from pathlib import Path
from regulars.foundation.supervisor.processes import Service
from regulars.foundation.supervisor.supervisor import supervise

home = Path(sys.argv[1])
with supervise(home, None) as supervisor:
    for number, program in enumerate(sys.argv[2:]):
        supervisor.keep(Service(f"s{number}", [sys.executable, "-c", program]))
    print("ready", flush=True)
    supervisor.wait()
"""
SLEEPS = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
HAS_A_CHILD = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(60)"


def until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def pids(home: Path, name: str) -> list[int]:
    log = home / "log" / f"{name}.log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []

    def start(*programs: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", SUPERVISOR, str(tmp_path), *programs]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"], number: signal.Signals
) -> None:
    supervisor = start(SLEEPS, HAS_A_CHILD)
    assert until(lambda: len(pids(tmp_path, "s0")) == 1 and len(pids(tmp_path, "s1")) == 2)
    began = time.monotonic()
    supervisor.send_signal(number)
    assert supervisor.wait(10) == 0
    assert time.monotonic() - began < 5
    assert not any(lives(pid) for name in ("s0", "s1") for pid in pids(tmp_path, name))


def test_what_dies_is_started_again_after_a_pause(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    start(SLEEPS)
    assert until(lambda: len(pids(tmp_path, "s0")) == 1)
    first = pids(tmp_path, "s0")[0]
    os.kill(first, signal.SIGKILL)
    assert until(lambda: len(pids(tmp_path, "s0")) == 2)
    second = pids(tmp_path, "s0")[1]
    assert second != first
    assert lives(second)


def test_a_killed_supervisor_leaves_nothing_running(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    supervisor = start(SLEEPS, SLEEPS)
    assert until(lambda: len(pids(tmp_path, "s0")) == 1 and len(pids(tmp_path, "s1")) == 1)
    supervisor.kill()
    supervisor.wait()
    assert until(lambda: not any(lives(pid) for name in ("s0", "s1") for pid in pids(tmp_path, name)))


def test_a_second_supervisor_is_refused_with_one_sentence(
    tmp_path: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    first = start(SLEEPS)
    with (
        pytest.raises(AlreadyRuns, match=rf"already runs in {tmp_path} \(process {first.pid}\): stop it first"),
        only_one(tmp_path),
    ):
        pass
    assert first.poll() is None
    first.kill()
    first.wait()
    with only_one(tmp_path):  # a killed one leaves no lock behind
        pass
