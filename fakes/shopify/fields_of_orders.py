"""How orders and what belongs to them are read."""

from collections.abc import Callable

from fakes.shopify import sums
from fakes.shopify.amounts import Bag, decimal_text, total
from fakes.shopify.context import Asking, Field, Fields, Json, Within, attributes, bag, count, moment, money
from fakes.shopify.records import Application, Line, Order, Tax, Transaction
from fakes.shopify.settings import VERSION

CHANNELS = {"web": ("online_store", "Online Store"), "pos": ("point_of_sale", "Point of Sale")}


def _sum(of: Callable[[Order], Bag]) -> Field:
    return lambda order, ask: bag(of(order), order.currencies)


def _old(of: Callable[[Order], Bag]) -> Field:
    """In the older form: only a decimal in the shop's currency."""
    return lambda order, ask: decimal_text(of(order).shop, order.currencies.shop)


def _part(of: Callable[[Order, Line], Bag]) -> Field:
    return lambda part, ask: bag(of(part.order, part.record), part.order.currencies)


def _all(name: str) -> Field:
    return lambda order, ask: [Within(one, order) for one in getattr(order, name)]


def _tax(of: Tax, order: Order) -> Json:
    return {
        "title": of.title,
        "rate": of.rate,
        "ratePercentage": round(of.rate * 100, 4),
        "channelLiable": False,
        "source": "shopify",
        "price": decimal_text(of.amount.shop, order.currencies.shop),
        "priceSet": bag(of.amount, order.currencies),
    }


def _taxes(order: Order, ask: Asking) -> list[Json]:
    taxes = [tax for line in order.lines for tax in line.taxes] + (order.shipping.taxes if order.shipping else [])
    return [_tax(one, order) for one in taxes]


def _application(of: Application, order: Order) -> Json:
    value = {"__typename": "PricingPercentageValue", "percentage": of.value / 100}
    return {
        "__typename": "DiscountCodeApplication" if of.code else "ManualDiscountApplication",
        "allocationMethod": "ACROSS",
        "code": of.code,
        "description": of.title,
        "index": of.index,
        "targetSelection": "ALL",
        "targetType": "SHIPPING_LINE" if of.is_on_shipping else "LINE_ITEM",
        "title": of.title,
        "value": value if of.is_percentage else money(of.value, order.currencies.shown),
    }


def _allocations(part: Within, ask: Asking) -> list[Json]:
    order = part.order
    return [
        {
            "allocatedAmount": money(amount.shop, order.currencies.shop),
            "allocatedAmountSet": bag(amount, order.currencies),
            "discountApplication": _application(order.applications[index], order),
        }
        for index, amount in part.record.allocations.items()
    ]


def _code_discounts(order: Order) -> Bag:
    lines = [line.allocations.get(one.index, Bag()) for line in order.lines for one in order.applications]
    return total(lines)


def _channel(order: Order, ask: Asking) -> Json | None:
    if order.source_name not in CHANNELS:
        return None
    handle, name = CHANNELS[order.source_name]
    return {
        "id": "gid://shopify/ChannelInformation/1",
        "channelId": "gid://shopify/Channel/1",
        "displayName": name,
        "app": {
            "id": "gid://shopify/App/580111",
            "title": name,
            "handle": handle,
            "apiKey": "online-store",
            "embedded": False,
            "webhookApiVersion": VERSION,
        },
        "channelDefinition": {
            "id": "gid://shopify/ChannelDefinition/1",
            "handle": handle,
            "channelName": name,
            "subChannelName": name,
            "isMarketplace": False,
        },
    }


def _attribution(order: Order, ask: Asking) -> Json:
    handle, name = CHANNELS.get(order.source_name, (order.source_name, order.source_name))
    return {"handle": handle, "displayName": name}


def _journey(order: Order, ask: Asking) -> Json:
    visit = None
    if order.landing_page or order.referrer:
        visit = {
            "__typename": "CustomerVisit",
            "id": f"gid://shopify/CustomerVisit/{order.number_of_kind}",
            "landingPage": order.landing_page,
            "occurredAt": moment(order.created_at),
            "referralInfoHtml": "",
            "referrerUrl": order.referrer,
            "source": "direct" if not order.referrer else "referral",
            "utmParameters": order.utm or None,
        }
    return {"ready": True, "firstVisit": visit, "lastVisit": visit, "customerOrderIndex": 0, "momentsCount": count(1)}


def _transactions(order: Order, ask: Asking) -> list[Within]:
    return [Within(one, order) for one in order.transactions[: ask.arguments.get("first")]]


