"""What every platform must pass, played against a fake shop that was written by other hands.

A platform's tests subclass ``Contract`` and give a ``Stand``. Time is real only where the fake's is; no test sleeps.
"""

import contextlib
import copy
import json
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

import regulars.connections.base.jobs  # noqa: F401  the parser that reads what shops tell
from fakes.disturbing import Disturbance
from regulars.connections.base import accounts
from regulars.connections.base.accounts import Secrets, keep_secrets, read_secrets
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState
from regulars.connections.base.operations import pulling
from regulars.connections.base.operations.asking import ASK_JOB, ask_on
from regulars.connections.base.operations.connecting import (
    begin_connection,
    complete_connection,
    end_connection,
    renew_secret,
)
from regulars.connections.base.operations.pulling import begin_pull, pull_on
from regulars.connections.base.platforms import PLATFORMS
from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.tokens import create_token
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.bulk import execute
from regulars.foundation.ids import to_public
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.queries import open_item
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.catalog.models import Product
from regulars.record.customers.models import Customer
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

TURNS = 400  # of a pull; more would be a defect
VECTOR = b'{"id":820982911946154508,"total_price":"403.00"}'
DEEP = 5_000
POISON = [
    b"",
    b"\x00",
    b"[" * 100_000,
    b"[" * DEEP + b"]" * DEEP,
    b'{"id": 7, "note": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"id": ' + b"9" * 5_000 + b"}",
    b'{"id": "\\ud800"}',
    b'{"id": "\\u0000", "email": "a\\u0000@shop-guest.net"}',
    b'{"id": 1e400, "total": 1e400, "total_price": -1e400}',
    b'{"id": NaN}',
    b"NaN",
    b'"x"',
    b"null",
    b"[1, null, {}]",
    b'{"id": {"a": []}}',
    b"\xff\xfe{}",
]
MOST_BENT, MOST_SHOWN = 8, 2  # 120 of each kind were tried too
SHOWN: dict[str, Any] = {"orders": Order, "customers": Customer, "products": Product}
WRONG: list[Any] = [None, "", "x", -1, 1.5, True, [], [7], {}, {"a": []}, "\x00", "\ud800", "9" * 400, 10**30, "1e400"]


@dataclass(frozen=True)
class Sent:
    """One delivery as the shop sends it."""

    headers: Mapping[str, str]
    body: bytes


class Stand(ABC):
    """A fake shop, and what the contract does with it. Amounts are in minor units of the shop's currency."""

    platform: ClassVar[str]
    vector: ClassVar[
        tuple[str, str, str]
    ]  # a secret, the header of the signature, and what it is of ``VECTOR``, by the reference
    address: str
    disturbance: Disturbance
    now: datetime  # the fake's clock; ``pass_time`` moves it

    @abstractmethod
    def served(self) -> AbstractContextManager[object]:
        """The shop answers while the block lasts."""

    @abstractmethod
    def credentials(self) -> dict[str, str]: ...

    def signing(self) -> str:
        """The secret that signs webhooks where the platform chooses it; '' where we do."""
        return ""

    @abstractmethod
    def pass_time(self, by: timedelta) -> None: ...

    @abstractmethod
    def place_order(self) -> str:
        """A new order, with its customer; the platform's own id of it, as ``OrderInput.external_id`` has it."""

    @abstractmethod
    def advance_order(self, key: str) -> None:
        """Takes the order a step further: paid, sent, refunded in part, cancelled ..."""

    @abstractmethod
    def deliver(self, send: Callable[[Sent], int]) -> None:
        """Hands over what the shop has to send since the last call, in its order, built now; ``send`` gives the status of the answer."""

    def deliveries(self) -> list[Sent]:
        """The same, all of it thanked for."""
        sent: list[Sent] = []

        def thank(one: Sent) -> int:
            sent.append(one)
            return 200

        self.deliver(thank)
        return sent

    @abstractmethod
    def truth(self) -> dict[str, tuple[str, int, int]]:
        """By order id: its state as ``Order.status`` has it, its total, and what was given back of it."""

    @abstractmethod
    def signed(self, body: bytes, like: Sent, secret: str = "") -> Sent:
        """Other bytes with the headers of a delivery, signed with this secret; '' is the one that is good."""


