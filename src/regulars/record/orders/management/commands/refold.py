"""``regulars refold``: every cached card and figure made anew from the facts; what ``regulars verify`` checks."""

from typing import Any

from django.core.management.base import BaseCommand

from regulars.foundation import clock
from regulars.record.customers.operations.cards import each_slice, refresh_cards
from regulars.record.events import log as event_log
from regulars.record.orders import events
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.operations.money import SLICE


class Command(BaseCommand):
    help = (
        "Makes every customer's cached cards and figures anew from the facts, in slices; can be stopped and begun again"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = 0

        def fold(ids: list[int]) -> None:
            nonlocal done
            with event_log.transaction("system", "refold"):
                refresh_cards(ids)
                refresh_figures(ids)
            done += len(ids)
            self.stdout.write(f"{done:,} customers")

        each_slice(fold, SLICE)
        with event_log.transaction("system", "refold") as log:
            log.append(events.money_refolded(clock.now()))
        self.stdout.write("Everything is made anew: 'regulars verify' checks it.")