def _first(name: str) -> Field:
    """A list, not a connection: ``first`` cuts it."""
    return lambda order, ask: [Within(one, order) for one in getattr(order, name)[: ask.arguments.get("first")]]


def _discounted(part: Within, ask: Asking) -> Json:
    """Codes are left out unless they are asked for: so an order of one code discount seems to have none."""
    line: Line = part.record
    whole = sums.net(line) if ask.arguments.get("withCodeDiscounts") else line.price * line.quantity
    return bag(whole, part.order.currencies)


def _each_after_all(part: Within, ask: Asking) -> Json:
    line: Line = part.record
    each = sums.slice_of(sums.net(line), line, 0, 1)
    return bag(each, part.order.currencies)


def _left(part: Within, ask: Asking) -> int:
    return max(sums.current_quantity(part.order, part.record) - sums.fulfilled_quantity(part.order, part.record), 0)


def _line_status(part: Within, ask: Asking) -> str:
    out = sums.fulfilled_quantity(part.order, part.record)
    return "unfulfilled" if not out else "partial" if _left(part, ask) else "fulfilled"


def _parent(part: Within, ask: Asking) -> Within | None:
    transaction: Transaction = part.record
    return Within(transaction.parent, part.order) if transaction.parent else None


def _adjustments(part: Within, ask: Asking) -> list[Json]:
    refund, order = part.record, part.order
    if not refund.discrepancy:
        return []
    return [
        {
            "id": f"gid://shopify/OrderAdjustment/{refund.adjustment_number}",
            "reason": "REFUND_DISCREPANCY",
            "amountSet": bag(refund.discrepancy * -1, order.currencies),
            "taxAmountSet": bag(Bag(), order.currencies),
        }
    ]


def _refunded_shipping(part: Within, ask: Asking) -> list[Json]:
    refund, order = part.record, part.order
    if not refund.shipping:
        return []
    return [
        {
            "id": f"gid://shopify/RefundShippingLine/{refund.adjustment_number}",
            "shippingLine": Within(order.shipping, order),
            "subtotalAmountSet": bag(refund.shipping, order.currencies),
            "taxAmountSet": bag(refund.shipping_tax, order.currencies),
        }
    ]


def _refund_part(name: str) -> Field:
    return lambda part, ask: bag(getattr(part.record, name), part.order.currencies)


def _tracking(part: Within, ask: Asking) -> list[Json]:
    sent = part.record
    pairs = zip(sent.tracking_numbers, sent.tracking_urls, strict=False)
    return [{"company": sent.company, "number": number, "url": url} for number, url in pairs]


