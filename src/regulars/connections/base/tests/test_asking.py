"""What a webhook told in part only is asked for at once, and nothing hangs on it."""

from datetime import timedelta

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from regulars.connections.base import jobs  # noqa: F401  the parser of what shops tell
from regulars.connections.base.client import Unreachable
from regulars.connections.base.models import Connection, Pull, PullKind
from regulars.connections.base.operations.asking import ASK_JOB, MOST_AT_ONCE
from regulars.connections.base.operations.connecting import end_connection
from regulars.connections.base.tests.contract import ask_all, post, pull, read_all
from regulars.connections.base.tests.toy import Toy, order, signed
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item
from regulars.record.events.models import Event
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


def _tell(client: Client, row: Connection, *numbers: str) -> None:
    for number in numbers:
        assert post(client, row, signed(row, b'{"changed": "%s"}' % number.encode())) == 200
    read_all()


def test_the_rest_comes_at_once_once_and_is_nothing_missed(toy: Toy, row: Connection, client: Client) -> None:
    pull(row, PullKind.HISTORY)
    toy.shop.orders["7"] = order(7)
    toy.shop.fetched.clear()
    _tell(client, row, "7", "7")
    assert not Order.objects.exists()
    [job] = ProcrastinateJob.objects.filter(task_name=ASK_JOB)
    assert job.args == {"connection_id": row.pk, "topic": "orders", "key": "7"}
    assert timedelta(0) < job.scheduled_at - clock.now() < timedelta(seconds=6)
    assert (ask_all(), toy.shop.fetched) == (1, ["orders 7"])
    assert list(Order.objects.values_list("external_id", "total_minor")) == [("7", 1250)]
    assert Event.objects.filter(kind="order.placed", is_history=False).count() == 1
    found = pull(row, PullKind.QUARTER).counts["orders"]
    assert (found.get("new", 0), found.get("changed", 0)) == (0, 0)


def test_whatever_goes_wrong_is_left_to_the_next_look(toy: Toy, row: Connection, client: Client) -> None:
    pull(row, PullKind.HISTORY)
    kept = Item.objects.count()
    toy.shop.orders["7"] = order(7)
    _tell(client, row, "7", "gone")
    toy.shop.away = Unreachable("The shop does not answer.")
    assert ask_all() == 2
    toy.shop.away = None
    _tell(client, row, "gone")
    assert (ask_all(), Item.objects.count()) == (1, kept + 3)
    assert not Order.objects.exists()
    assert pull(row, PullKind.QUARTER).counts["orders"]["new"] == 1


def test_a_shop_with_much_to_tell_and_one_that_has_ended_are_not_asked(
    toy: Toy, row: Connection, client: Client
) -> None:
    _tell(client, row, *map(str, range(MOST_AT_ONCE)))
    assert ProcrastinateJob.objects.filter(task_name=ASK_JOB).count() == MOST_AT_ONCE
    for number in range(100, 101 + MOST_AT_ONCE):
        assert post(client, row, signed(row, b'{"changed": "%d"}' % number)) == 200
    read_all()
    assert ProcrastinateJob.objects.filter(task_name=ASK_JOB).count() == MOST_AT_ONCE
    toy.shop.fetched.clear()
    end_connection(row, SYSTEM, clock.now())
    assert ask_all() == MOST_AT_ONCE
    assert toy.shop.fetched == []
    assert Pull.objects.filter(connection=row).count() == 1
