"""Shops that are away for days, or take our key away: what was begun goes on once they are back."""

from datetime import datetime, timedelta

import pytest

from regulars.connections.base import jobs
from regulars.connections.base.client import Unreachable
from regulars.connections.base.models import Connection, ConnectionState, Pull, PullKind, PullState
from regulars.connections.base.operations.connecting import complete_connection
from regulars.connections.base.operations.pulling import MOST_TRIES, pull_on
from regulars.connections.base.platforms import Account, Page, Refused
from regulars.connections.base.tests.contract import pull, read_all
from regulars.connections.base.tests.toy import Toy, order
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.work.loops import Stop
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
