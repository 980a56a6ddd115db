"""A whole fake shop: everything that can happen in one, and what somebody who read it rightly would know."""

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar

from fakes.shopify import sums
from fakes.shopify.amounts import Bag
from fakes.shopify.people import People
from fakes.shopify.records import Consent, Coupon, Customer, Order, Refund, Variant
from fakes.shopify.shopping import Shopping
from fakes.shopify.state import State

Facts = dict[str, Any]


_Made = TypeVar("_Made", bound=type[State])


def _locked(made: _Made) -> _Made:
    """Every public method holds the shop's lock: tests change a shop while threads of its server read it."""
    for name in dir(made):
        method = getattr(made, name)
        if not name.startswith("_") and isinstance(method, FunctionType):
            setattr(made, name, _holding(method))
    return made


def _holding(method: FunctionType) -> Callable[..., Any]:
    @wraps(method)
    def held(self: State, *given: Any, **named: Any) -> Any:
        with self.lock:
            return method(self, *given, **named)

    return held


@_locked
class Shop(People, Shopping):
    def truth(self) -> dict[str, dict[Any, Facts]]:
        """By kind and number; amounts in minor units. Made from the shop's own records, by no path that a client could read."""
        return {
            "customers": {one.number_of_kind: _customer(one) for one in self.customers.values()},
            "orders": {one.number_of_kind: _order(one) for one in self.orders.values()},
            "variants": {
                variant.number_of_kind: _variant(variant) | {"product": product.number_of_kind, "title": product.title}
                for product in self.products.values()
                for variant in product.variants
            },
            "coupons": {
                one.number_of_kind: _coupon(one) | {"status": self.status_of(one)} for one in self.coupons.values()
            },
            "checkouts": {
                one.token: {
                    "email": one.email,
                    "cart_token": one.cart_token,
                    "is_completed": one.completed_at is not None,
                    "items": {line.variant.number_of_kind: line.quantity for line in one.lines},
                    "value": sum(line.price.shop * line.quantity for line in one.lines),
                    "url": one.url,
                }
                for one in self.checkouts.values()
            },
        }


def _customer(of: Customer) -> Facts:
    return {
        "email": of.email,
        "phone": of.phone,
        "first_name": of.first_name,
        "last_name": of.last_name,
        "tags": sorted(of.tags),
        "email_consent": _consent(of.email_consent),
        "sms_consent": _consent(of.sms_consent),
        "created_at": of.created_at,
        "updated_at": of.updated_at,
    }


def _consent(of: Consent) -> Facts:
    return {"state": of.state, "level": of.level, "updated_at": of.updated_at}


def _both(amount: Bag) -> tuple[int, int]:
    return amount.shop, amount.shown


def _order(of: Order) -> Facts:
    """Amounts are pairs: shop's currency, presentment currency."""
    return {
        "name": of.name,
        "customer": of.customer.number_of_kind if of.customer else None,
        "email": of.email,
        "test": of.test,
        "source": of.source_name,
        "placed_at": of.processed_at,
        "updated_at": of.updated_at,
        "cancelled_at": of.cancelled_at,
        "financial_status": sums.financial_status(of),
        "fulfillment_status": sums.fulfillment_status(of),
        "currencies": (of.currencies.shop, of.currencies.shown),
        "total": _both(sums.total_price(of)),
        "current_total": _both(sums.current_total(of)),
        "tax": _both(sums.total_tax(of)),
        "discounts": _both(sums.total_discounts(of)),
        "shipping": _both(sums.shipping_net(of)),
        "received": _both(sums.received(of)),
        "refunded": _both(sums.refunded(of)),
        "codes": [one.code for one in of.applications if one.code],
        "tags": sorted(of.tags),
        "lines": {
            line.number_of_kind: {
                "title": line.title,
                "sku": line.sku,
                "variant": line.variant.number_of_kind if line.variant else None,
                "quantity": line.quantity,
                "current_quantity": sums.current_quantity(of, line),
                "price": _both(line.price),
                "net": _both(sums.net(line)),
            }
            for line in of.lines
        },
        "refunds": {one.number_of_kind: _refund(one) for one in of.refunds},
        "parcels": {one.number_of_kind: (one.status, sorted(one.tracking_numbers)) for one in of.fulfilments},
    }


def _refund(of: Refund) -> Facts:
    return {
        "amount": _both(sums.refund_total(of)),
        "lines": {one.line.number_of_kind: one.quantity for one in of.lines},
        "at": of.created_at,
    }


def _variant(of: Variant) -> Facts:
    return {
        "sku": of.sku,
        "price": of.price,
        "options": of.options,
        "stock": dict(of.item.levels),
        "updated_at": of.updated_at,
    }


def _coupon(of: Coupon) -> Facts:
    return {
        "codes": sorted(one.code for one in of.codes),
        "percentage": of.percentage,
        "amount": of.amount,
        "ends_at": of.ends_at,
        "usage_limit": of.usage_limit,
    }
