"""Happenings in the catalogue: products, variants, stock, collections, discounts."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from fakes.shopify import goods_payloads as payloads
from fakes.shopify.records import Code, Collection, Coupon, Customer, Image, InventoryItem, Location, Product, Variant
from fakes.shopify.state import State


class Catalogue(State):
    def add_product(self, title: str, *, variants: Sequence[dict[str, Any]] = ({},), **facts: Any) -> Product:
        """``variants`` are the fields of ``Variant`` and ``stock``; ``facts`` those of ``Product``."""
        at, number = self.now(), self.next_number()
        handle = facts.pop(
            "handle", f"{''.join(c if c.isascii() and c.isalnum() else '-' for c in title.lower())}-{number}"
        )
        product = Product(number, at, at, title, handle, published_at=at, **facts)
        product.image = Image(self.next_number(), f"https://cdn.shopify.com/s/files/1/{number}.jpg", title, at)
        for one in variants:
            self._new_variant(product, one)
        self.products[number] = product
        self.fire(("PRODUCTS_CREATE", partial(payloads.product, product, self.settings)))
        return product

    def _new_variant(self, product: Product, given: dict[str, Any]) -> Variant:
        at = self.now()
        facts: dict[str, Any] = {"options": {"Title": "Default Title"}, "price": 1000} | given
        item = InventoryItem(self.next_number(), at, at, unit_cost=facts.pop("unit_cost", None))
        stock = facts.pop("stock", {self.warehouse.number_of_kind: 10, self.till.number_of_kind: 2})
        item.levels, item.level_ids = dict(stock), {location: self.next_number() for location in stock}
        variant = Variant(self.next_number(), item, at, at, position=len(product.variants) + 1, **facts)
        product.variants.append(variant)
        self._products_by_variant[variant.number_of_kind] = product
        return variant

    def update_product(self, product: Product, **facts: Any) -> None:
        _set(product, facts)
        self._touch_product(product)

    def update_variant(self, variant: Variant, **facts: Any) -> None:
        _set(variant, facts)
        variant.updated_at = self.now()
        self._touch_product(self.product_of(variant))

    def add_variant(self, product: Product, **facts: Any) -> Variant:
        variant = self._new_variant(product, facts)
        self._touch_product(product)
        return variant

    def remove_variant(self, variant: Variant) -> None:
        product = self.product_of(variant)
        product.variants.remove(variant)
        self._touch_product(product)

    def _touch_product(self, product: Product) -> None:
        product.updated_at = self.now()
        self.fire(("PRODUCTS_UPDATE", partial(payloads.product, product, self.settings)))

    def delete_product(self, product: Product) -> None:
        """Gone: lines of old orders know neither product nor variant any more."""
        del self.products[product.number_of_kind]
        for order in self.orders.values():
            for line in order.lines:
                if line.product is product:
                    line.product = line.variant = None
        self.fire(("PRODUCTS_DELETE", lambda: {"id": product.number_of_kind}))

    def set_stock(self, variant: Variant, available: int, location: Location | None = None) -> None:
        """Changes neither the product's nor the variant's ``updatedAt``: Shopify tells of stock on its own."""
        item, place = variant.item, (location or self.warehouse).number_of_kind
        item.levels[place] = available
        item.level_ids.setdefault(place, self.next_number())
        item.updated_at = self.now()
        self.fire(("INVENTORY_LEVELS_UPDATE", partial(payloads.inventory_level, item, place, self.settings)))

    def add_collection(self, title: str, products: Sequence[Product] = ()) -> Collection:
        number = self.next_number()
        collection = Collection(number, self.now(), title, f"collection-{number}", products=list(products))
        self.collections[number] = collection
        self.fire(("COLLECTIONS_CREATE", partial(payloads.collection, collection, self.settings)))
        return collection

    def add_coupon(self, *codes: str, title: str = "", starts_at: datetime | None = None, **facts: Any) -> Coupon:
        """``facts`` are the fields of ``Coupon``: ``percentage=0.1``, ``amount=500``, ``ends_at``, ``usage_limit`` ..."""
        at, number = self.now(), self.next_number()
        known = [Code(self.next_number(), code) for code in codes]
        coupon = Coupon(number, at, at, starts_at or at, title or codes[0], known, **facts)
        self.coupons[number] = coupon
        self.fire(("DISCOUNTS_CREATE", partial(payloads.discount, coupon, self.status_of(coupon), self.settings)))
        return coupon

    def add_codes(self, coupon: Coupon, *codes: str) -> list[Code]:
        coupon.updated_at = self.now()
        added = [Code(self.next_number(), code) for code in codes]
        coupon.codes += added
        for code in added:
            self.fire(("DISCOUNTS_REDEEMCODE_ADDED", partial(payloads.redeem_code, coupon, code, self.settings)))
        return added

    def end_coupon(self, coupon: Coupon) -> None:
        coupon.ends_at = coupon.updated_at = self.now()
        self.fire(("DISCOUNTS_UPDATE", partial(payloads.discount, coupon, self.status_of(coupon), self.settings)))

    def delete_coupon(self, coupon: Coupon) -> None:
        del self.coupons[coupon.number_of_kind]
        self.fire(("DISCOUNTS_DELETE", partial(payloads.discount, coupon, "EXPIRED", self.settings)))

    def status_of(self, coupon: Coupon) -> str:
        if coupon.starts_at > self.now():
            return "SCHEDULED"
        return "EXPIRED" if coupon.ends_at and coupon.ends_at <= self.now() else "ACTIVE"

    def coupon_by_code(self, code: str) -> tuple[Coupon, Code] | None:
        """Codes are told apart without regard to small and capital letters."""
        for coupon in self.coupons.values():
            for known in coupon.codes:
                if known.code.casefold() == code.casefold():
                    return coupon, known
        return None

    def is_for(self, coupon: Coupon, customer: Customer | None) -> bool:
        return not coupon.customers or customer in coupon.customers


def _set(record: object, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if not hasattr(record, name):
            raise AttributeError(name)
        setattr(record, name, value)
