"""Hands on the workers: starting, killing, stopping them, and hearing how they ended."""

import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Workers:
    """Processes that a forking parent starts for us. Everything that it starts is ended when the block is left."""

    began: float
    working: str = "chaos.working"  # the module whose ``work`` they do
    process: subprocess.Popen[bytes] = field(init=False)
    alive: set[int] = field(default_factory=set)
    ended: dict[int, int] = field(default_factory=dict)
    _buffer: bytes = b""

    def __enter__(self) -> "Workers":
        command = [sys.executable, "-m", "chaos.worker", str(self.began), self.working]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *exc: object) -> None:
        for pid in list(self.alive):
            self._signal(pid, signal.SIGKILL)
        if self.process.stdin:
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def spawn(self, crash_at: str = "") -> int:
        """Process id of a new worker."""
        before = set(self.alive) | set(self.ended)
        assert self.process.stdin is not None  # noqa: S101  opened above
        self.process.stdin.write(f"spawn {crash_at}\n".encode())
        self.process.stdin.flush()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            self.listen(0.05)
            if fresh := (set(self.alive) | set(self.ended)) - before:
                return fresh.pop()
        raise RuntimeError("the parent of the workers does not answer")

    def kill(self, pid: int) -> None:
        self._signal(pid, signal.SIGKILL)
        self.wait_for(pid, 10)

    def go_on(self, pid: int) -> None:
        self._signal(pid, signal.SIGCONT)

    def wait_for(self, pid: int, seconds: float) -> int | None:
        """How a worker ended; None while it lives."""
        until = time.monotonic() + seconds
        while pid not in self.ended and time.monotonic() < until:
            self.listen(0.02)
        return self.ended.get(pid)

    def is_stopped(self, pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
                return file.read().rpartition(")")[2].split()[0] == "T"
        except FileNotFoundError:
            return False

    def listen(self, seconds: float) -> None:
        """Reads what the parent says for at most so long."""
        assert self.process.stdout is not None  # noqa: S101  opened above
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            return
        self._buffer += os.read(self.process.stdout.fileno(), 4096)
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            match line.decode().split():
                case ["pid", pid]:
                    self.alive.add(int(pid))
                case ["ended", pid, status]:
                    self.alive.discard(int(pid))
                    self.ended[int(pid)] = int(status)

    def _signal(self, pid: int, number: int) -> None:
        if pid in self.alive:  # ours, and not reaped: its number cannot have been given to anybody else
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                self.alive.discard(pid)
