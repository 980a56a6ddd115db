"""What comes late, again, or in another order begins no mail: carts of a shop, and the workflow that writes about those left behind."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from regulars.connections.base.models import Connection
from regulars.connections.base.tests.contract import Contract, Sent, post, read_all
from regulars.connections.shopify.tests.test_contract import ShopifyStand
from regulars.foundation import clock
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.work.loops import Stop
from regulars.messages.drive import drive
from regulars.messages.library import install
from regulars.messages.models import Message
from regulars.messages.tests.sink import Sink
from regulars.record.carts.jobs import abandon
from regulars.record.carts.models import Cart
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.events.log import transaction
from regulars.workflows.operations import switch_on

pytestmark = pytest.mark.django_db
MAIL, MINUTE, DAY = "ada@ringstrasse.net", timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def stand() -> Iterator[ShopifyStand]:
    stand = ShopifyStand()
    with stand.fake:
        yield stand


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        write_setting("sending.enabled_at", (clock.now() - 30 * DAY).isoformat(), clock.now())
        yield sink


class House:
    """A connected shop whose left carts are written about, and its clock, which is ours too."""

    row = Contract.row

    @pytest.fixture(autouse=True)
    def workflow(
        self, stand: ShopifyStand, row: Connection, sink: Sink, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.stand, self.connection, self.client, self.now = stand, row, client, stand.now
        monkeypatch.setattr(clock, "now", lambda: self.now)
        brand = row.store.brand
        brand.postal_address, brand.website = "1 Road\nLondon", "https://shop.example"
        brand.save()
        with transaction("test") as log:
            said = ConsentInput(MAIL, ConsentState.GRANTED, self.now - DAY, "checkout")
            record_consents([said], brand.pk, log)
        switch_on(install("abandoned-cart", self.now), self.now)

    def pass_time(self, by: timedelta) -> None:
        self.now += by
        self.stand.pass_time(by)

    def fill(self) -> list[Sent]:
        """Somebody fills a cart and goes to the checkout; what the shop tells of it."""
        product = self.stand.fake.shop.add_product("Assam", variants=[{"price": 1250, "sku": "A"}])
        self.stand.deliveries()
        self.checkout = self.stand.fake.shop.add_checkout([(product.variants[0], 2)], email=MAIL)
        return self.stand.deliveries()

    def tell(self, sent: list[Sent]) -> None:
        for one in sent:
            assert post(self.client, self.connection, one) == 200
        read_all()

    def live(self) -> None:
        """Two hours and a half, in which everything happens that is due."""
        for _ in range(5):
            self.pass_time(30 * MINUTE)
            abandon(Stop(), self.now)
            drive(self.now)


class TestStaleWords(House):
    """Bars 7 and 8, as far as mails go; the record's side is in the contract and in ``test_arriving``."""

    def test_told_in_time_it_is_one_mail_and_told_again_after_a_month_no_second(self, sink: Sink) -> None:
        sent = self.fill()
        self.tell(sent)
        self.live()
        assert (len(sink.mails), Cart.objects.get().state) == (1, "abandoned")
        self.pass_time(29 * DAY)
        self.tell(sent)
        self.tell([self.stand.signed(one.body + b" ", one) for one in sent])
        self.live()
        assert (len(sink.mails), Message.objects.count(), Cart.objects.get().state) == (1, 1, "abandoned")

    def test_told_three_days_late_it_is_known_and_nobody_is_written_to(self, sink: Sink) -> None:
        sent = self.fill()
        self.pass_time(3 * DAY)
        self.tell(sent)
        self.live()
        assert (Cart.objects.get().state, Cart.objects.get().value_minor) == ("abandoned", 2500)
        assert (Message.objects.count(), sink.mails) == (0, [])

    @pytest.mark.parametrize("seed", range(2))
    def test_a_cart_that_was_ordered_is_not_written_about_whatever_came_first(self, sink: Sink, seed: int) -> None:
        sent = self.fill()
        self.pass_time(MINUTE)
        self.stand.fake.shop.update_checkout(self.checkout, note="soon")
        sent += self.stand.deliveries()
        self.pass_time(MINUTE)
        order = self.stand.fake.shop.finish_checkout(self.checkout)
        sent += self.stand.deliveries()
        self.stand.fake.shop.fulfil(order, company="DHL", tracking=["JD1"])
        sent += self.stand.deliveries()
        random.Random(seed).shuffle(sent)
        for one in sent:
            self.tell([one])
            drive(self.now)
        self.tell(sent)
        self.live()
        assert (Cart.objects.get().state, Message.objects.count(), sink.mails) == ("ordered", 0, [])
