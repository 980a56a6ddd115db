"""A fake WooCommerce shop.

    with FakeWooCommerce(Shop(clock=lambda: at)) as woo:
        key = woo.shop.keys.add("read_write")
        order = woo.shop.add_order([(woo.shop.add_product(), 2)], email="a@people.test")
        ... a client reads woo.address with key.consumer_key and key.consumer_secret ...
        woo.shop.webhooks.deliver_all()
        assert what_the_client_has == woo.shop.truth()

It is written from WooCommerce's documents, source and recorded payloads. What they do not have is refused with 400 and a code that begins
with ``fake_unknown_``; what they have and the fake has not, with 501 and ``fake_not_built``. ``shop.disturbance`` makes answers and
deliveries go wrong.
"""

import ssl
from types import TracebackType
from typing import Self

from fakes.server import FakeServer
from fakes.woocommerce.answering import Answering
from fakes.woocommerce.shop import Shop

__all__ = ["FakeWooCommerce", "Shop"]


class FakeWooCommerce:
    """The shop on a port of 127.0.0.1. ``deliver``: webhooks go out in a thread; without it, by ``shop.webhooks.deliver_all()``."""

    def __init__(
        self,
        shop: Shop | None = None,
        *,
        port: int = 0,
        certificate: ssl.SSLContext | None = None,
        plain_callback: bool = False,
        deliver: bool = False,
    ) -> None:
        self.shop = shop or Shop()
        self.answering = Answering(self.shop, plain_callback)
        self.server = FakeServer(
            self.answering.answer,
            port=port,
            disturbance=self.shop.disturbance,
            certificate=certificate,
            shift=self.shop.shift,
        )
        self.shop.home = self.shop.home or self.server.address
        self._delivers = deliver

    @property
    def address(self) -> str:
        return self.server.address

    def start(self) -> Self:
        self.server.start()
        if self._delivers:
            self.shop.webhooks.start()
        return self

    def stop(self) -> None:
        self.shop.webhooks.stop()
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
