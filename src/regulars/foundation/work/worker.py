"""One worker process: every loop in a thread of its own, and Procrastinate's worker beside them. Any number of workers may run."""

import asyncio
import atexit
import gc
import os
import signal
import socket
import sys
import threading
from types import FrameType

import structlog
from django.conf import settings
from procrastinate.contrib.django.django_connector import DjangoConnector

from regulars.foundation.doors import load_doors
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.loops import LOOPS, drive

GRACE_SECONDS = 20.0  # for the batches and jobs at hand once we are asked to stop
_JOBS_AT_ONCE = 2
_ALIVE_SECONDS = 10.0
_GARBAGE = 100_000  # objects more, until those in circles are looked for: a batch holds as many at once, and nearly none in circles
_TURN_SECONDS = 0.0005  # of a thread while others wait, which they do after each of their statements; Python's own is ten times that

log = structlog.get_logger(__name__)


def run_worker(only: frozenset[str] = frozenset()) -> bool:
    """Works until SIGTERM or SIGINT; ``only`` names loops (and 'jobs') where not all are wanted. False if something had to be abandoned."""
    load_doors("jobs")
    sys.setswitchinterval(_TURN_SECONDS)
    gc.freeze()  # what was loaded stays: looking through all of it again and again costs a tenth of reading
    gc.set_threshold(_GARBAGE)
    atexit.register(gc.unfreeze)  # else libraries complain of leaks at the end
    stopping = threading.Event()
    _stop_on_signals(stopping)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    threads = [
        threading.Thread(target=drive, args=(name, loop, owner, stopping), name=name, daemon=True)
        for name, loop in LOOPS.items()
        if not only or name in only
    ]
    if not only or "jobs" in only:
        threads.append(threading.Thread(target=_run_jobs, args=(stopping,), name="jobs", daemon=True))
    log.info("worker started", owner=owner, loops=[thread.name for thread in threads])
    for thread in threads:
        thread.start()
    _watch(threads, stopping)
    return _join(threads)


def _watch(threads: list[threading.Thread], stopping: threading.Event) -> None:
    """Touches ``alive/<host name>`` in the data folder while every thread lives, for health checks; a dead one ends the worker."""
    alive = settings.HOME / "alive" / socket.gethostname()
    alive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while not stopping.is_set():
        dead = [thread.name for thread in threads if not thread.is_alive()]
        if dead:
            log.error("threads died", threads=dead)
            stopping.set()
        alive.touch()
        stopping.wait(_ALIVE_SECONDS)


def _stop_on_signals(stopping: threading.Event) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _join(threads: list[threading.Thread]) -> bool:
    until = GRACE_SECONDS
    step = 0.05
    while until > 0 and any(thread.is_alive() for thread in threads):
        threading.Event().wait(step)
        until -= step
    late = [thread.name for thread in threads if thread.is_alive()]
    log.info("worker ended", abandoned=late)
    return not late


def _run_jobs(stopping: threading.Event) -> None:
    """Procrastinate's worker in an event loop of this thread, started anew after a failure such as a database that went away."""
    pause = 0.5
    while not stopping.is_set():
        try:
            asyncio.run(_work(stopping))
            pause = 0.5
        except Exception:
            log.exception("jobs failed", pause_seconds=pause)
            stopping.wait(pause)
            pause = min(pause * 2, 30.0)


async def _work(stopping: threading.Event) -> None:
    app = jobs.with_connector(DjangoConnector().get_worker_connector())
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=_JOBS_AT_ONCE,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE_SECONDS / 2,
                delete_jobs="successful",
            )
        )
        while not worker.done() and not stopping.is_set():
            await asyncio.wait([worker], timeout=0.2)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=stopping.is_set())
