"""What a cart costs, as WooCommerce works it out: lines are rounded one by one; totals are sums of lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fakes.woocommerce.templates import line_template
from fakes.woocommerce.values import Resource, fixed, rounded_to


@dataclass(frozen=True)
class TaxRate:
    id: int
    code: str
    label: str
    percent: Decimal


RATES = {
    "DE": TaxRate(1, "DE-MWST-1", "MwSt.", Decimal(19)),
    "AT": TaxRate(2, "AT-MWST-1", "MwSt.", Decimal(20)),
    "GB": TaxRate(3, "GB-VAT-1", "VAT", Decimal(20)),
    "JP": TaxRate(4, "JP-TAX-1", "Tax &amp; duty", Decimal(10)),
    "US": TaxRate(75, "US-CA-STATE TAX", "State Tax", Decimal("7.25")),
}
NO_TAX = TaxRate(0, "", "", Decimal(0))


@dataclass(frozen=True)
class Terms:
    """What holds for all lines of an order."""

    rate: TaxRate
    prices_include_tax: bool
    places: int  # decimals of the shop

    def net(self, price: Decimal) -> Decimal:
        share = 1 + self.rate.percent / 100 if self.prices_include_tax else Decimal(1)
        return rounded_to(price / share, self.places)

    def tax(self, net: Decimal) -> Decimal:
        return rounded_to(net * self.rate.percent / 100, self.places)

    def text(self, amount: Decimal) -> str:
        return fixed(amount, self.places)

    def taxes(self, total: Decimal, subtotal: Decimal | None = None) -> list[Resource]:
        if not self.rate.id:
            return []
        entry: Resource = {"id": self.rate.id, "total": self.text(total)}
        return [entry if subtotal is None else entry | {"subtotal": self.text(subtotal)}]


@dataclass(frozen=True)
class Goods:
    """``product`` is a variation where ``parent`` is given."""

    product: Resource
    quantity: int
    parent: Resource | None = None

    @property
    def price(self) -> Decimal:
        return Decimal(self.product["price"] or 0)


def product_line(number: int, goods: Goods, discount: Decimal, terms: Terms) -> Resource:
    """``discount`` is the share of the price that a coupon takes, 0 to 1."""
    subtotal = terms.net(goods.price * goods.quantity)
    total = rounded_to(subtotal * (1 - discount), terms.places)
    product, parent = goods.product, goods.parent
    chosen = product["attributes"] if parent else []
    return line_template("line_items") | {
        "id": number,
        "name": _line_name(goods),
        "parent_name": parent["name"] if parent else None,
        "product_id": parent["id"] if parent else product["id"],
        "variation_id": product["id"] if parent else 0,
        "quantity": goods.quantity,
        "subtotal": terms.text(subtotal),
        "subtotal_tax": terms.text(terms.tax(subtotal)),
        "total": terms.text(total),
        "total_tax": terms.text(terms.tax(total)),
        "taxes": terms.taxes(terms.tax(total), terms.tax(subtotal)),
        "meta_data": [_shown_meta(number * 10 + place, choice) for place, choice in enumerate(chosen)],
        "sku": product["sku"],
        "price": float(total / goods.quantity) if goods.quantity else 0,
    }


def _line_name(goods: Goods) -> str:
    if goods.parent is None:
        return str(goods.product["name"])
    return f"{goods.parent['name']} - {', '.join(choice['option'] for choice in goods.product['attributes'])}"


def _shown_meta(number: int, choice: Resource) -> Resource:
    key = f"pa_{choice['name'].lower()}"
    value = choice["option"]
    return {"id": number, "key": key, "value": value.lower(), "display_key": choice["name"], "display_value": value}


def shipping_line(number: int, price: Decimal, terms: Terms) -> Resource:
    tax = terms.tax(price)
    return line_template("shipping_lines") | {
        "id": number,
        "total": terms.text(price),
        "total_tax": terms.text(tax),
        "taxes": terms.taxes(tax),
    }


def fee_line(number: int, name: str, price: Decimal, terms: Terms) -> Resource:
    tax = terms.tax(price)
    return {
        "id": number,
        "name": name,
        "tax_class": "",
        "tax_status": "taxable",
        "amount": str(price),
        "total": terms.text(price),
        "total_tax": terms.text(tax),
        "taxes": terms.taxes(tax),
        "meta_data": [],
    }


def coupon_line(number: int, coupon: Resource, discount: Decimal, tax: Decimal, terms: Terms) -> Resource:
    return {
        "id": number,
        "code": coupon["code"],
        "discount": terms.text(discount),
        "discount_tax": terms.text(tax),
        "meta_data": [],
        "discount_type": coupon["discount_type"],
        "nominal_amount": float(coupon["amount"]),
        "free_shipping": coupon["free_shipping"],
    }


def share_of(coupon: Resource | None, goods: Sequence[Goods]) -> Decimal:
    """How much of each line's price a coupon takes."""
    if coupon is None:
        return Decimal(0)
    amount, whole = Decimal(coupon["amount"]), sum((item.price * item.quantity for item in goods), Decimal(0))
    if coupon["discount_type"] == "percent":
        return amount / 100
    return min(Decimal(1), amount / whole) if whole else Decimal(0)


def add_up(order: Resource, terms: Terms) -> None:
    """Sets an order's totals and its lines of taxes from its lines."""

    def total(lines: str, name: str) -> Decimal:
        return sum((Decimal(line[name]) for line in order[lines]), Decimal(0))

    cart_tax = total("line_items", "total_tax") + total("fee_lines", "total_tax")
    shipping_tax = total("shipping_lines", "total_tax")
    net = total("line_items", "total") + total("fee_lines", "total") + total("shipping_lines", "total")
    sums = {
        "discount_total": total("line_items", "subtotal") - total("line_items", "total"),
        "discount_tax": total("line_items", "subtotal_tax") - total("line_items", "total_tax"),
        "shipping_total": total("shipping_lines", "total"),
        "shipping_tax": shipping_tax,
        "cart_tax": cart_tax,
        "total_tax": cart_tax + shipping_tax,
        "total": net + cart_tax + shipping_tax,
    }
    order |= {name: terms.text(amount) for name, amount in sums.items()}
    order["tax_lines"] = _tax_lines(order, terms, cart_tax, shipping_tax)


def _tax_lines(order: Resource, terms: Terms, cart_tax: Decimal, shipping_tax: Decimal) -> list[Resource]:
    if not terms.rate.id:
        return []
    rate = terms.rate
    return [
        line_template("tax_lines")
        | {
            "id": order["id"] * 100 + 99,
            "rate_code": rate.code,
            "rate_id": rate.id,
            "label": rate.label,
            "tax_total": terms.text(cart_tax),
            "shipping_tax_total": terms.text(shipping_tax),
            "rate_percent": float(rate.percent),
        }
    ]