ORDER: dict[str, Field] = {
    "app": lambda order, ask: {"id": "gid://shopify/App/580111", "name": "Online Store"},
    "attribution": _attribution,
    "billingAddressMatchesShippingAddress": lambda order, ask: True,
    "cancellation": lambda order, ask: {"staffNote": None} if order.cancelled_at else None,
    "cartDiscountAmountSet": _sum(_code_discounts),
    "channelInformation": _channel,
    "closed": lambda order, ask: order.closed_at is not None,
    "confirmationNumber": lambda order, ask: f"C{order.number:08d}",
    "confirmed": lambda order, ask: True,
    "currencyCode": lambda order, ask: order.currencies.shop,
    "currentCartDiscountAmountSet": _sum(sums.current_discounts),
    "currentShippingPriceSet": _sum(sums.current_shipping),
    "currentSubtotalLineItemsQuantity": lambda order, ask: sum(
        sums.current_quantity(order, one) for one in order.lines
    ),
    "currentSubtotalPriceSet": _sum(sums.current_subtotal),
    "currentTaxLines": _taxes,
    "currentTotalDiscountsSet": _sum(sums.current_discounts),
    "currentTotalPriceSet": _sum(sums.current_total),
    "currentTotalTaxSet": _sum(sums.current_tax),
    "currentTotalWeight": lambda order, ask: 200 * sum(sums.current_quantity(order, one) for one in order.lines),
    "customAttributes": lambda order, ask: attributes(order.attributes),
    "customerAcceptsMarketing": lambda order, ask: order.accepts_marketing,
    "customerJourneySummary": _journey,
    "discountApplications": lambda order, ask: [_application(one, order) for one in order.applications],
    "discountCode": lambda order, ask: next((one.code for one in order.applications if one.code), None),
    "discountCodes": lambda order, ask: [one.code for one in order.applications if one.code],
    "displayAddress": lambda order, ask: order.shipping_address or order.billing_address,
    "displayFinancialStatus": lambda order, ask: sums.financial_status(order),
    "displayFulfillmentStatus": lambda order, ask: sums.fulfillment_status(order),
    "dutiesIncluded": lambda order, ask: False,
    "estimatedTaxes": lambda order, ask: False,
    "fulfillable": lambda order, ask: sums.fulfillment_status(order) != "FULFILLED" and not order.cancelled_at,
    "fulfillments": _first("fulfilments"),
    "fulfillmentsCount": lambda order, ask: count(len(order.fulfilments)),
    "fullyPaid": lambda order, ask: sums.outstanding(order).shop <= 0,
    "landingPageUrl": lambda order, ask: order.landing_page,
    "lineItems": _all("lines"),
    "netPaymentSet": _sum(lambda order: sums.received(order) - sums.refunded(order)),
    "originalTotalPriceSet": _sum(sums.original_total),
    "paymentGatewayNames": lambda order, ask: sorted({one.gateway for one in order.transactions}),
    "presentmentCurrencyCode": lambda order, ask: order.currencies.shown,
    "referrerUrl": lambda order, ask: order.referrer,
    "refundDiscrepancySet": _sum(lambda order: total([one.discrepancy for one in order.refunds])),
    "refundable": lambda order, ask: bool(sums.received(order) - sums.refunded(order)),
    "refunds": _first("refunds"),
    "requiresShipping": lambda order, ask: any(one.requires_shipping for one in order.lines),
    "restockable": lambda order, ask: False,
    "retailLocation": lambda order, ask: ask.shop.till if order.source_name == "pos" else None,
    "returnStatus": lambda order, ask: "RETURNED" if any(one.lines for one in order.refunds) else "NO_RETURN",
    "shippingLine": lambda order, ask: Within(order.shipping, order) if order.shipping else None,
    "shippingLines": lambda order, ask: [Within(order.shipping, order)] if order.shipping else [],
    "statusPageUrl": lambda order, ask: (
        f"https://{ask.shop.settings.domain}/orders/{order.number_of_kind:032x}/authenticate"
    ),
    "subtotalLineItemsQuantity": lambda order, ask: sum(one.quantity for one in order.lines),
    "subtotalPrice": _old(sums.subtotal),
    "subtotalPriceSet": _sum(sums.subtotal),
    "taxExempt": lambda order, ask: False,
    "taxLines": _taxes,
    "totalCapturableSet": _sum(sums.capturable),
    "totalDiscounts": _old(sums.total_discounts),
    "totalDiscountsSet": _sum(sums.total_discounts),
    "totalOutstandingSet": _sum(sums.outstanding),
    "totalPrice": _old(sums.total_price),
    "totalPriceSet": _sum(sums.total_price),
    "totalReceivedSet": _sum(sums.received),
    "totalRefunded": _old(sums.refunded),
    "totalRefundedSet": _sum(sums.refunded),
    "totalRefundedShippingSet": _sum(lambda order: total([one.shipping for one in order.refunds])),
    "totalShippingPrice": _old(sums.shipping_price),
    "totalShippingPriceSet": _sum(sums.shipping_price),
    "totalTax": _old(sums.total_tax),
    "totalTaxSet": _sum(sums.total_tax),
    "totalTipReceivedSet": _sum(lambda order: Bag()),
    "transactions": _transactions,
    "transactionsCount": lambda order, ask: count(len(order.transactions)),
    "unpaid": lambda order, ask: sums.outstanding(order).shop > 0,
}

LINE: dict[str, Field] = {
    "currentQuantity": lambda part, ask: sums.current_quantity(part.order, part.record),
    "customAttributes": lambda part, ask: attributes(part.record.properties),
    "discountAllocations": _allocations,
    "discountedTotalSet": _discounted,
    "discountedUnitPriceAfterAllDiscountsSet": _each_after_all,
    "discountedUnitPriceSet": _part(lambda order, line: line.price),
    "fulfillableQuantity": _left,
    "fulfillmentStatus": _line_status,
    "image": lambda part, ask: None,
    "merchantEditable": lambda part, ask: True,
    "name": lambda part, ask: " - ".join(one for one in (part.record.title, part.record.variant_title) if one),
    "nonFulfillableQuantity": lambda part, ask: part.record.quantity - sums.current_quantity(part.order, part.record),
    "originalTotalSet": _part(lambda order, line: line.price * line.quantity),
    "originalUnitPrice": lambda part, ask: decimal_text(part.record.price.shop, part.order.currencies.shop),
    "originalUnitPriceSet": _part(lambda order, line: line.price),
    "refundableQuantity": lambda part, ask: sums.current_quantity(part.order, part.record),
    "restockable": lambda part, ask: part.record.variant is not None,
    "taxLines": lambda part, ask: [_tax(one, part.order) for one in part.record.taxes],
    "totalDiscountSet": _part(lambda order, line: Bag()),
    "unfulfilledDiscountedTotalSet": lambda part, ask: bag(part.record.price * _left(part, ask), part.order.currencies),
    "unfulfilledOriginalTotalSet": lambda part, ask: bag(part.record.price * _left(part, ask), part.order.currencies),
    "unfulfilledQuantity": _left,
}

