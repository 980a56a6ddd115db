"""One fake shop to try by hand: its time is this machine's, every ten seconds something happens, webhooks go out by themselves."""

import threading
from collections.abc import Callable
from random import Random

from fakes.served import Served
from fakes.shopify.seeding import Sower, fill
from fakes.shopify.serving import Courier, FakeShopify
from fakes.shopify.settings import Clock
from fakes.shopify.shop import Shop
from fakes.shopify.state import system_time

PAUSE = 10.0


class Life:
    """Customers of a shop that has a past: they buy, leave checkouts, change their minds."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop, self._random = shop, Random(seed)  # noqa: S311  the same life again
        self._sower, self._count = Sower(shop, self._random, Clock()), 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Life":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(PAUSE):
            self.go_on()

    def go_on(self) -> None:
        """One happening."""
        with self._shop.lock:
            self._count += 1
            happenings: tuple[Callable[[], object], ...] = (
                self._buy,
                self._leave,
                self._decide,
                self._stock,
                self._return,
            )
            self._random.choices(happenings, (5, 2, 1, 1, 1))[0]()

    def _buy(self) -> None:
        self._sower.order(list(self._shop.customers.values()), self._shop.variants(), 50_000 + self._count)

    def _leave(self) -> None:
        variant = self._random.choice(self._shop.variants())
        cart = self._shop.add_cart([(variant, 1)])
        self._shop.add_checkout([(variant, 2)], cart=cart, email=f"left{self._count}@guests.test")

    def _decide(self) -> None:
        customer = self._random.choice([one for one in self._shop.customers.values() if one.email])
        self._shop.set_consent(customer, self._random.choice(("SUBSCRIBED", "UNSUBSCRIBED")))

    def _stock(self) -> None:
        self._shop.set_stock(self._random.choice(self._shop.variants()), self._random.randint(0, 50))

    def _return(self) -> None:
        order = self._random.choice(list(self._shop.orders.values()))
        self._shop.refund(order, amount=100, note="For the wait")


def serve(port: int, orders: int, seed: int) -> Served:
    fake = FakeShopify(port=port, seed=seed, now=system_time)
    fill(fake.shop, orders=orders, customers=max(orders // 3, 1), products=max(orders // 25, 3), seed=seed)
    fake.start()
    courier, life = Courier(fake).start(), Life(fake.shop, seed).start()

    def stop() -> None:
        life.stop()
        courier.stop()
        fake.stop()

    app = fake.shop.app
    notice = (
        f"A fake Shopify with {len(fake.shop.orders)} orders stands for https://{fake.shop.settings.domain}\n"
        f"  address        {fake.address}\n"
        f"  access token   {fake.token}\n"
        f"  client id      {app.client_id}\n"
        f"  client secret  {app.client_secret}\n"
        "Every ten seconds something happens in it."
    )
    return Served(notice, stop)
