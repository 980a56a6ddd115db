"""Segments from the command line."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.errors import RegularsError
from regulars.insight.segments import operations, queries


class Command(BaseCommand):
    """``regulars segments refresh [--as-of 2026-05-01]``; ``regulars segments list``."""

    help = "Brings all segments up to date, or lists them with their members."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["refresh", "list"])
        parser.add_argument(
            "--as-of",
            type=datetime.fromisoformat,
            default=None,
            help="moment of the RFM snapshot, ISO 8601; empty: now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def refresh(self, options: dict[str, Any]) -> None:
        as_of: datetime | None = options["as_of"]
        done = operations.refresh(clock.now(), as_of.astimezone() if as_of else None, kind="manual")
        for what, changes in (("initial", done.initial), ("entered", done.entered), ("left", done.left)):
            self.stdout.write(f"{what}: {sum(changes.values())}")

    def list(self, options: dict[str, Any]) -> None:
        members = queries.counts()
        for segment in queries.list_segments():
            self.stdout.write(f"{segment.key}  {members.get(segment.id, 0)}  {segment.name}")
