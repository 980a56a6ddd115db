"""What an order comes to, by the schema's own words: before returns, after returns, received, refunded, outstanding."""

from fractions import Fraction

from fakes.shopify.amounts import Bag, total
from fakes.shopify.records import Line, Order, Refund, Shipping, Tax, Transaction


def refunded_quantity(order: Order, line: Line) -> int:
    return sum(one.quantity for refund in order.refunds for one in refund.lines if one.line is line)


def current_quantity(order: Order, line: Line) -> int:
    return line.quantity - line.removed - refunded_quantity(order, line)


def fulfilled_quantity(order: Order, line: Line) -> int:
    sent = [one for one in order.fulfilments if one.status == "SUCCESS"]
    return sum(one.quantity for fulfilment in sent for one in fulfilment.lines if one.line is line)


def discount(of: Line | Shipping) -> Bag:
    return total(list(of.allocations.values()))


def net(line: Line) -> Bag:
    """Of the whole quantity, after every discount; with tax where prices include it."""
    return line.price * line.quantity - discount(line)


def shipping_price(order: Order) -> Bag:
    """Before discounts and returns."""
    return order.shipping.price if order.shipping else Bag()


def shipping_net(order: Order) -> Bag:
    return order.shipping.price - discount(order.shipping) if order.shipping else Bag()


def tax(taxes: list[Tax]) -> Bag:
    return total([one.amount for one in taxes])


def slice_of(whole: Bag, line: Line, gone: int, more: int) -> Bag:
    """The part of ``whole`` that belongs to the next ``more`` units after ``gone`` ones: all the slices add up to the whole."""
    return whole.part(Fraction(gone + more, line.quantity)) - whole.part(Fraction(gone, line.quantity))


def _left(order: Order, line: Line, whole: Bag) -> Bag:
    gone = line.quantity - current_quantity(order, line)
    return whole - whole.part(Fraction(gone, line.quantity))


def subtotal(order: Order, lines: list[Line] | None = None) -> Bag:
    return total([net(line) for line in (order.lines if lines is None else lines)])


def current_subtotal(order: Order) -> Bag:
    return total([_left(order, line, net(line)) for line in order.lines])


def total_tax(order: Order, lines: list[Line] | None = None) -> Bag:
    of_lines = total([tax(line.taxes) for line in (order.lines if lines is None else lines)])
    return of_lines + (tax(order.shipping.taxes) if order.shipping else Bag())


def current_tax(order: Order) -> Bag:
    left = total([_left(order, line, tax(line.taxes)) for line in order.lines])
    of_shipping = tax(order.shipping.taxes) if order.shipping else Bag()
    return left + of_shipping - total([refund.shipping_tax for refund in order.refunds])


def original_total(order: Order) -> Bag:
    return _sum(order, [line for line in order.lines if not line.is_added_later])


def total_price(order: Order) -> Bag:
    return _sum(order, order.lines)


def _sum(order: Order, lines: list[Line]) -> Bag:
    extra = Bag() if order.taxes_included else total_tax(order, lines)
    return subtotal(order, lines) + shipping_net(order) + extra


def current_shipping(order: Order) -> Bag:
    return shipping_net(order) - total([refund.shipping for refund in order.refunds])


def current_total(order: Order) -> Bag:
    """Money given back without lines (a discrepancy) lowers it too: nobody owes it any more."""
    extra = Bag() if order.taxes_included else current_tax(order)
    given = total([refund.discrepancy for refund in order.refunds])
    return current_subtotal(order) + current_shipping(order) + extra - given


def total_discounts(order: Order) -> Bag:
    return total([discount(line) for line in order.lines]) + (discount(order.shipping) if order.shipping else Bag())


def current_discounts(order: Order) -> Bag:
    lines = total([_left(order, line, discount(line)) for line in order.lines])
    return lines + (discount(order.shipping) if order.shipping else Bag())


def _moved(transactions: list[Transaction], *kinds: str) -> Bag:
    return total([one.amount for one in transactions if one.kind in kinds and one.status == "SUCCESS"])


def received(order: Order) -> Bag:
    return _moved(order.transactions, "SALE", "CAPTURE")


def refunded(order: Order) -> Bag:
    return _moved(order.transactions, "REFUND")


def refund_total(refund: Refund) -> Bag:
    return _moved(refund.transactions, "REFUND")


def capturable(order: Order) -> Bag:
    if _moved(order.transactions, "VOID") or order.cancelled_at:
        return Bag()
    authorized = _moved(order.transactions, "AUTHORIZATION")
    return authorized - _moved(order.transactions, "CAPTURE") if authorized else Bag()


def outstanding(order: Order) -> Bag:
    return current_total(order) - (received(order) - refunded(order))


def financial_status(order: Order) -> str:
    paid, back = received(order), refunded(order)
    if not paid:
        return _unpaid_status(order)
    if back:
        return "REFUNDED" if back.shop >= paid.shop else "PARTIALLY_REFUNDED"
    return "PARTIALLY_PAID" if outstanding(order).shop > 0 else "PAID"


def _unpaid_status(order: Order) -> str:
    if order.cancelled_at or _moved(order.transactions, "VOID"):
        return "VOIDED"
    if not total_price(order):
        return "PAID"
    return "AUTHORIZED" if capturable(order) else "PENDING"


def fulfillment_status(order: Order) -> str:
    sent = [fulfilled_quantity(order, line) for line in order.lines]
    kept = [current_quantity(order, line) for line in order.lines]
    if not any(sent):
        is_back = order.refunds and not any(kept)
        return "RESTOCKED" if is_back else "UNFULFILLED"
    is_whole = all(out >= left for out, left in zip(sent, kept, strict=True))
    return "FULFILLED" if is_whole else "PARTIALLY_FULFILLED"
