"""One chaos from beginning to verdict; imported once Django stands."""

import random
import sys
import time

from chaos.clock import FastClock
from chaos.hands import Workers
from chaos.scene import make_entrants, set_up
from chaos.storm import STOPS, Storm
from chaos.verdict import judge, print_table
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.messages.tests.sink import Sink

EACH = 3  # customers who enter between two kills
SPARE = 120  # who enter at named points and stops
SHORT_STOPS = ("runs.decided", "messages.marked")


def run(seed: int, kills: int, sink: Sink, server: EmbeddedServer | None, *, is_short: bool) -> bool:
    """Prints what was done and what was found. ``server`` is ours to kill. True when everything holds."""
    clock, began = FastClock(time.time()), time.monotonic()
    people = make_entrants(kills * EACH + SPARE, set_up(clock.now()))
    with Workers(clock.began) as workers:
        storm = Storm(workers, clock, random.Random(seed), people, server)  # noqa: S311  kills need no secret dice
        storm.kill_at_every_point()
        storm.kill_at_random(kills, EACH)
        storm.stop_past_leases(SHORT_STOPS if is_short else STOPS)
        if not is_short:
            storm.poison()
        storm.settle()
    findings = judge(storm.entered, sink.counts())
    told = ", ".join(f"{n} {what}" for what, n in storm.done.items())
    sys.stdout.write(f"Chaos with seed {seed}: {told}; {time.monotonic() - began:.0f} s\n{print_table(findings)}\n")
    for problem in storm.problems:
        sys.stdout.write(f"  FAIL  {problem}\n")
    return not storm.problems and all(f.holds for f in findings)
