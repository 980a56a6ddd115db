"""Child processes that never outlive us, and the lock that makes us the only one on a data folder."""

import ctypes
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from regulars.foundation.errors import RegularsError

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
_LOG_LIMIT = 20_000_000  # bytes, then the log of the last runs is set aside once

_LIBC = ctypes.CDLL(None, use_errno=True)


class AlreadyRuns(RegularsError):
    """Regulars already runs in this data folder: stop it first, or set REGULARS_HOME to another folder."""

    code = "already-runs"
    status = 409


@dataclass(frozen=True)
class Service:
    """A process to keep running: its output goes to ``log/<name>.log`` in the data folder; ``environment`` None: our own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Holds the data folder's lock while it lasts; the kernel lets go of it when we die, however we die. Raises AlreadyRuns."""
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (home / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRuns(
                f"Regulars already runs in {home} (process {lock.read().strip()}): stop it first, or set REGULARS_HOME to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def end_with_parent() -> Callable[[], None]:
    """For a child between fork and exec: the kernel sends it SIGTERM once the thread that started it is gone."""
    parent = os.getpid()

    def arrange() -> None:
        ask_to_end_with(parent)

    return arrange


def ask_to_end_with(parent: int) -> None:
    """Has the kernel send SIGTERM to this process once ``parent`` is gone; ends it at once where that has happened already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        os._exit(1)


def launch(service: Service, home: Path) -> subprocess.Popen[bytes]:
    """Starts a service in a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, who ends it in order."""
    log = home / "log" / f"{service.name}.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
    with log.open("ab") as output:
        return subprocess.Popen(
            list(service.command),
            env=service.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent(),  # noqa: PLW1509  the supervisor has one thread
        )


def end_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signals a service and what it started itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
