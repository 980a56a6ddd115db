"""A shop to try a connection with by hand."""

from fakes.served import Served
from fakes.woocommerce import FakeWooCommerce, Shop
from fakes.woocommerce.history import History
from regulars.foundation import clock


def serve(port: int, orders: int, seed: int) -> Served:
    """Running, with a past, and with webhooks that go out by themselves."""
    shop = Shop()
    key = shop.keys.add("read_write")
    read = shop.keys.add("read")
    woo = FakeWooCommerce(shop, port=port, plain_callback=True, deliver=True)
    History(shop, clock.now(), seed).fill(products=30, customers=orders // 3, orders=orders)
    woo.start()
    return Served(
        f"A WooCommerce shop with {orders} orders at {woo.address}\n"
        f"  read and write: {key.consumer_key} {key.consumer_secret}\n"
        f"  read only:      {read.consumer_key} {read.consumer_secret}\n"
        f"  keys by asking: {woo.address}/wc-auth/v1/authorize?app_name=...&scope=read_write&user_id=...&return_url=...&callback_url=...",
        woo.stop,
    )
