"""The shop of a chaos: it sells, tells by webhooks as badly as real ones, and knows the truth."""

import os
import random
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client

from chaos.verdict import Finding
from regulars.connections.base.models import Connection, Pull, PullKind, PullState
from regulars.connections.base.operations.checking import check_webhooks
from regulars.connections.base.operations.connecting import begin_connection, complete_connection
from regulars.connections.base.operations.pulling import begin_pull
from regulars.connections.base.tests.contract import Sent, Stand, post, recorded
from regulars.connections.shopify.tests.test_contract import ShopifyStand
from regulars.connections.woocommerce.tests.test_contract import WooStand
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.operations import replay
from regulars.foundation.inbox.reading import KILLED
from regulars.foundation.shop.models import Brand, Store
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

STANDS: dict[str, type[Stand]] = {"woocommerce": WooStand, "shopify": ShopifyStand}
FAULTS = {"throttled": 0.03, "broken": 0.03, "dropped": 0.03, "truncated": 0.03, "shifted": 0.05}
TOLD = {"deliveries_dropped": 0.3, "deliveries_duplicated": 0.2, "deliveries_reordered": 0.5}
STEPS = 3  # that an order goes further
EACH_SALE = 3  # orders placed, and orders that go on


@dataclass
class Scene:
    """A shop that is connected; ``done`` counts what it sold and what its webhooks were answered."""

    stand: Stand
    row: Connection
    dice: random.Random
    steps: Counter[str] = field(default_factory=Counter)  # that each order went
    client: Client = field(default_factory=lambda: Client(SERVER_NAME="127.0.0.1"))
    done: Counter[str] = field(default_factory=Counter)

    def place(self) -> None:
        self.steps[self.stand.place_order()] = 0

    def sell(self) -> None:
        """Some orders go on, some are placed, all of it is told; now and then the shop is looked through."""
        self.stand.pass_time(timedelta(seconds=1))
        waiting = [key for key, steps in self.steps.items() if steps < STEPS]
        for key in self.dice.sample(waiting, min(EACH_SALE, len(waiting))):
            self.stand.advance_order(key)
            self.steps[key] += 1
        for _ in range(EACH_SALE):
            self.place()
            self.done["orders placed"] += 1
        self.stand.pass_time(timedelta(seconds=1))
        self.stand.deliver(self._tell)
        with suppress(DatabaseError):
            connection.close()
            if not _open_pulls():
                begin_pull(self.row, PullKind.QUARTER, clock.now())

    def _tell(self, sent: Sent) -> int:
        """What a webhook is answered: by the application itself, in this process."""
        connection.close()  # as between two requests, if the database went away meanwhile
        status = post(self.client, self.row, sent)
        self.done[f"webhooks answered {status}"] += 1
        return status

    def see_to_webhooks(self) -> None:
        """As every quarter of an hour: those that the shop switched off, because nobody answered, are revived."""
        connection.close()
        check_webhooks(self.row.pk or 0, clock.now)
        self.row.refresh_from_db()
        self.done["webhooks revived or made again"] += self.row.webhooks.get("last_mended", 0)

    def calm_down(self) -> None:
        """Nothing is disturbed any more; the shop is looked through once more."""
        self.stand.disturbance.calm()
        Pull.objects.filter(kind=PullKind.HAND).delete()
        begin_pull(self.row, PullKind.HAND, clock.now())

    def is_quiet(self) -> bool:
        """Nothing is left to do. Whoever happened to be read when three workers died was put aside, and is let try again."""
        unlucky = Item.objects.filter(state=ItemState.QUARANTINED, reason=KILLED).values_list("pk", flat=True)
        if unlucky:
            self.done["inputs tried again after three deaths"] += replay(list(unlucky), SYSTEM, clock.now())
        return not _open_pulls() and not Item.objects.filter(state=ItemState.RECEIVED).exists()

    def judge(self) -> list[Finding]:
        """What must hold, what was found, and whether it does."""
        return [self._record(), self._log(), _inbox(), _pulls()]

    def _record(self) -> Finding:
        truth, known = self.stand.truth(), recorded(self.row)
        wrong = [key for key in truth.keys() | known.keys() if truth.get(key) != known.get(key)]
        found = f"{len(wrong)} of {len(truth)} differ {wrong[:3] or ''}"
        return Finding("the record says of every order what the shop says", found, not wrong)

    def _log(self) -> Finding:
        placed = Counter(Event.objects.filter(kind="order.placed").values_list("subject_id", flat=True))
        double, orders = sum(1 for count in placed.values() if count != 1), Order.objects.count()
        found = f"{len(placed)} placed of {orders}, {double} more than once"
        return Finding("every order was placed once", found, double == 0 and len(placed) == orders)


def _inbox() -> Finding:
    states = Counter(Item.objects.values_list("state", flat=True))
    words = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    return Finding("everything that came in was read", words, set(states) <= {ItemState.PARSED})


def _pulls() -> Finding:
    states = Counter(Pull.objects.values_list("kind", "state"))
    words = ", ".join(f"{n} {kind} {state}" for (kind, state), n in sorted(states.items()))
    return Finding("every pull came to its end", words, {state for _, state in states} <= {PullState.DONE})


def _open_pulls() -> bool:
    return Pull.objects.exclude(state__in=(PullState.DONE, PullState.FAILED)).exists()


def set_up(stand: Stand, seed: int, orders: int) -> Scene:
    """The shop with a past, connected, reachable from this process and its workers; it misbehaves from now on."""
    warnings.filterwarnings("ignore", "No directory at")  # of static files: nobody looks at a page
    settings.PUBLIC_URL = "https://crm.example"
    settings.REACHABLE = [stand.address.partition("://")[2]]
    os.environ["REGULARS_REACHABLE"] = settings.REACHABLE[0]
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@buyers.net")
    store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")
    row = begin_connection(stand.platform, store, stand.address, SYSTEM, clock.now())
    scene = Scene(stand, row, random.Random(seed))  # noqa: S311
    for _ in range(orders):
        scene.place()
    stand.deliveries()  # nobody listened yet
    complete_connection(row, stand.credentials(), SYSTEM, clock.now(), signing=stand.signing())
    scene.see_to_webhooks()
    for name, share in (FAULTS | TOLD).items():
        setattr(stand.disturbance, name, share)
    return scene
