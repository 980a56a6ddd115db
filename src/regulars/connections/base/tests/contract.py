"""What every platform must pass, played against a fake shop that was written by other hands.

A platform's tests subclass ``Contract`` and give a ``Stand``. Time is real only where the fake's is; no test sleeps.
"""

import contextlib
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client

import regulars.connections.base.jobs  # noqa: F401  the parser that reads what shops tell
from fakes.disturbing import Disturbance
from regulars.connections.base import accounts
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState
from regulars.connections.base.operations import pulling
from regulars.connections.base.operations.connecting import (
    begin_connection,
    complete_connection,
    end_connection,
    renew_secret,
)
from regulars.connections.base.operations.pulling import begin_pull, pull_on
from regulars.connections.base.platforms import PLATFORMS
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

TURNS = 400  # of a pull; more would be a defect


@dataclass(frozen=True)
class Sent:
    """One delivery as the shop sends it."""

    headers: Mapping[str, str]
    body: bytes


class Stand(ABC):
    """A fake shop, and what the contract does with it. Amounts are in minor units of the shop's currency."""

    platform: ClassVar[str]
    address: str
    disturbance: Disturbance
    now: datetime  # the fake's clock; ``pass_time`` moves it

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
    def deliveries(self) -> list[Sent]:
        """What the shop has to send since the last call, in its order, built when it is asked for."""

    @abstractmethod
    def truth(self) -> dict[str, tuple[str, int, int]]:
        """By order id: its state as ``Order.status`` has it, its total, and what was given back of it."""

    @abstractmethod
    def signed(self, body: bytes, like: Sent) -> Sent:
        """Other bytes with the headers of a delivery, rightly signed."""


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

    def test_only_what_the_shop_signed_is_taken(self, stand: Stand, row: Connection, client: Client) -> None:
        stand.place_order()
        one = stand.deliveries()[0]
        name = next(name for name in one.headers if name.lower().endswith(("hmac-sha256", "signature")))
        signature = one.headers[name]
        bad = [
            Sent(one.headers, one.body[:at] + bytes([one.body[at] ^ 1]) + one.body[at + 1 :])
            for at in (0, len(one.body) // 2, len(one.body) - 1)
        ]
        bad += [
            Sent(
                {**one.headers, name: signature[:at] + ("A" if signature[at] != "A" else "B") + signature[at + 1 :]},
                one.body,
            )
            for at in (0, 20)
        ]
        bad += [Sent({**one.headers, name: "é" + signature}, one.body), Sent({**one.headers, name: ""}, one.body)]
        bad += [Sent({k: v for k, v in one.headers.items() if k != name}, one.body)]
        bad += [Sent(one.headers, json.dumps(json.loads(one.body), indent=1, sort_keys=True).encode())]
        assert [post(client, row, each) for each in bad] == [401] * len(bad)
        assert not Item.objects.exists()
        odd = stand.signed(b' {"id" :\r\n 1, "note": "\xf0\x9f\x8d\x93" } ', one)
        assert post(client, row, odd) == 200

    def test_a_renewed_secret_and_the_one_before_are_both_good_for_a_while(
        self, stand: Stand, row: Connection, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand.place_order()
        one = stand.deliveries()[0]
        at = clock.now()
        renew_secret(row, SYSTEM, at, signing="another secret altogether")
        monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=61))
        assert post(client, row, one) == 200
        monkeypatch.setattr(clock, "now", lambda: at + timedelta(hours=3))
        assert post(client, row, one) == 401

    def test_what_cannot_be_read_waits_apart_and_the_next_is_read(
        self, stand: Stand, row: Connection, client: Client
    ) -> None:
        stand.place_order()
        good = stand.deliveries()
        poison = [
            b"\x00",
            b"[" * 100_000,
            b'{"id": ' + b"9" * 5_000 + b"}",
            b'{"id": "\\ud800"}',
            b"NaN",
            b'"x"',
            b'{"id": {"a": []}}',
        ]
        for body in poison:
            assert post(client, row, stand.signed(body, good[0])) == 200
        for one in good:
            assert post(client, row, one) == 200
        read_all()
        assert recorded(row) == stand.truth()
        assert Item.objects.filter(state=ItemState.QUARANTINED).count() >= len(poison) - 1
        assert not Item.objects.filter(state=ItemState.RECEIVED).exists()

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


def read_all() -> None:
    while read_waiting(Stop(), clock.now()):
        pass


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
