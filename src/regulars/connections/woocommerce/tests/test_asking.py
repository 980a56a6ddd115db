"""What WooCommerce's webhooks tell in part only is asked for at once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from regulars.connections.base.models import Connection, PullKind
from regulars.connections.base.tests.contract import Contract, ask_all, post, pull, read_all, recorded
from regulars.connections.woocommerce.tests.test_contract import WooStand, missed
from regulars.record.orders.models import Refund, RefundLine

pytestmark = pytest.mark.django_db


@pytest.fixture
def stand() -> Iterator[WooStand]:
    stand = WooStand()
    with stand.server:
        yield stand


class TestAsking:
    row = Contract.row

    def test_a_refunds_day_and_lines_come_with_the_webhook(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        pull(row, PullKind.HISTORY)
        number = int(stand.place_order())
        self._tell(stand, row, client)
        assert ask_all() == 0  # of an order without refunds a webhook tells everything
        stand.pass_time(timedelta(seconds=5))
        stand.shop.refund(number, lines={stand.shop.orders[number]["line_items"][0]["id"]: 1})
        self._tell(stand, row, client)
        assert not RefundLine.objects.exists()
        assert ask_all() == 1
        assert (Refund.objects.get().occurred_at, RefundLine.objects.get().quantity) == (stand.now, 1)
        assert recorded(row) == stand.truth()
        assert missed(pull(row, PullKind.QUARTER)) == 0

    def test_of_an_order_that_is_gone_meanwhile_nothing_comes(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        number = int(stand.place_order())
        stand.shop.refund(number, "1.00")
        self._tell(stand, row, client)
        stand.shop.delete_order(number)
        assert ask_all() == 1
        assert not RefundLine.objects.exists()

    def _tell(self, stand: WooStand, row: Connection, client: Client) -> None:
        for one in stand.deliveries():
            assert post(client, row, one) == 200
        read_all()
