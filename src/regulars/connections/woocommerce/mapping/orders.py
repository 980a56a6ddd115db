"""Orders: what was bought, for how much, by whom, and what became of it.

WooCommerce keeps every amount without tax and the tax beside it. Where the shop's prices include tax, lines are read with it, as the shopper
saw them, so that what they paid adds up to the cent; elsewhere without.
"""

from collections.abc import Iterator

from regulars.connections.base.platforms import Account
from regulars.connections.woocommerce.mapping.lines import Money, fee, sold
from regulars.connections.woocommerce.mapping.parcels import parcels_of, tells_parcels
from regulars.connections.woocommerce.mapping.people import buyer_of, country_of
from regulars.connections.woocommerce.mapping.refunds import refunds_told
from regulars.connections.woocommerce.mapping.states import DRAFTS, TRASH, state_of
from regulars.connections.woocommerce.mapping.values import (
    Json,
    changed_at,
    find_moment,
    key,
    meta,
    minor,
    moment,
    part,
    parts,
    text,
    words,
)
from regulars.foundation.money import parse_currency
from regulars.record.orders import rules
from regulars.record.orders.inputs import LineInput, OrderInput, OrderRemoval, PaymentInput
from regulars.record.orders.models import OrderStatus

CART = "_regulars_cart"


def order_of(said: Json, account: Account) -> OrderInput | OrderRemoval | None:
    """One order as it is now; None for a draft, which is no order yet."""
    status, number = text(said["status"]).removeprefix("wc-"), key(said["id"])
    if not number:
        raise ValueError("an order without a number")
    if status in DRAFTS:
        return None
    if status == TRASH:
        return OrderRemoval(changed_at(said), external_id=number, reason="put in the shop's trash")
    return _order(said, status, number, account)


def money_of(said: Json) -> Money:
    """In which currency an order is, and whether its lines are read with tax."""
    return Money(parse_currency(text(said["currency"])), said.get("prices_include_tax") is True)


def _order(said: Json, status: str, number: str, account: Account) -> OrderInput:
    money, person, placed = money_of(said), buyer_of(said, account), moment(said, "date_created")
    lines = (
        *(sold(one, money) for one in parts(said["line_items"])),
        *(fee(one, money) for one in parts(said.get("fee_lines"))),
    )
    total, tax = minor(said["total"], money.currency), minor(said["total_tax"], money.currency)
    shipping = money.amount(said.get("shipping_total"), said.get("shipping_tax"))
    refunds = refunds_told(said, money, person)
    state = state_of(said, status, total, sum(refund.amount_minor for refund in refunds))
    billing, shipping_to = part(said.get("billing")), part(said.get("shipping"))
    return OrderInput(
        number=text(said.get("number"), 80) or number,
        external_id=number,
        placed_at=placed,
        stated_at=changed_at(said),
        currency=money.currency,
        lines=lines,
        person=person,
        channel=text(said.get("created_via"), 40),
        shipping_minor=shipping,
        tax_minor=tax,
        tax_included=money.with_tax,
        discount_minor=_beyond_lines(lines, shipping, tax, total, money),
        discount_codes=", ".join(filter(None, (text(one.get("code"), 120) for one in parts(said.get("coupon_lines")))))[
            :500
        ],
        total_minor=total,
        status=state.order,
        payment_status=state.payment,
        fulfilment_status=state.fulfilment,
        cancelled_at=changed_at(said) if state.order == OrderStatus.CANCELLED else None,
        country=country_of(shipping_to) or country_of(billing),
        remarks=words(said.get("customer_note"), 4000),
        payments=tuple(_payments(said, total, money.currency)),
        fulfilments=tuple(parcels_of(said, state.fulfilment)),
        tells_fulfilments=tells_parcels(said),
        refunds=refunds,
        has_all_refunds=True,
        cart_keys=_cart_keys(said),
    )


def _beyond_lines(lines: tuple[LineInput, ...], shipping: int, tax: int, total: int, money: Money) -> int:
    """What the total is below its parts: gift cards that plugins take off it, and the cent that rounding each line can leave."""
    sums = sum(rules.line_amount(line, money.currency) for line in lines)
    return sums + shipping + (0 if money.with_tax else tax) - total


def _payments(said: Json, total: int, currency: str) -> Iterator[PaymentInput]:
    paid = find_moment(said, "date_paid")
    if paid and total > 0:
        gateway, reference = text(said.get("payment_method"), 60), text(said.get("transaction_id"), 120)
        yield PaymentInput("sale", "success", total, currency, paid, gateway, reference)


def _cart_keys(said: Json) -> tuple[str, ...]:
    token = meta(said, CART)
    return (token[:120],) if isinstance(token, str) and token else ()
