"""The second part of a chaos: a shop keeps sending while web, workers and database are killed; nothing that it was thanked for is lost."""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError, connection

from chaos.hands import Workers
from chaos.points import points_of
from chaos.senders import Shop
from chaos.verdict import Finding, print_table
from chaos.web import Web
from regulars.connections.tracking.keys import create_key
from regulars.connections.tracking.models import TrackingKey
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.crash import KILLED
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.foundation.inbox import reading, receiving
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.operations import replay
from regulars.foundation.shop.models import Brand, Store
from regulars.record.carts.models import CartLine
from regulars.record.customers import verify
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties

PATIENCE = 90.0
EACH_STORED = 60  # bodies, after which the web process dies between commit and thanks
DATABASE_KILLS, WEB_KILLS = 3, 2


def run(seed: int, kills: int, server: EmbeddedServer | None) -> bool:
    """Prints what was done and what was found. ``server`` is ours to kill. True when everything holds."""
    began, keys = time.monotonic(), _keys()
    with Workers(began, "chaos.reading") as workers, Web(f"{receiving.STORED}:{EACH_STORED}") as web:
        shop = Shop(web.port, [text for _, text in keys], seed)
        shop.open()
        storm = _Storm(workers, web, random.Random(seed), server)  # noqa: S311  kills need no secret dice
        try:
            storm.kill_workers_at_points()
            storm.kill_workers(kills)
            storm.kill_database()
            storm.kill_web()
        finally:
            web.restart("")
            shop.close()
        storm.settle()
    findings = list(_judge([row for row, _ in keys], shop))
    told = ", ".join(f"{n} {what}" for what, n in storm.done.items())
    sent = f"{len(shop.thanked)} calls thanked for, {shop.again} bodies sent twice on purpose, {shop.refused} tries in vain"
    sys.stdout.write(
        f"Intake with seed {seed}: {sent}; {told}; {time.monotonic() - began:.0f} s\n{print_table(findings)}\n"
    )
    for problem in storm.problems:
        sys.stdout.write(f"  FAIL  {problem}\n")
    return not storm.problems and all(found.holds for found in findings)


def _keys() -> list[tuple[TrackingKey, str]]:
    brand = Brand.objects.create(name="Intake", from_name="I", from_address="intake@shop.example")
    store = Store.objects.create(code="intake", name="Intake", brand=brand, currency="EUR")
    return [create_key(kind, kind, store.pk, SYSTEM, clock.now()) for kind in ("server", "browser", "browser")]


@dataclass
class _Storm:
    workers: Workers
    web: Web
    random: random.Random
    server: EmbeddedServer | None
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def kill_workers_at_points(self) -> None:
        """One worker dies at each named point of reading, by itself, with work at hand; that of storing is the web server's."""
        for name in points_of("intake"):
            if name == receiving.STORED:
                self._see_the_web_die(name)
                continue
            pid = self.workers.spawn(name)
            if self.workers.wait_for(pid, PATIENCE / 3) == KILLED:
                self.done["named points"] += 1
            else:
                self.problems.append(f"the point {name} was never reached")
                self.workers.kill(pid)

    def _see_the_web_die(self, name: str) -> None:
        """It dies between commit and thanks; then it is started again and serves while workers and database are killed."""
        until = time.monotonic() + PATIENCE / 3
        while not self.web.has_died() and time.monotonic() < until:
            time.sleep(0.1)
        if self.web.has_died():
            self.done["named points"] += 1
        else:
            self.problems.append(f"the point {name} was never reached")
        self.web.restart("")

    def kill_workers(self, times: int) -> None:
        for _ in range(times):
            alive = self._keep_two()
            time.sleep(self.random.uniform(0.1, 0.6))
            self.workers.kill(self.random.choice(alive))
            self.done["workers killed at random"] += 1

    def kill_database(self) -> None:
        """It stops at once, as in a power cut, is away for a moment, and recovers; everybody else goes on by themselves."""
        for _ in range(DATABASE_KILLS if self.server else 0):
            self._keep_two()
            time.sleep(self.random.uniform(0.5, 2))
            connection.close()
            self.server.stop(at_once=True)  # type: ignore[union-attr]
            time.sleep(self.random.uniform(0.5, 2))
            self.server.start()  # type: ignore[union-attr]
            self.done["kills of the database"] += 1

    def kill_web(self) -> None:
        for _ in range(WEB_KILLS):
            self._keep_two()
            time.sleep(self.random.uniform(0.5, 2))
            self.web.restart(f"{receiving.STORED}:{EACH_STORED}")
            self.done["kills of the web server"] += 1

    def settle(self) -> None:
        """Two quiet workers until nothing waits. What three killed readers had in hand is put aside, innocent or not: staff replay it."""
        self._read_all()
        aside = Item.objects.filter(state=ItemState.QUARANTINED, reason=reading.KILLED)
        self.done["inputs replayed whose readers were killed three times"] = replay(
            list(aside.values_list("pk", flat=True)), SYSTEM, clock.now()
        )
        self._read_all()

    def _read_all(self) -> None:
        until = time.monotonic() + PATIENCE
        while _is_waiting():
            self._keep_two()
            time.sleep(0.1)
            if time.monotonic() > until:
                self.problems.append("what came in was not read to its end")
                return

    def _keep_two(self) -> list[int]:
        self.workers.listen(0)
        while len(self.workers.alive) < 2:
            self.workers.spawn()
        return sorted(self.workers.alive)


def _is_waiting() -> bool:
    try:
        return Item.objects.filter(state=ItemState.RECEIVED).exists()
    except DatabaseError:
        connection.close()
        return True


def _judge(keys: list[TrackingKey], shop: Shop) -> Iterator[Finding]:
    rows = [e for e in Event.objects.filter(kind__startswith="tracked.") if e.data["key"] in {key.pk for key in keys}]
    said = read_properties(rows)
    counts = Counter(said[event.position]["message_id"] for event in rows)
    lost = len(shop.thanked - counts.keys())
    yield Finding("every call that was thanked for is in the log", f"{lost} of {len(shop.thanked)} are not", lost == 0)
    double = sum(1 for count in counts.values() if count > 1)
    yield Finding("no call is there twice", f"{double} are", double == 0)
    aside = Item.objects.filter(state=ItemState.QUARANTINED).count()
    why = Counter(Item.objects.filter(state=ItemState.QUARANTINED).values_list("reason", flat=True))
    yield Finding("nothing was put into quarantine", f"{aside} {dict(why) or ''}", aside == 0)
    added = Counter(e.data["properties"]["cart_id"] for e in rows if e.kind == "tracked.product_added")
    lines = CartLine.objects.filter(cart__store=keys[0].store_id).values_list("cart__key", "quantity")
    # the visitors of two keys name the same carts, and a browser reaches its own person's only: each cart is somebody's
    total = sum(quantity for _, quantity in lines)
    yield Finding("carts hold what was added to them", f"{total} of {added.total()}", total == added.total())
    different = verify.differences()
    yield Finding("cards and the map of who is who follow from the facts", f"{len(different)} do not", not different)
