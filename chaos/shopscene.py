"""The shop of the shop chaos: it sells, tells by webhooks as badly as real ones, and knows the truth. Imported once Django stands."""

import random
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db import DatabaseError, connection
from django.test import Client

from chaos.shopclock import ShopClock
from fakes.woocommerce import FakeWooCommerce
from regulars.connections.base.accounts import account_of
from regulars.connections.base.models import Connection, Pull, PullKind, PullState
from regulars.connections.base.operations.checking import hook_address
from regulars.connections.base.operations.connecting import begin_connection, complete_connection
from regulars.connections.base.operations.pulling import begin_pull
from regulars.connections.base.platforms import PLATFORMS
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.crash import CRASH_POINTS
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.operations import replay
from regulars.foundation.inbox.reading import KILLED
from regulars.foundation.shop.models import Brand, Store
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

Finding = tuple[str, str, bool]


@dataclass
class Scene:
    """A shop that is connected; ``done`` counts what it sold and what its webhooks were answered."""

    fake: FakeWooCommerce
    row: Connection
    dice: random.Random
    clock: ShopClock
    product: int
    client: Client = field(default_factory=Client)
    done: Counter[str] = field(default_factory=Counter)

    def points(self) -> list[str]:
        return [name for name in CRASH_POINTS if name.split(".")[0] in {"pull", "inbox"}]

    def sell(self) -> None:
        """Some orders go on, some are placed, all of it is told; now and then the shop is looked through."""
        shop = self.fake.shop
        self.clock.tick()
        for number in self.dice.sample(sorted(shop.orders), 3):
            shop.update_order(number, status=self.dice.choice(["completed", "on-hold", "cancelled", "processing"]))
        for _ in range(3):
            buyer = f"b{self.dice.randint(1, 400)}@buyers.net"
            shop.add_order([(self.product, self.dice.randint(1, 3))], email=buyer, status="processing")
            self.done["orders placed"] += 1
        self.clock.tick()
        shop.webhooks.deliver_all()
        with suppress(DatabaseError):
            connection.close()
            if not _open_pulls():
                begin_pull(self.row, PullKind.QUARTER, clock.now())

    def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """What a webhook is answered: by the application itself, in this process."""
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("content-type", "host", "content-length")
        }
        kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "application/json")
        connection.close()  # as between two requests, if the database went away meanwhile
        answer = self.client.post(urlsplit(url).path, data=body, content_type=kind, headers=kept)
        self.done[f"webhooks answered {answer.status_code}"] += 1
        return int(answer.status_code)

    def calm_down(self) -> None:
        """Nothing is disturbed any more; the shop is looked through once more."""
        for fault in ("slow", "throttled", "broken", "dropped", "truncated", "shifted"):
            setattr(self.fake.shop.disturbance, fault, 0.0)
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
        return [*self._record(), *self._log(), *_inbox(), *_pulls()]

    def _record(self) -> list[Finding]:
        states = {"completed": "completed", "refunded": "completed", "cancelled": "cancelled", "failed": "cancelled"}
        truth = {
            str(number): (states.get(one.status, "open"), int(one.total * 100))
            for number, one in self.fake.shop.truth().orders.items()
        }
        rows = Order.objects.filter(store=self.row.store_id)
        recorded = {row.external_id: (row.status, row.total_minor) for row in rows}
        wrong = [key for key in truth.keys() | recorded.keys() if truth.get(key) != recorded.get(key)]
        return [
            ("the record says of every order what the shop says", f"{len(wrong)} of {len(truth)} differ", not wrong)
        ]

    def _log(self) -> list[Finding]:
        placed = Counter(Event.objects.filter(kind="order.placed").values_list("subject_id", flat=True))
        double = sum(1 for count in placed.values() if count != 1)
        orders = Order.objects.count()
        holds = double == 0 and len(placed) == orders
        return [("every order was placed once", f"{len(placed)} placed of {orders}, {double} more than once", holds)]


def _inbox() -> list[Finding]:
    states = Counter(Item.objects.values_list("state", flat=True))
    words = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    return [("everything that came in was read", words, set(states) <= {ItemState.PARSED})]


def _pulls() -> list[Finding]:
    states = Counter(Pull.objects.values_list("kind", "state"))
    words = ", ".join(f"{n} {kind} {state}" for (kind, state), n in sorted(states.items()))
    return [("every pull came to its end", words, {state for _, state in states} <= {PullState.DONE})]


def _open_pulls() -> bool:
    return Pull.objects.exclude(state__in=(PullState.DONE, PullState.FAILED)).exists()


def set_up(fake: FakeWooCommerce, seed: int, orders: int) -> Scene:
    """The shop with a past, connected; it misbehaves from now on."""
    warnings.filterwarnings("ignore", "No directory at")  # of static files: nobody looks at a page
    shop = fake.shop
    key, product = shop.keys.add(), shop.add_product(price="19.90", stock=1_000_000)
    for number in range(orders):
        shop.add_order([(product, 1)], email=f"b{number}@buyers.net", status="completed")
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@buyers.net")
    store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")
    row = begin_connection("woocommerce", store, fake.address, SYSTEM, clock.now())
    complete_connection(
        row, {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}, SYSTEM, clock.now()
    )
    row.refresh_from_db()
    PLATFORMS["woocommerce"].ensure_webhooks(account_of(row, clock.now()), hook_address(row))
    assert isinstance(shop.clock, ShopClock)  # noqa: S101  shops.py made it
    scene = Scene(fake, row, random.Random(seed), shop.clock, product)  # noqa: S311
    shop.webhooks.send = scene.post
    faults = {"throttled": 0.03, "broken": 0.03, "dropped": 0.03, "truncated": 0.03, "shifted": 0.05}
    told = {"deliveries_dropped": 0.3, "deliveries_duplicated": 0.2, "deliveries_reordered": 0.5}
    for name, share in (faults | told).items():
        setattr(shop.disturbance, name, share)
    return scene
