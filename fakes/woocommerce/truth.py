"""What a reader who missed nothing, and counted nothing twice, ends with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fakes.woocommerce.state import State
from fakes.woocommerce.values import Resource, read


@dataclass(frozen=True)
class TrueLine:
    product_id: int
    variation_id: int
    quantity: int
    total: Decimal  # after discounts, without tax


@dataclass(frozen=True)
class TrueOrder:
    number: str
    status: str
    currency: str
    total: Decimal
    refunded: Decimal
    email: str
    customer_id: int
    created_at: datetime
    coupons: tuple[str, ...]
    lines: tuple[TrueLine, ...]


@dataclass(frozen=True)
class Truth:
    """By number. ``orders``: neither in the trash nor drafts of a checkout. ``stock``: of products and variations that manage it."""

    orders: Mapping[int, TrueOrder]
    customers: Mapping[int, str]
    products: Mapping[int, str]
    variations: Mapping[int, int]  # their product
    stock: Mapping[int, int]
    coupons: Mapping[int, str]


def tell(shop: State) -> Truth:
    things = shop.products | shop.variations
    orders = [
        order for order in shop.orders.values() if order["status"] not in ("trash", "checkout-draft", "auto-draft")
    ]
    return Truth(
        orders={order["id"]: _order(order, shop.refunds[order["id"]]) for order in orders},
        customers={number: customer["email"] for number, customer in shop.customers.items() if _buys(customer)},
        products={number: product["name"] for number, product in shop.products.items()},
        variations={number: variation["parent_id"] for number, variation in shop.variations.items()},
        stock={number: thing["stock_quantity"] for number, thing in things.items() if thing["manage_stock"]},
        coupons={number: coupon["code"] for number, coupon in shop.coupons.items()},
    )


def _buys(customer: Resource) -> bool:
    return bool(customer["role"] == "customer")


def _order(order: Resource, refunds: Mapping[int, Resource]) -> TrueOrder:
    return TrueOrder(
        number=order["number"],
        status=order["status"],
        currency=order["currency"],
        total=Decimal(order["total"]),
        refunded=sum((Decimal(refund["amount"]) for refund in refunds.values()), Decimal(0)),
        email=order["billing"]["email"],
        customer_id=order["customer_id"],
        created_at=read(order["date_created_gmt"]),
        coupons=tuple(line["code"] for line in order["coupon_lines"]),
        lines=tuple(
            TrueLine(line["product_id"], line["variation_id"], line["quantity"], Decimal(line["total"]))
            for line in order["line_items"]
        ),
    )
