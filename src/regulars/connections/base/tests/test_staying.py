"""Shops that are away for days, or take our key away: what was begun goes on once they are back."""

from datetime import datetime, timedelta

import pytest

from regulars.connections.base import jobs
from regulars.connections.base.client import TryLater, Unreachable
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState, Tell, TellState
from regulars.connections.base.operations.checking import check_webhooks
from regulars.connections.base.operations.connecting import complete_connection
from regulars.connections.base.operations.pulling import MOST_TRIES, pull_on
from regulars.connections.base.operations.telling import tell_shops
from regulars.connections.base.platforms import Account, ConsentChange, KeyRefused, Page, Refused
from regulars.connections.base.tests.contract import pull, read_all
from regulars.connections.base.tests.toy import Toy, order
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import Profile
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch) -> Pull:
    """Of five orders two are fetched, then nobody answers any more."""
    toy.shop.orders = {str(n): order(n) for n in range(5)}
    asked, real = Pull.objects.get(), toy.fetch

    def fetch(account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
        page = real(account, topic, cursor, since, at)
        toy.shop.away = Unreachable("Nobody answers.")
        return page

    with monkeypatch.context() as patched:
        patched.setattr(toy, "fetch", fetch)
        pull_on(asked.pk, clock.now)
    read_all()
    assert toy.shop.fetched == [""]
    return asked


def test_a_history_outlasts_a_shop_that_is_away_for_days(toy: Toy, row: Connection, history: Pull) -> None:
    for _ in range(MOST_TRIES + 10):
        pull_on(history.pk, clock.now)
    history.refresh_from_db()
    assert (history.state, history.problem) == (PullState.RUNNING, "Nobody answers.")
    toy.shop.away = None
    pull(row, PullKind.HISTORY)
    assert toy.shop.fetched == ["", "2", "4"]
    assert Order.objects.count() == 5
    assert Pull.objects.get().problem == ""


def test_a_history_goes_on_with_a_new_key(toy: Toy, row: Connection, history: Pull) -> None:
    toy.shop.away = Refused("The key was revoked.")
    pull_on(history.pk, clock.now)
    row.refresh_from_db()
    history.refresh_from_db()
    assert (row.state, row.problem) == (ConnectionState.FAILING, "The key was revoked.")
    assert (history.state, history.problem) == (PullState.RUNNING, "The key was revoked.")
    toy.shop.away = None
    complete_connection(row, {"key": "right"}, SYSTEM, clock.now())
    pull(row, PullKind.HISTORY)
    assert toy.shop.fetched == ["", "2", "4"]
    assert Order.objects.count() == 5


def test_a_history_that_is_stuck_holds_up_no_look(toy: Toy, row: Connection, history: Pull) -> None:
    at = clock.now() + timedelta(hours=2)
    pull_on(history.pk, clock.now)
    jobs.schedule(Stop(), at)
    assert Pull.objects.count() == 1
    for _ in range(MOST_TRIES):
        pull_on(history.pk, clock.now)
    jobs.schedule(Stop(), at)
    assert [one.kind for one in Pull.objects.order_by("pk")] == [PullKind.HISTORY, PullKind.QUARTER]


@pytest.mark.parametrize(
    "trouble", [Unreachable("Nobody answers."), KeyRefused("The key was revoked."), TryLater(30)], ids=str
)
def test_consent_waits_as_long_as_the_shop_is_away(
    toy: Toy, row: Connection, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(5)}
    pull(row, PullKind.HISTORY)
    at, asked, real = clock.now(), list[str](), toy.write_consent
    for profile in Profile.objects.order_by("pk"):
        Tell.objects.create(
            connection=row, profile=profile, channel="email", consent="denied", occurred_at=at, next_at=at
        )

    def write(account: Account, change: ConsentChange) -> None:
        asked.append(change.customer_key)
        real(account, change)

    monkeypatch.setattr(toy, "write_consent", write)
    toy.shop.away = trouble
    for turn in range(100):
        tell_shops(Stop(), at + timedelta(hours=turn))
    assert len(asked) == 100  # one call each time, not one for everybody
    assert {(tell.state, bool(tell.problem)) for tell in Tell.objects.all()} == {(TellState.WAITING, True)}
    toy.shop.away = None
    tell_shops(Stop(), at + timedelta(hours=100))
    assert sorted(change.customer_key for change in toy.shop.told) == ["c0", "c1", "c2", "c3", "c4"]
    assert {tell.state for tell in Tell.objects.all()} == {TellState.TOLD}


def test_who_comes_new_while_the_shop_is_away_moves_nothing_of_what_was_put_off(toy: Toy, row: Connection) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(3)}
    pull(row, PullKind.HISTORY)
    at, toy.shop.away = clock.now(), KeyRefused("The key was revoked.")
    first, second, third = Profile.objects.order_by("pk")

    def say(*profiles: Profile, at: datetime) -> None:
        for one in profiles:
            Tell.objects.create(
                connection=row, profile=one, channel="email", consent="denied", occurred_at=at, next_at=at
            )

    say(first, second, at=at)
    for minutes in range(0, 300, 30):
        tell_shops(Stop(), at + timedelta(minutes=minutes))
    soon = at + timedelta(minutes=280)
    say(third, at=soon)
    tell_shops(Stop(), soon)
    moments = dict(Tell.objects.values_list("profile", "next_at"))
    put_off = at + timedelta(minutes=302)
    assert moments == {first.pk: put_off, second.pk: put_off, third.pk: soon + timedelta(minutes=32)}


def test_a_shop_that_asks_to_wait_for_hours_is_told_of(toy: Toy, row: Connection) -> None:
    """A page of maintenance answers 503 with a time after which it answers so again."""
    at = clock.now()
    check_webhooks(row.pk, lambda: at)
    toy.shop.away = TryLater(600)

    def look(hours: int) -> tuple[str, str, datetime | None]:
        check_webhooks(row.pk, lambda: at + timedelta(hours=hours))
        row.refresh_from_db()
        return row.state, row.problem, row.checked_at

    said = [look(hours) for hours in (1, 2, 3)]
    failing = (ConnectionState.FAILING, "The shop asks us to wait 600 seconds.", at)
    assert said == [(ConnectionState.ACTIVE, "", at)] * 2 + [failing]
    toy.shop.away = None
    assert look(4) == (ConnectionState.ACTIVE, "", at + timedelta(hours=4))


def test_one_consent_at_which_the_shop_always_stumbles_holds_up_no_other(
    toy: Toy, row: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.shop.orders = {str(n): order(n) for n in range(5)}
    pull(row, PullKind.HISTORY)
    at, real = clock.now(), toy.write_consent
    for profile in Profile.objects.order_by("pk"):
        Tell.objects.create(
            connection=row, profile=profile, channel="email", consent="denied", occurred_at=at, next_at=at
        )

    def write(account: Account, change: ConsentChange) -> None:
        if change.customer_key == "c0":
            raise Unreachable("The shop answers with the error 500.")
        real(account, change)

    monkeypatch.setattr(toy, "write_consent", write)
    for turn in range(2):
        tell_shops(Stop(), at + timedelta(hours=turn))
    assert sorted(change.customer_key for change in toy.shop.told) == ["c1", "c2", "c3", "c4"]
    assert sorted(tell.state for tell in Tell.objects.all()) == [TellState.TOLD] * 4 + [TellState.WAITING]
