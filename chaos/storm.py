"""What is done to workers and database: killed at random, at every named point, stopped past their leases and let go on, poisoned."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import connection

import regulars.messages.drive  # noqa: F401  declares every crash point on the way
from chaos.clock import FastClock
from chaos.hands import Workers
from chaos.scene import LEASE, let_in
from regulars.foundation.crash import CRASH_POINTS, KILLED
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.messages.models import Message, MessageState
from regulars.workflows.models import Run, RunState
from regulars.workflows.operations import retry_stuck

PATIENCE = 90.0
EACH_DATABASE = 10
POINTS = [name for name in CRASH_POINTS if name.split(".")[0] in {"entries", "runs", "messages"}]
_POISON = """
UPDATE workflows_run SET entry = '{"kind": "poison"}'
WHERE id = (SELECT max(id) FROM workflows_run WHERE node = 'wait' AND state = 'active')
"""
STOPS = ("runs.claimed", "runs.decided", "messages.rendered", "messages.marked")


@dataclass
class Storm:
    """One chaos: who is yet to enter, and what was done so far."""

    workers: Workers
    clock: FastClock
    random: random.Random
    waiting: list[tuple[int, int]]
    server: EmbeddedServer | None = None
    entered: int = 0
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def enter(self, count: int) -> None:
        """The next customers enter."""
        people, self.waiting = self.waiting[:count], self.waiting[count:]
        if people:
            let_in(people, self.clock.now())
            self.entered += len(people)

    def keep_two(self) -> list[int]:
        """Two ordinary workers, whatever was done to those before."""
        self.workers.listen(0)
        while len(self.workers.alive) < 2:
            self.workers.spawn()
        return sorted(self.workers.alive)

    def kill_at_random(self, times: int, people_each: int) -> None:
        """So many SIGKILLs, at moments drawn from the seed, while customers keep entering; the database dies at every tenth."""
        for turn in range(1, times + 1):
            alive = self.keep_two()
            self.enter(people_each)
            time.sleep(self.random.uniform(0.02, 0.35))
            self.workers.kill(self.random.choice(alive))
            self.done["random kills"] += 1
            if turn % EACH_DATABASE == 0 and self.server:
                self._kill_database(self.server)

    def _kill_database(self, server: EmbeddedServer) -> None:
        """It stops at once, as in a power cut, is away for up to two seconds, and recovers from its log; the workers go on by themselves."""
        server.stop(at_once=True)
        connection.close()
        time.sleep(self.random.uniform(0, 2))
        server.start()
        time.sleep(1)
        self.done["kills of the database"] += 1

    def kill_at_every_point(self) -> None:
        """One worker dies at each named point of runs and messages, by itself, with work at hand."""
        for pid in list(self.workers.alive):
            self.workers.kill(pid)
        for name in POINTS:
            self.enter(3)
            pid = self.workers.spawn(name)
            if self.workers.wait_for(pid, PATIENCE / 3) == KILLED:
                self.done["named points"] += 1
            else:
                self.problems.append(f"the point {name} was never reached")
                self.workers.kill(pid)

    def stop_past_leases(self, points: Sequence[str] = STOPS) -> None:
        """A worker stands still (as a machine that swaps) until its lease is over and another has taken its work; then it goes on."""
        for pid in list(self.workers.alive):
            self.workers.kill(pid)
        for name in points:
            self.enter(3)
            frozen = self.workers.spawn(f"{name}/stop")
            if not _until(lambda pid=frozen: self.workers.is_stopped(pid), PATIENCE / 3):  # type: ignore[misc]
                self.problems.append(f"no worker stopped at {name}")
                continue
            other = self.workers.spawn()
            time.sleep(1.5 * LEASE.total_seconds())
            self.workers.go_on(frozen)
            time.sleep(0.5)
            self.workers.kill(frozen)
            self.workers.kill(other)
            self.done["stops past the lease"] += 1

    def settle(self) -> None:
        """Two quiet workers until nothing is left to do; what is stuck is let try again once."""
        _until(self._is_quiet, PATIENCE)
        stuck = Run.objects.filter(state=RunState.STUCK)
        for run in stuck:
            retry_stuck(run, self.clock.now())
            self.done["stuck runs tried again"] += 1
        if not _until(self._is_quiet, PATIENCE):
            self.problems.append("the workers did not come to rest")

    def _is_quiet(self) -> bool:
        self.keep_two()
        runs = Run.objects.filter(state=RunState.ACTIVE).exists() or Run.objects.count() < self.entered
        messages = Message.objects.filter(state__in=[MessageState.PLANNED, MessageState.SENDING, MessageState.HELD])
        return not runs and not messages.exists()

    def poison(self) -> None:
        """One customer whose fact ends every process that asks: put aside in the end, and the others go on."""
        self.enter(10)
        if not _until(lambda: bool(self.keep_two()) and _poison_one(), PATIENCE):
            self.problems.append("nobody was there to be poisoned")
        if _until(lambda: bool(self.keep_two()) and Run.objects.filter(state=RunState.STUCK).exists(), PATIENCE):
            self.done["poisoned runs put aside"] += 1
        else:
            self.problems.append("a poisoned run was never put aside")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE workflows_run SET entry = '{}' WHERE entry->>'kind' = 'poison'")


def _poison_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_POISON)
        return bool(cursor.rowcount)


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False
