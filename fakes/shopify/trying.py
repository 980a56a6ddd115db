"""One fake shop to try by hand: its webhooks go out by themselves, and its time is this machine's."""

from fakes.served import Served
from fakes.shopify.seeding import fill
from fakes.shopify.serving import Courier, FakeShopify
from fakes.shopify.state import system_time


def serve(port: int, orders: int, seed: int) -> Served:
    fake = FakeShopify(port=port, seed=seed, now=system_time)
    fill(fake.shop, orders=orders, customers=max(orders // 3, 1), products=max(orders // 25, 3), seed=seed)
    fake.start()
    courier = Courier(fake).start()

    def stop() -> None:
        courier.stop()
        fake.stop()

    app = fake.shop.app
    notice = (
        f"A fake Shopify with {len(fake.shop.orders)} orders stands for https://{fake.shop.settings.domain}\n"
        f"  address        {fake.address}\n"
        f"  access token   {fake.token}\n"
        f"  client id      {app.client_id}\n"
        f"  client secret  {app.client_secret}"
    )
    return Served(notice, stop)