FIELDS: Fields = {
    "Order": ORDER,
    "LineItem": LINE,
    "ShippingLine": {
        "currentDiscountedPriceSet": _part(lambda order, line: sums.current_shipping(order)),
        "custom": lambda part, ask: False,
        "discountAllocations": _allocations,
        "discountedPriceSet": _part(lambda order, line: sums.shipping_net(order)),
        "isRemoved": lambda part, ask: False,
        "originalPriceSet": _part(lambda order, line: line.price),
        "source": lambda part, ask: "shopify",
        "taxLines": lambda part, ask: [_tax(one, part.order) for one in part.record.taxes],
    },
    "Refund": {
        "order": lambda part, ask: part.order,
        "orderAdjustments": _adjustments,
        "processedAt": lambda part, ask: part.record.created_at,
        "refundLineItems": lambda part, ask: [Within(one, part.order) for one in part.record.lines],
        "refundShippingLines": _refunded_shipping,
        "totalRefunded": lambda part, ask: money(sums.refund_total(part.record).shop, part.order.currencies.shop),
        "totalRefundedSet": lambda part, ask: bag(sums.refund_total(part.record), part.order.currencies),
        "transactions": lambda part, ask: [Within(one, part.order) for one in part.record.transactions],
        "updatedAt": lambda part, ask: part.record.created_at,
    },
    "RefundLineItem": {
        "lineItem": lambda part, ask: Within(part.record.line, part.order),
        "price": lambda part, ask: decimal_text(part.record.line.price.shop, part.order.currencies.shop),
        "priceSet": lambda part, ask: bag(part.record.line.price, part.order.currencies),
        "restocked": lambda part, ask: part.record.restock_type != "NO_RESTOCK",
        "subtotal": lambda part, ask: decimal_text(part.record.subtotal.shop, part.order.currencies.shop),
        "subtotalSet": _refund_part("subtotal"),
        "totalTax": lambda part, ask: decimal_text(part.record.tax.shop, part.order.currencies.shop),
        "totalTaxSet": _refund_part("tax"),
    },
    "OrderTransaction": {
        "amountSet": _refund_part("amount"),
        "amountV2": lambda part, ask: money(part.record.amount.shop, part.order.currencies.shop),
        "formattedGateway": lambda part, ask: part.record.gateway.replace("_", " ").title(),
        "manualPaymentGateway": lambda part, ask: part.record.gateway == "cash",
        "manuallyCapturable": lambda part, ask: part.record.kind == "AUTHORIZATION",
        "multiCapturable": lambda part, ask: False,
        "order": lambda part, ask: part.order,
        "parentTransaction": _parent,
        "paymentId": lambda part, ask: f"{part.order.name}.{part.record.number_of_kind}",
        "processedAt": lambda part, ask: part.record.created_at,
        "settlementCurrency": lambda part, ask: part.order.currencies.shop,
        "test": lambda part, ask: part.record.is_test,
    },
    "Fulfillment": {
        "fulfillmentLineItems": lambda part, ask: [Within(one, part.order) for one in part.record.lines],
        "location": lambda part, ask: ask.shop.warehouse,
        "order": lambda part, ask: part.order,
        "requiresShipping": lambda part, ask: True,
        "totalQuantity": lambda part, ask: sum(one.quantity for one in part.record.lines),
        "trackingInfo": _tracking,
    },
    "FulfillmentLineItem": {
        "discountedTotalSet": lambda part, ask: bag(
            part.record.line.price * part.record.quantity, part.order.currencies
        ),
        "lineItem": lambda part, ask: Within(part.record.line, part.order),
        "originalTotalSet": lambda part, ask: bag(part.record.line.price * part.record.quantity, part.order.currencies),
    },
}
