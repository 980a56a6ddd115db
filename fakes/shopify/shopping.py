"""Happenings before an order: carts of the online store, and checkouts that are left or finished."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fakes.shopify import goods_payloads as payloads
from fakes.shopify.records import Cart, Checkout, CheckoutLine, Customer, Order, Variant
from fakes.shopify.sales import Sales


class Shopping(Sales):
    def add_cart(self, wanted: Sequence[tuple[Variant, int]] = ()) -> Cart:
        cart = Cart(self.token(), self.now(), self.now())
        self.carts[cart.token] = cart
        cart.lines = self._wanted_lines(wanted, None)
        self.fire(("CARTS_CREATE", partial(payloads.cart, cart, self._currencies(None))))
        return cart

    def update_cart(self, cart: Cart, wanted: Sequence[tuple[Variant, int]]) -> None:
        cart.lines, cart.updated_at = self._wanted_lines(wanted, None), self.now()
        self.fire(("CARTS_UPDATE", partial(payloads.cart, cart, self._currencies(None))))

    def _wanted_lines(self, wanted: Sequence[tuple[Variant, int]], currency: str | None) -> list[CheckoutLine]:
        money = self._currencies(currency)
        return [
            CheckoutLine(self.next_number(), variant, self.product_of(variant), count, money.bag(variant.price))
            for variant, count in wanted
        ]

    def add_checkout(
        self,
        wanted: Sequence[tuple[Variant, int]],
        *,
        cart: Cart | None = None,
        customer: Customer | None = None,
        currency: str | None = None,
        **facts: Any,
    ) -> Checkout:
        """``facts`` are fields of ``Checkout``. With an ``email`` or ``phone`` it is listed as abandoned until it is finished."""
        token, money = self.token(), self._currencies(currency)
        known = {"email": customer.email, "phone": customer.phone, "customer": customer} if customer else {}
        checkout = Checkout(
            self.next_number(),
            money,
            token,
            cart.token if cart else self.token(),
            self.now(),
            self.now(),
            self._wanted_lines(wanted, currency),
            **known | facts,
        )
        checkout.url = (
            f"https://{self.settings.domain}/{self.settings.number}/checkouts/ac/{token}/recover?key={self.token()}"
        )
        self.checkouts[token] = checkout
        self.fire(("CHECKOUTS_CREATE", partial(payloads.checkout, checkout, self.settings)))
        return checkout

    def update_checkout(
        self, checkout: Checkout, wanted: Sequence[tuple[Variant, int]] | None = None, **facts: Any
    ) -> None:
        if wanted is not None:
            checkout.lines = self._wanted_lines(wanted, checkout.currencies.shown)
        for name, value in facts.items():
            setattr(checkout, name, value)
        checkout.updated_at = self.now()
        self.fire(("CHECKOUTS_UPDATE", partial(payloads.checkout, checkout, self.settings)))

    def add_abandoned_checkout(self, wanted: Sequence[tuple[Variant, int]], email: str, **facts: Any) -> Checkout:
        return self.add_checkout(wanted, email=email, **facts)

    def finish_checkout(self, checkout: Checkout, **facts: Any) -> Order:
        """The order carries the checkout's and the cart's token."""
        wanted = [(line.variant, line.quantity) for line in checkout.lines]
        checkout.completed_at = self.now()
        named = {"email": checkout.email} if checkout.customer is None else {}
        order = self.add_order(
            wanted,
            customer=checkout.customer,
            currency=checkout.currencies.shown,
            cart_token=checkout.cart_token,
            checkout_token=checkout.token,
            **named | facts,
        )
        self.update_checkout(checkout)
        return order

    def delete_checkout(self, checkout: Checkout) -> None:
        del self.checkouts[checkout.token]
        self.fire(
            (
                "CHECKOUTS_DELETE",
                lambda: {"id": checkout.number_of_kind, "presentment_currency": checkout.currencies.shown},
            )
        )
