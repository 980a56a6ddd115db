"""A part of the chaos: the refresh of warehouse, scores and segments dies at each of its named points; the next one finishes the work once."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from os import environ

from django.db.models import Max

from chaos.points import points_of
from chaos.verdict import Finding, print_table
from regulars.foundation import clock
from regulars.foundation.crash import KILLED
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.foundation.shop.models import Store
from regulars.insight.conditions import asking
from regulars.insight.conditions.reading import read_condition
from regulars.insight.rfm.models import RfmScore
from regulars.insight.rfm.rules import SEGMENTS
from regulars.insight.segments.models import Membership
from regulars.insight.segments.operations import saving
from regulars.insight.segments.operations.refreshing import BETWEEN
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse.operations import PRUNING
from regulars.insight.warehouse.queries import pin
from regulars.insight.warehouse.tests import shop
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up

PEOPLE = 40  # who buy for the first time before each death
SPAN = timedelta(days=500)
_LATE_PRUNE = """
import django
django.setup()
from datetime import timedelta
from regulars.foundation import clock
from regulars.insight.warehouse.operations import prune
prune(clock.now() + timedelta(days=1))
"""
LATELY = {"of": "orders", "window": {"last": {"days": 200}}}


def run(seed: int, kills: int, server: EmbeddedServer | None) -> bool:
    """Prints what was done and what was found. True when everything holds."""
    began, store, died, problems = time.monotonic(), shop.make_store(), 0, []
    for number, name in enumerate(points_of("insight")):
        _buy(store, number)
        if name == BETWEEN:  # everybody who is in it is in it by its first computation
            catch_up([CONDITIONS], clock.now())
            saving.create_segment("Lately", read_condition(LATELY), None, clock.now())
        if (_prune(name) if name == PRUNING else _refresh(name)) == KILLED:
            died += 1
        else:
            problems.append(f"the point {name} was never reached")
    done = _refresh("")
    findings = [Finding("the refresh after all that ends well", f"exit code {done}", done == 0), *_judge()]
    sys.stdout.write(f"Insight: {died} named points; {time.monotonic() - began:.0f} s\n{print_table(findings)}\n")
    sys.stdout.write("".join(f"  FAIL  {problem}\n" for problem in problems))
    return not problems and all(found.holds for found in findings)


def _buy(store: Store, number: int) -> None:
    """People of every age and weight, so that all segments change."""
    at = clock.now() - timedelta(hours=1)
    people = shop.make_people(store, PEOPLE, at - SPAN)
    rows = [(f"{number}-{n}", person, at - SPAN * n / PEOPLE, 100 * n + 50) for n, person in enumerate(people)]
    shop.add_orders(store, rows, is_history=True)


def _refresh(crash_at: str) -> int:
    return _run(["-m", "regulars", "segments", "refresh"], crash_at)


def _prune(crash_at: str) -> int:
    """As if the grace were over; old files there are, since the tables were written anew."""
    _run(["-m", "regulars", "warehouse", "rebuild"], "")
    return _run(["-c", _LATE_PRUNE], crash_at)


def _run(arguments: list[str], crash_at: str) -> int:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=dict(environ) | {"REGULARS_CRASH_AT": crash_at}, check=False, capture_output=True
    )
    return done.returncode


def _judge() -> Iterator[Finding]:
    newest = RfmScore.objects.aggregate(newest=Max("snapshot_id"))["newest"]
    scored = {
        (customer, SEGMENTS[segment].value)
        for customer, segment in RfmScore.objects.filter(snapshot=newest).values_list("customer_id", "segment")
    }
    rows = Membership.objects.filter(left_at=None, segment__kind="rfm")
    present = Counter(rows.values_list("customer_id", "segment__key"))
    wrong = len(scored ^ present.keys())
    yield Finding(
        "everybody is in the segment of their scores", f"{wrong} of {len(scored)} are not", not wrong and bool(scored)
    )
    double = sum(1 for count in present.values() if count > 1)
    yield Finding("nobody is in one twice", f"{double} are", double == 0)
    meant = set(asking.members(read_condition(LATELY), pin(), clock.now())["customer_id"].to_pylist())
    inside = Membership.objects.filter(left_at=None, segment__key="lately").values_list("customer_id", flat=True)
    wrong = len(meant ^ set(inside))
    yield Finding(
        "everybody is in the segment whose conditions they meet",
        f"{wrong} of {len(meant)} are not",
        not wrong and bool(meant),
    )
    entered, left = (Event.objects.filter(kind=f"segment.{word}").count() for word in ("entered", "left"))
    all_rows = Membership.objects.all()
    expected = all_rows.count(), all_rows.exclude(left_at=None).count()
    found = f"{entered} entered, {left} left; {expected[0]} and {expected[1]} in the ledger"
    yield Finding("the log tells of each once", found, (entered, left) == expected)
