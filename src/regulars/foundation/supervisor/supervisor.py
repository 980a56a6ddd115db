"""One process owns the embedded server, web and worker: starts them, restarts what dies, and ends them all with itself."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from regulars.foundation.embedded.errors import EmbeddedFailure
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.foundation.supervisor.processes import Service, end_group, end_with_parent, launch, only_one

_GRACE_SECONDS = 25.0  # a little more than a worker takes to end in order
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before a service is started again
_STEADY_SECONDS = 60.0  # a service that ran so long begins with the first pause again
_POLL_SECONDS = 0.2


@dataclass
class _Kept:
    service: Service
    process: subprocess.Popen[bytes]
    started: float
    pause: float = _FIRST_PAUSE
    again_at: float | None = None


class Supervisor:
    """Use through ``supervise``, which ends everything at its exit."""

    def __init__(self, home: Path, server: EmbeddedServer | None) -> None:
        self.home = home
        self.server = server
        self._kept: list[_Kept] = []

    def keep(self, service: Service) -> None:
        """Starts a service and keeps it running while ``wait`` waits."""
        self._kept.append(_Kept(service, launch(service, self.home), time.monotonic()))

    def run(self, service: Service) -> int:
        """Runs a command to its end with our own output, as a child that ends with us; its exit code."""
        return subprocess.call(list(service.command), env=service.environment, preexec_fn=end_with_parent())

    def wait(self) -> None:
        """Looks after the services until SIGINT, SIGTERM or SIGHUP."""
        try:
            while True:
                self.look_after()
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            return

    def look_after(self) -> None:
        """One look: starts again what has died, each after its own growing pause."""
        self._look_after_server()
        for kept in self._kept:
            if kept.process.poll() is not None:
                self._start_again(kept)

    def stop(self) -> None:
        """Asks every service to end, and ends by force what does not."""
        for kept in self._kept:
            end_group(kept.process, signal.SIGTERM)
        until = time.monotonic() + _GRACE_SECONDS
        for kept in self._kept:
            try:
                kept.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _say(f"{kept.service.name} did not end in time and is ended by force")
            end_group(kept.process, signal.SIGKILL)
            kept.process.wait()
        self._kept.clear()

    def _look_after_server(self) -> None:
        if self.server is None or self.server.find_postmaster() is not None:
            return
        _say("the embedded database has ended and is started again")
        try:
            self.server.start()
        except EmbeddedFailure as error:
            _say(error.sentence)

    def _start_again(self, kept: _Kept) -> None:
        at = time.monotonic()
        if kept.again_at is None:
            kept.pause = _FIRST_PAUSE if at - kept.started > _STEADY_SECONDS else min(kept.pause * 2, _LONGEST_PAUSE)
            kept.again_at = at + kept.pause
            end_group(kept.process, signal.SIGKILL)  # what it left behind would hold its port
            _say(
                f"{kept.service.name} ended with code {kept.process.returncode} and is started again in {kept.pause:.0f} s"
            )
        elif at >= kept.again_at:
            kept.process, kept.started, kept.again_at = launch(kept.service, self.home), at, None


@contextmanager
def supervise(home: Path, server: EmbeddedServer | None) -> Iterator[Supervisor]:
    """The only supervisor of a data folder, its embedded server running; at the exit everything is ended.

    SIGTERM and SIGHUP act as Ctrl-C does: KeyboardInterrupt, where the caller stands. Raises AlreadyRuns and EmbeddedFailure.
    """
    with ExitStack() as stack:
        stack.enter_context(only_one(home))
        stack.enter_context(_signals_interrupt())
        if server is not None:
            server.start()
            stack.enter_context(server.guarded())
        supervisor = Supervisor(home, server)
        stack.callback(supervisor.stop)
        stack.callback(_ignore_signals)  # first at the exit: a second Ctrl-C must not leave things half ended
        yield supervisor


def wait_for_http(url: str, seconds: float) -> bool:
    """Asks an address until it answers 200; False when it has not within the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own address
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201  the supervisor's own voice in the terminal
