"""A worker that can be killed a hundred times a minute: a parent with everything loaded forks the process that works.

``python -m chaos.worker BEGAN [MODULE]`` reads commands on its standard input, a line each: ``spawn [CRASH_AT]`` forks a worker, which
does the module's ``work`` (``chaos.working`` without one), and answers ``pid``; when a worker has ended, it says ``ended PID STATUS``
(minus the signal, or the exit code).
"""

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import django


def main() -> None:
    django.setup()
    began, work = float(sys.argv[1]), import_module(sys.argv[2] if len(sys.argv) > 2 else "chaos.working").work
    buffer = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        if ready:
            piece = os.read(0, 4096)
            if not piece:
                return
            buffer += piece
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                _spawn(line.decode().split(), began, work)
        _reap()


def _spawn(words: Sequence[str], began: float, work: Callable[[str, float], None]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            os.close(0)
            work(words[1] if len(words) > 1 else "", began)
        finally:
            os._exit(1)
    _say(f"pid {pid}")


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
