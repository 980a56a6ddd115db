"""RFM from the command line."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.settings import read_setting
from regulars.insight.rfm import operations, queries
from regulars.insight.rfm.models import RfmSnapshot


class Command(BaseCommand):
    """``regulars rfm compute [--as-of 2026-05-01] [--months]``."""

    help = "Publishes RFM as of a moment, or of every month since the first order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["compute"])
        parser.add_argument(
            "--as-of",
            type=datetime.fromisoformat,
            default=None,
            help="moment that has passed, ISO 8601, in the shop's zone where it names none; empty: now",
        )
        parser.add_argument(
            "--months", action="store_true", help="each month since the first order that is not published yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        as_of: datetime | None = options["as_of"]
        try:
            published = (
                operations.compute_months(at)
                if options["months"]
                else [operations.compute(_in_zone(as_of) if as_of else at, at)]
            )
        except RegularsError as error:
            raise CommandError(error.sentence) from error
        for snapshot in published:
            self._describe(snapshot)

    def _describe(self, snapshot: RfmSnapshot) -> None:
        counts = ", ".join(f"{segment} {tally.customers}" for segment, tally in queries.tallies(snapshot).items())
        left_out = f"{snapshot.left_out_orders} orders without identity left out"
        self.stdout.write(f"{snapshot.as_of:%Y-%m-%d}: {snapshot.customers} customers ({counts}); {left_out}")


def _in_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(read_setting("shop.time_zone")))
