"""What WooCommerce's webhooks tell in part only is asked for at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from regulars.connections.base.models import Connection, PullKind
from regulars.connections.base.tests.contract import Contract, ask_all, post, pull, read_all, recorded
from regulars.connections.woocommerce.tests.test_contract import WooStand, missed
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.orders.models import Fulfilment, Order, Refund, RefundLine

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

    def test_parcels_of_the_shops_own_come_with_the_webhook(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        pull(row, PullKind.HISTORY)
        number = int(stand.place_order())
        self._tell(stand, row, client)
        assert _order(number).fulfilment_status == "unfulfilled"
        stand.pass_time(timedelta(seconds=5))
        stand.shop.fulfil(number, "JJD001", is_all=False)
        self._tell(stand, row, client)
        assert (_order(number).fulfilment_status, parcels()) == ("partial", [])
        assert ask_all() == 1
        assert parcels() == [("dhl", "JJD001", "", stand.now)]
        stand.pass_time(timedelta(minutes=2))
        sent = {"_tracking_url": "https://ups.example/1Z9", "_date_fulfilled": "2026-05-04 03:02:01"}
        stand.shop.fulfil(number, "1Z9", "ups", sent)
        self._tell(stand, row, client)
        assert _order(number).fulfilment_status == "fulfilled"
        assert len(parcels()) == 1  # the webhook tells none, and takes none away
        assert ask_all() == 1
        left = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
        assert parcels()[0] == ("ups", "1Z9", "https://ups.example/1Z9", left)
        assert len(parcels()) == 2
        assert missed(pull(row, PullKind.QUARTER)) == 0
        assert (recorded(row), len(parcels())) == (stand.truth(), 2)

    def test_parcels_of_the_past_come_with_the_history(self, stand: WooStand, row: Connection) -> None:
        number = int(stand.place_order())
        for tracking in ("JJD001", "a draft", "deleted again"):
            stand.shop.fulfil(number, tracking)
        _, draft, deleted = stand.shop.fulfillments[number]
        draft["is_fulfilled"], deleted["date_deleted"] = False, deleted["date_updated"]
        pull(row, PullKind.HISTORY)
        assert parcels() == [("dhl", "JJD001", "", stand.now)]
        assert _order(number).fulfilment_status == "fulfilled"

    def test_parcels_that_cannot_be_asked_for_hold_up_no_order(
        self, stand: WooStand, row: Connection, client: Client
    ) -> None:
        number = int(stand.place_order())
        stand.shop.fulfil(number, "JJD001")
        stand.shop.has_fulfillments = False
        pull(row, PullKind.HISTORY)
        assert (_order(number).fulfilment_status, parcels()) == ("fulfilled", [])
        assert recorded(row) == stand.truth()

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


def _order(number: int) -> Order:
    return Order.objects.get(external_id=str(number))


def parcels() -> list[tuple[str, str, str, datetime]]:
    """Present ones, the newest carrier first: carrier, number, link, and when it left."""
    there = Fulfilment.objects.filter(until_batch=None).select_related("order").order_by("-carrier", "pk")
    plain = keys.find_keys(one.order.profile_id or 0 for one in there)

    def clear(one: Fulfilment, column: str) -> str:
        sealed, cell = getattr(one, column), Cell("orders_fulfilment", column, one.pk)
        return unseal(plain[one.order.profile_id or 0], bytes(sealed), cell).decode() if sealed else ""

    return [(one.carrier, clear(one, "tracking_number"), clear(one, "tracking_url"), one.occurred_at) for one in there]
