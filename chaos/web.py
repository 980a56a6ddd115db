"""The web server of a chaos, in processes of its own; it can be told to die by itself between commit and thanks."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.error import URLError
from urllib.request import urlopen

import psutil

PATIENCE = 90.0


@dataclass
class Web:
    """``port`` stays the same whenever it is started again."""

    crash_at: str = ""
    port: int = field(init=False)
    _seen: set[int] = field(default_factory=set)  # processes that served

    def __enter__(self) -> "Web":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()

    def restart(self, crash_at: str) -> None:
        """Killed, and started again."""
        self._end()
        self.crash_at = crash_at
        self._start()

    def has_died(self) -> bool:
        """Whether it died by itself since it was started: then another process serves, or, when that died too soon, none."""
        if self._process.poll() is not None:
            return True
        with suppress(psutil.NoSuchProcess):
            self._seen |= {one.pid for one in psutil.Process(self._process.pid).children()}
        return len(self._seen) > 1

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        self._seen.clear()
        own = {"PORT": str(self.port), "REGULARS_CRASH_AT": self.crash_at, "REGULARS_ALLOWED_HOSTS": "127.0.0.1"}
        command = [sys.executable, "-m", "regulars", "serve"]
        self._process = subprocess.Popen(
            command, env=dict(os.environ) | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                    if answer.status == 200:
                        return
            except (URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError("the web server does not answer")
