"""Orders with their payments, deliveries and refunds, in the shop's own money."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.mapping.people import buyer
from regulars.connections.shopify.mapping.refunds import Gone, Part, named, refund, taken_out
from regulars.connections.shopify.mapping.values import (
    Node,
    amount,
    decimal,
    minor,
    moment,
    moment_or_none,
    number_of,
    text,
    whole,
)
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.money import line_total, parse_currency, to_minor
from regulars.record.orders import rules
from regulars.record.orders.inputs import FulfilmentInput, LineInput, OrderInput, PaymentInput
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

_PAYMENT = {
    "AUTHORIZED": PaymentStatus.AUTHORIZED,
    "PAID": PaymentStatus.PAID,
    "PARTIALLY_PAID": PaymentStatus.PARTIALLY_PAID,
    "PARTIALLY_REFUNDED": PaymentStatus.PARTIALLY_REFUNDED,
    "REFUNDED": PaymentStatus.REFUNDED,
    "VOIDED": PaymentStatus.VOIDED,
    "EXPIRED": PaymentStatus.VOIDED,  # nobody took the money in time
}
_SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})
_MOVES = {
    "AUTHORIZATION": "authorization",
    "EMV_AUTHORIZATION": "authorization",
    "CAPTURE": "capture",
    "SALE": "sale",
    "REFUND": "refund",
    "VOID": "void",
    "CHANGE": "change",
}
_OUTCOMES = {"SUCCESS": "success", "FAILURE": "failure", "ERROR": "failure"}


def order(account: Account, node: Node) -> OrderInput:
    """An order as the shop states it now. Raises ValueError, KeyError or TypeError where it is not as documented."""
    currency = parse_currency(text(node["currencyCode"]))
    changed_at = moment(node["updatedAt"])
    gone = Gone() if node.get("cancelledAt") else taken_out(node["refunds"], currency)
    said = _bare(account, node, currency, _lines(node, currency, gone))
    fulfilments = tuple(_fulfilment(one) for one in node["fulfillments"])
    sent = _sent(node, fulfilments)
    refunds = (refund(one, currency) for one in node["refunds"])
    return replace(
        said,
        **_sums(said, node, gone),
        status=_status(said, sent),
        fulfilment_status=sent,
        fulfilments=fulfilments,
        refunds=tuple(
            replace(one, order_external_id=said.external_id, stated_at=changed_at)
            for one in refunds
            if one.amount_minor
        ),
        has_all_refunds=True,
        stated_at=changed_at,
    )


def _bare(account: Account, node: Node, currency: str, lines: tuple[LineInput, ...]) -> OrderInput:
    """Everything but the sums and what happened to it."""
    billed, sent_to = node.get("billingAddress") or {}, node.get("shippingAddress") or {}
    language = text(node.get("customerLocale"), 10)
    return OrderInput(
        number=text(node["name"], 80) or number_of(node["id"]),
        placed_at=moment(node.get("processedAt") or node["createdAt"]),
        currency=currency,
        lines=lines,
        person=buyer(account, node, billed or sent_to, moment(node["updatedAt"]), language),
        external_id=number_of(node["id"]),
        channel=text(node.get("sourceName"), 40),
        tax_included=bool(node["taxesIncluded"]),
        discount_codes=", ".join(text(code, 120) for code in node.get("discountCodes") or ()),
        payment_status=_PAYMENT.get(text(node.get("displayFinancialStatus")), PaymentStatus.PENDING),
        cancelled_at=moment_or_none(node.get("cancelledAt")),
        country=text((sent_to or billed).get("countryCodeV2"), 2),
        remarks=mask_card_numbers(text(node.get("note"), 5000)),
        payments=_payments(node, currency),
        tells_payments="transactions" in node,
        is_test=bool(node.get("test")),
        cart_keys=tuple(filter(None, (text(node.get("cartToken"), 120), text(node.get("checkoutToken"), 120)))),
        **_presented(node, currency),
    )


def _presented(node: Node, currency: str) -> dict[str, Any]:
    shown = (node["totalPriceSet"] or {}).get("presentmentMoney")
    if not shown or shown["currencyCode"] == currency:
        return {}
    code = parse_currency(text(shown["currencyCode"]))
    return {"presentment_currency": code, "presentment_total_minor": to_minor(decimal(shown["amount"]), code)}


def _lines(node: Node, currency: str, gone: Gone) -> tuple[LineInput, ...]:
    """What was bought, without what an edit took out before it was paid."""
    return tuple(line for one in node["lineItems"]["nodes"] if (line := _line(one, currency, gone)).quantity > 0)


def _line(node: Node, currency: str, gone: Gone) -> LineInput:
    bought, price = whole(node["quantity"]), amount(node["originalUnitPriceSet"])
    less = gone.lines.get(number_of(node["id"]), Part())
    discount = sum(minor(one["allocatedAmountSet"], currency) for one in node.get("discountAllocations") or ())
    left = bought - less.quantity
    # What is left of the line's amount after the discount decides what is left of the discount.
    worth = line_total(bought, price, currency) - discount - less.subtotal
    return LineInput(
        **named(node),
        quantity=left,
        unit_price=price,
        discount_minor=line_total(left, price, currency) - worth,
        tax_minor=sum(minor(one["priceSet"], currency) for one in node.get("taxLines") or ()) - less.tax,
    )


def _sums(said: OrderInput, node: Node, gone: Gone) -> dict[str, Any]:
    """Shopify's total and subtotal stand. Discounts that no line holds and postage are what makes the sums add up, so that tips and
    duties are in the postage where there are any."""
    subtotal = minor(node["subtotalPriceSet"], said.currency) - gone.subtotal
    tax = minor(node.get("totalTaxSet"), said.currency) - gone.tax
    total = minor(node["totalPriceSet"], said.currency) - gone.subtotal - (0 if said.tax_included else gone.tax)
    return {
        "total_minor": total,
        "tax_minor": tax,
        "discount_minor": sum(rules.line_amount(line, said.currency) for line in said.lines) - subtotal,
        "shipping_minor": total - subtotal - (0 if said.tax_included else tax),
    }


def _payments(node: Node, currency: str) -> tuple[PaymentInput, ...]:
    return tuple(_payment(one, currency) for one in node.get("transactions") or () if one["kind"] in _MOVES)


def _payment(node: Node, currency: str) -> PaymentInput:
    return PaymentInput(
        _MOVES[node["kind"]],
        _OUTCOMES.get(text(node["status"]), "pending"),
        minor(node["amountSet"], currency),
        currency,
        moment(node.get("processedAt") or node["createdAt"]),
        text(node.get("gateway"), 60),
        number_of(node["id"]),
    )


def _fulfilment(node: Node) -> FulfilmentInput:
    told = node.get("trackingInfo") or ()
    carriers = dict.fromkeys(filter(None, (text(one.get("company"), 60) for one in told)))
    status = "delivered" if node.get("displayStatus") == "DELIVERED" else text(node["status"]).lower()
    return FulfilmentInput(
        status[:20],
        moment(node["createdAt"]),
        ", ".join(carriers)[:60],
        ", ".join(filter(None, (text(one.get("number")) for one in told))),
        ", ".join(filter(None, (text(one.get("url"), 2000) for one in told))),
    )


def _sent(node: Node, fulfilments: Sequence[FulfilmentInput]) -> FulfilmentStatus:
    """Shopify has a dozen words between nothing and everything; what has left the house counts. Nothing to send is sent."""
    word = text(node.get("displayFulfillmentStatus"))
    if word == "FULFILLED" or not node.get("requiresShipping", True):
        return FulfilmentStatus.FULFILLED
    has_left = any(one.status in {"success", "delivered"} for one in fulfilments)
    return FulfilmentStatus.PARTIAL if has_left and word != "RESTOCKED" else FulfilmentStatus.UNFULFILLED


def _status(said: OrderInput, sent: FulfilmentStatus) -> OrderStatus:
    if said.cancelled_at:
        return OrderStatus.CANCELLED
    is_settled = said.payment_status in _SETTLED and sent == FulfilmentStatus.FULFILLED
    return OrderStatus.COMPLETED if is_settled else OrderStatus.OPEN
