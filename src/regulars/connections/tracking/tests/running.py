"""Regulars as it runs, in a process of its own, with a database of its own that the test reads too: for tests that drive real
clients against it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from regulars.connections.tracking import jobs, keys
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.keys import forget_cached
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from tests.connecting import connected
from tests.database import ROOT, Database

assert jobs.KIND  # the worker's parser is registered by its import
PATIENCE = 30.0
STARTING = 120.0  # seconds; on a machine that is busy, importing everything takes long


@dataclass
class Running:
    """A served Regulars. ``keys`` are those of its one store, by their kind."""

    port: int
    database: str
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def read(self) -> None:
        """What the worker does with all that has come in."""
        while read_waiting(Stop(), clock.now()):
            pass

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Inside, models of this process ask the served database."""
        with connected(self.database):
            forget_cached()
            yield
            forget_cached()


@contextmanager
def serve(database: Database) -> Iterator[Running]:
    """Starts it, with one store, and ends it with the block."""
    port = free_port()
    with database.copy(f"tracking_{os.getpid()}_{port}") as address:
        found = Running(port, address)
        process = _start(found)
        try:
            with found.connected():
                brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
                store = Store.objects.create(code="uk", name="UK", brand=brand, currency="EUR")
                for kind in ("browser", "server"):
                    found.keys[kind] = keys.create_key(kind, kind, store.pk, SYSTEM, clock.now())[1]
            _wait_for(process, found.address)
            yield found
        finally:
            process.terminate()
            process.wait()


def _start(running: Running) -> "subprocess.Popen[bytes]":
    """The web server, with this process's keys: they lie in the same data folder."""
    environment = os.environ | {
        "DATABASE_URL": running.database,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PORT": str(running.port),
        "REGULARS_PUBLIC_URL": running.address,
        "REGULARS_ALLOWED_HOSTS": "127.0.0.1,localhost,.shop.localhost",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "regulars", "serve"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL
    )


def _wait_for(process: "subprocess.Popen[bytes]", address: str) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the web server does not answer (it ended with {process.poll()})")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
