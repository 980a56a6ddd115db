"""The shop's goods, people and coupons."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fakes.woocommerce.state import State
from fakes.woocommerce.templates import template
from fakes.woocommerce.values import Resource, stamp

CONSENT_KEY = "_regulars_consent"  # what our plugin writes


class Catalog(State):
    """Products, variations, customers and coupons, and what can happen to them."""

    # --- products -----------------------------------------------------------------------------------------------

    def add_category(self, name: str, parent: int = 0) -> int:
        with self.lock:
            number = self.next_id()
            self.categories[number] = template("category") | {
                "id": number,
                "name": name,
                "parent": parent,
                "slug": name.lower().replace(" ", "-").replace("&amp;", "und"),
                "count": 0,
                "image": None,
            }
            return number

    def add_product(
        self,
        name: str = "Album",
        price: str = "20.00",
        *,
        sku: str = "",
        stock: int | None = None,
        categories: Sequence[int] = (),
        variable: Mapping[str, Sequence[str]] | None = None,
        at: datetime | None = None,
        **fields: Any,
    ) -> int:
        """``variable={"Size": ["S", "M"]}`` makes one variation per option of the first attribute, each with the price and stock given."""
        with self.lock:
            at, number = at or self.clock(), self.next_id()
            product = template("product-variable" if variable else "product") | {
                "id": number,
                "name": name,
                "slug": f"product-{number}",
                "permalink": f"{self.home}/product/product-{number}/",
                "sku": sku,
                "categories": [self._short_category(category) for category in categories],
                "images": [],
                "related_ids": [],
                "default_attributes": [],
                "attributes": [],
                "has_options": bool(variable),
            }
            self.products[number] = product | fields
            product = self.products[number]
            stamp(product, "created", at, self.zone)
            if variable:
                self._add_variations(product, variable, price, stock, at)
            else:
                _set_price_and_stock(product, price, stock)
            self.touch("product", product, "created", at)
            return number

    def _short_category(self, number: int) -> Resource:
        category = self.categories[number]
        category["count"] += 1
        return {"id": number, "name": category["name"], "slug": category["slug"]}

    def _add_variations(
        self, parent: Resource, variable: Mapping[str, Sequence[str]], price: str, stock: int | None, at: datetime
    ) -> None:
        parent["price"] = price
        parent["attributes"] = [
            {"id": place, "name": name, "position": place, "visible": True, "variation": True, "options": [*options]}
            for place, (name, options) in enumerate(variable.items())
        ]
        first, options = next(iter(variable.items()))
        for option in options:
            number = self.next_id()
            variation = template("variation") | {
                "id": number,
                "parent_id": parent["id"],
                "name": option,
                "permalink": f"{parent['permalink']}?attribute_{first.lower()}={option}",
                "sku": f"{parent['sku']}-{option}" if parent["sku"] else "",
                "attributes": [{"id": 0, "name": first, "option": option}],
                "image": None,
            }
            _set_price_and_stock(variation, price, stock)
            stamp(variation, "created", at, self.zone)
            stamp(variation, "modified", at, self.zone)
            self.variations[number] = variation
            parent["variations"].append(number)

    def update_product(self, number: int, **fields: Any) -> None:
        """Of a product or a variation, whose parent is stamped as well."""
        with self.lock:
            product = self.products.get(number) or self.variations[number]
            product |= fields
            self.touch("product", product)
            if number in self.variations:
                self.touch("product", self.products[product["parent_id"]])

    def set_stock(self, number: int, quantity: int | None) -> None:
        """None: stock is not managed."""
        with self.lock:
            product = self.products.get(number) or self.variations[number]
            _set_stock(product, quantity)
            self.update_product(number)

    def delete_product(self, number: int) -> None:
        with self.lock:
            product = self.products.pop(number)
            for variation in product["variations"]:
                del self.variations[variation]
            self.webhooks.happened("product.deleted", number)

    # --- people -------------------------------------------------------------------------------------------------

    def add_customer(
        self,
        email: str,
        first_name: str = "Jo",
        last_name: str = "Example",
        *,
        role: str = "customer",
        at: datetime | None = None,
        billing: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> int:
        with self.lock:
            at, number = at or self.clock(), self.next_id()
            names = {"first_name": first_name, "last_name": last_name}
            customer = template("customer") | names
            customer["billing"] |= names | {"email": email, "phone": ""} | dict(billing or {})
            customer["shipping"] |= names
            customer |= {"id": number, "email": email, "username": email.partition("@")[0], "role": role} | fields
            stamp(customer, "created", at, self.zone)
            stamp(customer, "modified", None, self.zone)
            self.customers[number] = customer
            if role == "customer":
                self.webhooks.happened("customer.created", number)
            return number

    def update_customer(self, number: int, **fields: Any) -> None:
        with self.lock:
            self.customers[number] |= fields
            self.touch("customer", self.customers[number])

    def delete_customer(self, number: int) -> None:
        """The orders stay, as a guest's."""
        with self.lock:
            del self.customers[number]
            for order in self.orders.values():
                if order["customer_id"] == number:
                    order["customer_id"] = 0
            self.webhooks.happened("customer.deleted", number)

    def set_consent(
        self, customer_id: int, *, agreed: bool, text: str = "Send me news by mail", channel: str = "email"
    ) -> None:
        """As our plugin keeps it with a customer."""
        with self.lock:
            consent = {"agreed": agreed, "channel": channel, "text": text, "at": f"{self.clock():%Y-%m-%dT%H:%M:%SZ}"}
            self.set_meta(self.customers[customer_id], CONSENT_KEY, consent | {"source": "account"})
            self.touch("customer", self.customers[customer_id])

    # --- coupons ------------------------------------------------------------------------------------------------

    def add_coupon(
        self,
        code: str,
        amount: str = "10.00",
        *,
        discount_type: str = "percent",
        at: datetime | None = None,
        **fields: Any,
    ) -> int:
        with self.lock:
            at, number = at or self.clock(), self.next_id()
            coupon = template("coupon") | {
                "id": number,
                "code": code.lower(),
                "amount": amount,
                "minimum_amount": "0.00",
            }
            coupon |= {"discount_type": discount_type, "usage_count": 0, "used_by": []} | fields
            stamp(coupon, "created", at, self.zone)
            self.coupons[number] = coupon
            self.touch("coupon", coupon, "created", at)
            return number

    def find_coupon(self, code: str) -> Resource | None:
        return next((coupon for coupon in self.coupons.values() if coupon["code"] == code.lower()), None)


def _set_price_and_stock(product: Resource, price: str, stock: int | None) -> None:
    product |= {"price": price, "regular_price": price, "sale_price": "", "price_html": "", "purchasable": bool(price)}
    _set_stock(product, stock)


def _set_stock(product: Resource, quantity: int | None) -> None:
    status = "instock" if quantity is None or quantity > 0 else "outofstock"
    product |= {"manage_stock": quantity is not None, "stock_quantity": quantity, "stock_status": status}