class Contract:
    """The tests. ``stand`` is a fixture of the subclass's module."""

    @pytest.fixture
    def row(self, stand: Stand, db: None, settings: Any) -> Iterator[Connection]:
        """A connection to the stand, its webhooks made, its history not fetched yet."""
        settings.REACHABLE = [stand.address.partition("://")[2]]
        accounts.client_of.cache_clear()
        brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@example.org")
        store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP", time_zone="Europe/London")
        row = begin_connection(stand.platform, store, stand.address, SYSTEM, clock.now())
        calm = accounts.client_of(stand.platform, row.address)
        calm.sleep = lambda seconds: None
        calm.clock = lambda: time.monotonic() * 1000  # a minute for which a shop asks is over soon
        complete_connection(row, stand.credentials(), SYSTEM, clock.now(), signing=stand.signing())
        row.refresh_from_db()
        PLATFORMS[stand.platform].ensure_webhooks(
            accounts.account_of(row, clock.now()), f"https://crm.example/hooks/{row.platform}/{row.public_id}"
        )
        yield row
        accounts.client_of.cache_clear()

    # --- history ---

    def test_history_is_all_there_and_starts_nothing(self, stand: Stand, row: Connection) -> None:
        keys = [stand.place_order() for _ in range(7)]
        for key in keys[:4]:
            stand.advance_order(key)
        pull(row, PullKind.HISTORY)
        assert recorded(row) == stand.truth()
        assert not Event.objects.filter(is_history=False).exclude(kind__startswith="connection.").exists()
        assert not Item.objects.exclude(state=ItemState.PARSED).exists()

    def test_a_pull_that_is_killed_at_any_page_goes_on(
        self, stand: Stand, row: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(5):
            stand.place_order()
        rolls = random.Random(7)

        def die(point: str) -> None:
            if rolls.random() < 0.4:
                raise KeyboardInterrupt

        monkeypatch.setattr(pulling, "crash_point", die)
        pull(row, PullKind.HISTORY)
        assert recorded(row) == stand.truth()
        assert not Item.objects.exclude(state=ItemState.PARSED).exists()

    @pytest.mark.parametrize("fault", ["throttled", "broken", "dropped", "truncated", "shifted"])
    def test_a_shop_that_misbehaves_is_fetched_all_the_same(self, stand: Stand, row: Connection, fault: str) -> None:
        for _ in range(6):
            stand.place_order()
        setattr(stand.disturbance, fault, 0.3)
        pull(row, PullKind.HISTORY)
        setattr(stand.disturbance, fault, 0)
        pull(row, PullKind.NIGHT)
        assert recorded(row) == stand.truth()

    # --- webhooks ---

    def test_webhooks_in_any_order_and_often_end_in_the_same_record(
        self, stand: Stand, row: Connection, client: Client
    ) -> None:
        sent: list[Sent] = []
        keys = [stand.place_order() for _ in range(3)]
        sent += stand.deliveries()
        for _ in range(3):
            for key in keys:
                stand.pass_time(timedelta(seconds=2))
                stand.advance_order(key)
                sent += stand.deliveries()
        random.Random(11).shuffle(sent)
        for one in [*sent, *sent]:
            assert post(client, row, one) == 200
        read_all()
        assert recorded(row) == stand.truth()
        before = Event.objects.count()
        for one in sent:
            assert post(client, row, one) == 200
        read_all()
        assert Event.objects.count() == before

    def test_a_delivery_of_which_one_byte_differs_is_refused(
        self, stand: Stand, row: Connection, client: Client
    ) -> None:
        """Bar 1, with the vectors of the reference: 401 and nothing stored for every byte of body and signature."""
        stand.place_order()
        like, (secret, name, signature) = stand.deliveries()[0], stand.vector
        _sign_with(row, secret)
        headers = {**like.headers, name: signature}
        bad = [Sent(headers, _flipped(VECTOR, at)) for at in range(len(VECTOR))]
        bad += [
            Sent(headers | {name: _flipped(signature.encode(), at).decode()}, VECTOR) for at in range(len(signature))
        ]
        bad += [Sent(headers | {name: strange}, VECTOR) for strange in ("é" + signature, "é", "", signature * 2)]
        bad += [Sent({k: v for k, v in headers.items() if k != name}, VECTOR)]
        bad += [stand.signed(VECTOR, like, "the secret of another store")]
        assert [post(client, row, one) for one in bad] == [401] * len(bad)
        assert not Item.objects.exists()
        assert post(client, row, Sent(headers, VECTOR)) == 200

    def test_a_body_is_checked_as_it_came(self, stand: Stand, row: Connection, client: Client) -> None:
        """Bar 2."""
        stand.place_order()
        one = stand.deliveries()[0]
        said = json.loads(one.body)
        again = [
            json.dumps(said, indent=1),
            json.dumps(said, sort_keys=True),
            json.dumps(said, separators=(" ,", ": ")),
        ]
        assert [post(client, row, Sent(one.headers, text.encode())) for text in again] == [401] * 3
        assert not Item.objects.exists()
        odd = [b' {"id" :\r\n 1, "note": "\xf0\x9f\x8d\x93" } ', b'{"b":1,\t"a":2}\r\n', one.body]
        assert [post(client, row, stand.signed(body, one)) for body in odd] == [200] * 3
        assert sorted(open_item(item)[1] for item in Item.objects.all()) == sorted(odd)

    def test_a_renewed_secret_and_the_one_before_are_both_good_for_a_while(
        self, stand: Stand, row: Connection, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bar 3."""
        stand.place_order()
        old, at = stand.deliveries()[0], clock.now()
        renew_secret(row, SYSTEM, at, signing="another secret altogether")

        def answers(after: timedelta) -> list[int]:
            monkeypatch.setattr(clock, "now", lambda: at + after)
            new = stand.signed(b'{"after": "%d"}' % after.seconds, old, "another secret altogether")
            return [post(client, row, old), post(client, row, new)]

        assert answers(timedelta(0)) == answers(timedelta(minutes=61)) == [200, 200]
        assert answers(timedelta(hours=3)) == answers(timedelta(days=3)) == [401, 200]

    def test_what_cannot_be_read_waits_apart_and_the_next_is_read(
        self, stand: Stand, row: Connection, client: Client
    ) -> None:
        """Bar 11: the corpus, and values of each kind of delivery with everything in their place that they should not be."""
        stand.advance_order(stand.place_order())
        like, *more = stand.deliveries()
        for body in POISON:
            assert post(client, row, stand.signed(body, like)) == 200
        assert post(client, row, stand.signed(b'"' + b"x" * 10_000_000 + b'"', like)) == 413
        for one in {tuple(json.loads(sent.body)): sent for sent in (like, *more)}.values():
            for body in _with_wrong_types(json.loads(one.body)):
                assert post(client, row, stand.signed(body, one)) == 200
        key = stand.place_order()
        for one in stand.deliveries():
            assert post(client, row, one) == 200
        read_all()
        assert recorded(row)[key] == stand.truth()[key]
        assert not Item.objects.filter(state=ItemState.RECEIVED).exists()
        apart = Item.objects.filter(state=ItemState.QUARANTINED)
        assert apart.count() >= len(POISON) - 3  # what says nothing of anything is read, as a word about nobody
        assert "" not in apart.values_list("reason", flat=True)
        _read_back()

    def test_what_comes_days_late_or_again_after_a_month_is_taken_for_what_it_is(
        self, stand: Stand, row: Connection, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = stand.place_order()
        sent, at = stand.deliveries(), clock.now()
        monkeypatch.setattr(clock, "now", lambda: at + timedelta(days=3))
        for one in sent:
            assert post(client, row, one) == 200
        read_all()
        assert recorded(row) == stand.truth()
        placed = Event.objects.get(kind="order.placed")
        assert clock.now() - placed.occurred_at > timedelta(days=2)  # what asks how fresh it is, sees that it is not
        before = Event.objects.count()
        monkeypatch.setattr(clock, "now", lambda: at + timedelta(days=29))
        for one in sent:
            assert post(client, row, one) == 200
            assert post(client, row, stand.signed(one.body + b" ", one)) == 200
        read_all()
        assert (recorded(row)[key], Event.objects.count()) == (stand.truth()[key], before)

    def test_an_ended_connection_wants_nothing_more(self, stand: Stand, row: Connection, client: Client) -> None:
        stand.place_order()
        one = stand.deliveries()[0]
        PLATFORMS[stand.platform].remove_webhooks(
            accounts.account_of(row, clock.now()), f"https://crm.example/hooks/{row.platform}/{row.public_id}"
        )
        end_connection(row, SYSTEM, clock.now())
        assert post(client, row, one) == 410
        stand.place_order()
        assert stand.deliveries() == []
        assert not Item.objects.exists()

    # --- reconciliation ---

    def test_what_webhooks_missed_is_found_and_counted(self, stand: Stand, row: Connection, client: Client) -> None:
        pull(row, PullKind.HISTORY)
        rolls, lost = random.Random(3), 0
        for _ in range(10):
            stand.pass_time(timedelta(seconds=3))
            stand.place_order()
            sent = stand.deliveries()
            if rolls.random() < 0.3:
                lost += 1
                continue
            for one in sent:
                assert post(client, row, one) == 200
        read_all()
        assert len(recorded(row)) == 10 - lost
        assert lost > 0
        done = pull(row, PullKind.QUARTER)
        assert recorded(row) == stand.truth()
        assert sum(one.get("new", 0) for topic, one in done.counts.items() if topic == "orders") == lost
        again = pull(row, PullKind.HAND)
        assert sum(one.get("new", 0) + one.get("changed", 0) for one in again.counts.values()) == 0

    def test_webhooks_that_the_shop_lost_are_made_again(self, stand: Stand, row: Connection) -> None:
        platform, account = PLATFORMS[stand.platform], accounts.account_of(row, clock.now())
        address = f"https://crm.example/hooks/{row.platform}/{row.public_id}"
        platform.remove_webhooks(account, address)
        report = platform.ensure_webhooks(account, address)
        assert report.made == report.wanted > 0
        assert platform.ensure_webhooks(account, address).made == 0


def post(client: Client, row: Connection, sent: Sent) -> int:
    """The status that the shop gets."""
    headers = {
        name: value
        for name, value in sent.headers.items()
        if name.lower() not in ("content-type", "host", "content-length")
    }
    kind = next((v for k, v in sent.headers.items() if k.lower() == "content-type"), "application/json")
    address = f"/hooks/{row.platform}/{row.public_id}"
    return client.post(address, data=sent.body, content_type=kind, headers=headers).status_code


def _flipped(text: bytes, at: int) -> bytes:
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


def _sign_with(row: Connection, secret: str) -> None:
    keep_secrets(row, Secrets(read_secrets(row).credentials, secret))
    row.save(update_fields=["sealed"])


def _with_wrong_types(thing: Any) -> Iterator[bytes]:
    """The body, each time with something else in the place of one value, at whatever depth it stands."""
    dice, places = random.Random(11), list(_places(thing))
    for place in dice.sample(places, min(len(places), MOST_BENT)):
        bent = copy.deepcopy(thing)
        inner = bent
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = dice.choice(WRONG)
        yield json.dumps(bent).encode()


def _places(thing: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for step, value in inside:
        yield (*before, step)
        yield from _places(value, (*before, step))


def _read_back() -> None:
    """Every row that is there now, as pages and programs read it."""
    member, _ = create_staff("reader@shop.example", "owner", SYSTEM, clock.now())
    browser = Client()
    browser.force_login(member)
    pages = ["/orders", "/customers", "/products", "/carts", "/coupons", "/refunds", "/sold", "/settings/connections"]
    for name, model in SHOWN.items():
        pages += [f"/{name}/{to_public(model.PREFIX, one.uid)}" for one in model.objects.all()[:MOST_SHOWN]]
    pages += ["/settings/inbox", "/settings/inbox?state=quarantined"]
    pages += [f"/settings/inbox/{number}?open=1" for number in Item.objects.values_list("pk", flat=True)[:MOST_SHOWN]]
    assert {page: status for page in pages if (status := browser.get(page).status_code) != 200} == {}
    _, token = create_token("reader", ["all"], SYSTEM, clock.now())
    for name in ("customers", "orders", "products", "events", "carts", "coupons"):
        answer = browser.get(f"/api/v1/{name}?limit=200", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, (name, answer.content)


def read_all() -> None:
    while read_waiting(Stop(), clock.now()):
        pass


def ask_all() -> int:
    """Carries out what waits to be asked for at once, and reads it; how much it was."""
    there = list(Connection.objects.values_list("pk", flat=True))
    waiting = ProcrastinateJob.objects.filter(task_name=ASK_JOB, status="todo", args__connection_id__in=there)
    jobs = list(waiting.order_by("id"))
    for job in jobs:
        ask_on(**job.args, clock=clock.now)
        execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job.pk])
    read_all()
    return len(jobs)


def pull(row: Connection, kind: PullKind) -> Pull:
    """A pull from its beginning to its end, as workers would do it; one that is killed is taken up again."""
    asked = Pull.objects.filter(connection=row, kind=kind).exclude(state__in=(PullState.DONE, PullState.FAILED)).first()
    asked = asked or begin_pull(row, kind, clock.now())
    assert asked is not None
    for _ in range(TURNS):
        with contextlib.suppress(KeyboardInterrupt):
            pull_on(asked.pk, clock.now)
        read_all()
        asked.refresh_from_db()
        if asked.state in (PullState.DONE, PullState.FAILED):
            break
    assert asked.state == PullState.DONE, asked.problem
    assert Connection.objects.get(pk=row.pk).state == ConnectionState.ACTIVE
    return asked


def recorded(row: Connection) -> dict[str, tuple[str, int, int]]:
    """What the record says of the store's orders, as ``Stand.truth`` has it."""
    rows = Order.objects.filter(store=row.store_id).prefetch_related("refunds")
    return {
        order.external_id: (order.status, order.total_minor, sum(refund.amount_minor for refund in order.refunds.all()))
        for order in rows
    }
