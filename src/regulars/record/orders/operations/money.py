"""What changes the worth of every amount at once: the reporting currency, the shop's time zone and the dated rates.

The change is one short transaction. The figures of everybody follow in slices, as a background job with its progress in the bell.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import InvalidInput
from regulars.foundation.retrying import retried
from regulars.foundation.shop.models import ExchangeRate, Store
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.foundation.work import operations as work
from regulars.record.customers.models import Customer
from regulars.record.customers.operations.cards import each_slice
from regulars.record.events import log as event_log
from regulars.record.orders import events
from regulars.record.orders.models import Order, Refund
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.rates import Rate, read_rates

WORTH_CHANGING = ("shop.reporting_currency", "shop.time_zone")
REFOLD = "orders.refold"
SLICE = 5_000  # customers in one transaction: well under the two seconds that it may last
LONGEST_FILE = 5_000_000  # bytes: the bank's rates of all days since 1999 are a seventh of it
_PATIENCE = 60.0  # seconds; a transaction that appends may last two


def change_settings(changes: Mapping[str, Any], by: Viewer, at: datetime) -> list[str]:
    """Writes those of these settings that differ, and refolds where that changes what amounts are worth; names of what changed.

    Events: money.changed. Audited.
    """
    changed = [name for name, value in changes.items() if read_setting(name) != value]
    if not changed:
        return []
    with event_log.transaction("staff", by.actor) as log:
        for name in changed:
            write_setting(name, changes[name], at)
        if worth := [name for name in changed if name in WORTH_CHANGING]:
            _ask_refold(worth, log, by, at)
        record("settings.changed", by, "", {"names": changed}, at=at)
    return changed


def set_rates(rates: Sequence[Rate], by: Viewer, at: datetime) -> int:
    """Writes rates; one for the same pair and day replaces the one that stands, and of several the last counts. How many changed.

    Events: money.changed. Audited. Sums are refolded where a rate leads to the reporting currency.
    """
    wanted = {(one.currency, one.reporting, one.on): one for one in rates}
    days = {on for _, _, on in wanted}
    standing = {
        (one.currency, one.reporting_currency, one.on): (one.rate, one.source)
        for one in ExchangeRate.objects.filter(on__in=days)
    }
    fresh = [one for key, one in wanted.items() if standing.get(key) != (one.rate, one.source)]
    if fresh:
        with _changing({one.reporting for one in fresh}, "rates.set", {"rates": len(fresh)}, by, at):
            ExchangeRate.objects.bulk_create(
                [
                    ExchangeRate(
                        currency=o.currency, reporting_currency=o.reporting, on=o.on, rate=o.rate, source=o.source
                    )
                    for o in fresh
                ],
                batch_size=5000,
                update_conflicts=True,
                unique_fields=["reporting_currency", "currency", "on"],
                update_fields=["rate", "source"],
            )
    return len(fresh)


def import_rates(content: bytes, source: str, by: Viewer, at: datetime) -> tuple[int, int]:
    """Writes the rates of a file, all or none; how many it holds for us, and how many of them changed something.
    Raises InvalidInput.
    """
    if len(content) > LONGEST_FILE:
        raise InvalidInput("A file of rates has 5 MB at most.")
    rates = read_rates(content, source, read_setting("shop.reporting_currency"), currencies_in_use())
    if not rates:
        raise InvalidInput("There is no rate in this file that the shop could use.")
    return len(rates), set_rates(rates, by, at)


def remove_rates(ids: Sequence[int], by: Viewer, at: datetime) -> int:
    """Takes rates away, however many, with one refold; how many there were, since somebody may have taken them before.

    Events: money.changed. Audited.
    """
    there = ExchangeRate.objects.filter(pk__in=ids)
    into = set(there.values_list("reporting_currency", flat=True))
    removed = {"rates": 0}
    if into:
        with _changing(into, "rates.removed", removed, by, at):
            removed["rates"], _ = there.delete()
    return removed["rates"]


def day_of_shop(at: datetime) -> date:
    """Where the shop is: from it a rate holds that names no day."""
    return at.astimezone(ZoneInfo(read_setting("shop.time_zone"))).date()


def currencies_in_use() -> set[str]:
    """Of orders, refunds and stores."""
    found = set(Store.objects.values_list("currency", flat=True))
    for model in (Order, Refund):
        found |= set(model.objects.order_by().values_list("currency", flat=True).distinct())
    return found


@contextmanager
def _changing(into: set[str], action: str, details: Mapping[str, Any], by: Viewer, at: datetime) -> Iterator[None]:
    """A change of rates into these currencies, in a transaction of its own."""
    with event_log.transaction("staff", by.actor) as log:
        yield
        if read_setting("shop.reporting_currency") in into:
            _ask_refold(["rates"], log, by, at)
        record(action, by, "", details, at=at)


def _ask_refold(what: list[str], log: event_log.LogTransaction, by: Viewer, at: datetime) -> None:
    log.append(events.money_changed(what, at))
    task = work.start_task(
        "orders.refold", "Working out all sums anew", at, staff_id=by.staff_id, unit="customers", link="/settings/rates"
    )
    if work.enqueue(REFOLD, lock=REFOLD, once=REFOLD, task_id=task) is None:
        work.finish(task, at, "Done together with the change before.")


def refold(task_id: int, clock: Callable[[], datetime]) -> None:
    """The figures of everybody, slice by slice, each in a transaction of its own. Killed and begun again it comes to the same.

    Event: money.refolded, upon which RFM and the segments are made anew.
    """
    work.progress(task_id, clock(), done=0, total=Customer.objects.count())
    _wait_for_writers()
    done = 0

    def fold(ids: list[int]) -> None:
        nonlocal done
        _fold(ids)
        done += len(ids)
        work.progress(task_id, clock(), done=done)

    each_slice(fold, SLICE)
    with event_log.transaction("system", REFOLD) as log:
        log.append(events.money_refolded(clock()))
    work.finish(task_id, clock(), f"The sums of {done:,} customers are worked out anew.")


@retried
def _fold(customer_ids: list[int]) -> None:
    with event_log.transaction("system", REFOLD):
        refresh_figures(customer_ids)


_WRITERS = """
SELECT backend_xid::text FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
"""


def _wait_for_writers() -> None:
    """Until whoever may have folded by the former rates has committed: their customers are not to be seen before."""
    before, until = set(fetch(_WRITERS, [])), time.monotonic() + _PATIENCE
    while before & set(fetch(_WRITERS, [])) and time.monotonic() < until:
        time.sleep(0.05)
