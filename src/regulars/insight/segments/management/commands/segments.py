"""Segments from the command line."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.api.fields import EARLIEST, LATEST
from regulars.foundation.errors import RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.learning import learn
from regulars.insight.conditions import asking
from regulars.insight.conditions.engines import Engine
from regulars.insight.conditions.reading import read_condition, read_definition
from regulars.insight.segments import files, operations, queries
from regulars.insight.segments.models import Segment, SegmentKind
from regulars.insight.segments.operations import refreshing
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse.queries import Pinned, pin
from regulars.record.customers.models import Customer
from regulars.record.events.readers import catch_up


def _moment(text: str) -> datetime:
    """ISO 8601; without a zone, in this machine's. Raises ArgumentTypeError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a moment such as 2026-11-22T09:00:00+01:00") from None
    if not EARLIEST <= moment.year <= LATEST:
        raise ArgumentTypeError(f"the year must be between {EARLIEST} and {LATEST}")
    return moment.astimezone()


def _position(text: str) -> int:
    """Of the log. Raises ArgumentTypeError."""
    if not text.isdecimal() or len(text) > 18:
        raise ArgumentTypeError(f"'{text}' is not a position of the log: a whole number, 0 or more")
    return int(text)


def _known(position: int | None, engine: Engine, pinned: Pinned) -> int | None:
    """The position, if the engine can go back to it. Raises CommandError."""
    if position is not None and engine is Engine.POSTGRES:
        raise CommandError("PostgreSQL answers by what is known now: leave --known-at out, or take another engine.")
    if position is not None and position > pinned.position:
        raise CommandError(f"The warehouse knows the log up to position {pinned.position}.")
    return position


class Command(BaseCommand):
    """``regulars segments refresh|list``, ``plan|apply FILE`` (YAML), and ``count FILE`` of any condition, saved or not."""

    help = "Lists, refreshes, plans and applies segments, and counts conditions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        refresh = actions.add_parser("refresh", help="bring all segments up to date")
        refresh.add_argument(
            "--as-of",
            type=_moment,
            default=None,
            help="moment of the RFM snapshot, ISO 8601; empty: now",
        )
        actions.add_parser("list", help="all segments with their members")
        for name, meaning in (("plan", "say what a file would change"), ("apply", "make and change segments")):
            actions.add_parser(name, help=meaning).add_argument("file", type=Path, metavar="FILE", help="YAML")
        count = actions.add_parser("count", help="count whom a condition means")
        count.add_argument("file", type=Path, metavar="FILE", help="one condition, as YAML or JSON")
        count.add_argument("--as-of", type=_moment, default=None, help="moment, ISO 8601; empty: now")
        count.add_argument(
            "--known-at", type=_position, default=None, help="position of the log; empty: all that is known"
        )
        count.add_argument("--engine", choices=list(Engine), default=Engine.DUCKDB.value)
        count.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        act: Callable[[dict[str, Any]], None] = getattr(self, options["action"])
        learn()
        try:
            act(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error

    def refresh(self, options: dict[str, Any]) -> None:
        as_of: datetime | None = options["as_of"]
        done = operations.refresh(clock.now(), as_of, kind="manual")
        for what, changes in (("initial", done.initial), ("entered", done.entered), ("left", done.left)):
            self.stdout.write(f"{what}: {sum(changes.values())}")
        catch_up([CONDITIONS], clock.now())
        for segment in Segment.objects.filter(kind=SegmentKind.CONDITIONS, is_archived=False).order_by("id"):
            found = refreshing.refresh(segment, clock.now)
            moved = f"{len(found.moved.entered)} entered, {len(found.moved.left)} left"
            self.stdout.write(f"{segment.key}: {moved}, {found.deviations} deviations")

    def list(self, options: dict[str, Any]) -> None:
        members = queries.counts()
        for segment in queries.list_segments():
            self.stdout.write(f"{segment.key}  {members.get(segment.id, 0)}  {segment.name}")

    def plan(self, options: dict[str, Any]) -> None:
        for planned in files.plan_file(files.read_file(options["file"].read_text()), clock.now()):
            moves = f": counted after {', '.join(planned.after)}" if planned.after else ""
            if planned.plan:
                moves = f": {planned.plan.entering} enter, {planned.plan.leaving} leave"
            self.stdout.write(f"{planned.change:9} {planned.wanted.key}{moves}")
            for use in planned.plan.uses if planned.plan else ():
                self.stdout.write(f"          {use.what} '{use.name}' begins with it{'' if use.is_on else ' (off)'}")

    def apply(self, options: dict[str, Any]) -> None:
        for key, change in files.apply_file(files.read_file(options["file"].read_text()), None, clock.now()):
            self.stdout.write(f"{change:9} {key}")

    def count(self, options: dict[str, Any]) -> None:
        data = files.read_yaml(options["file"].read_text())
        is_whole = isinstance(data, dict) and "version" in data
        condition = read_definition(data) if is_whole else read_condition(data)
        engine, at, pinned = Engine(options["engine"]), options["as_of"] or clock.now(), pin()
        position = _known(options["known_at"], engine, pinned)
        found = asking.count(condition, pinned, at, position, engine=engine)
        uids = dict(Customer.objects.filter(pk__in=found.first_ids).values_list("pk", "uid"))
        first = [to_public(Customer.PREFIX, uids[one]) for one in found.first_ids if one in uids]
        if options["json"]:
            self.stdout.write(json.dumps({"count": found.count, "total": found.total, "first": first}))
            return
        self.stdout.write(f"{found.count} of {found.total}")
        for customer in first:
            self.stdout.write(customer)
