"""What conditions may ask of orders, of what was bought in them, and of refunds."""

from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.record.catalog.events import PRODUCT_UPDATED
from regulars.record.orders import events

_STORE = Field("store", FieldType.TEXT, "store", is_listed=True)
_ORDERED = (
    events.ORDER_PLACED,
    events.ORDER_UPDATED,
    events.ORDER_PAID,
    events.ORDER_FULFILLED,
    events.ORDER_CANCELLED,
)

ORDERS = register(
    Relation(
        name="orders",
        meaning="orders that count",
        table="orders",
        at="placed_at",
        fields={
            "total": Field("total", FieldType.MONEY, "total"),
            "subtotal": Field("subtotal", FieldType.MONEY, "goods after discounts"),
            "gross": Field("gross", FieldType.MONEY, "goods before discounts"),
            "discount": Field("discount", FieldType.MONEY, "discount"),
            "shipping": Field("shipping", FieldType.MONEY, "shipping"),
            "tax": Field("tax", FieldType.MONEY, "tax"),
            "lines": Field("line_count", FieldType.NUMBER, "number of lines"),
            "store": _STORE,
            "channel": Field("channel", FieldType.TEXT, "channel", is_listed=True),
            "status": Field("status", FieldType.TEXT, "status", is_listed=True),
            "payment_status": Field("payment_status", FieldType.TEXT, "payment", is_listed=True),
            "fulfilment_status": Field("fulfilment_status", FieldType.TEXT, "fulfilment", is_listed=True),
            "country": Field("country", FieldType.TEXT, "country of delivery", is_listed=True),
            "currency": Field("currency", FieldType.TEXT, "currency", is_listed=True),
            "coupons": Field("coupons", FieldType.LIST, "coupon codes, in small letters"),
        },
        rises_with=_ORDERED,
        counts="counts",
        changes_with=(events.MONEY_REFOLDED,),
    )
)

ORDER_LINES = register(
    Relation(
        name="order_lines",
        meaning="things bought",
        table="order_lines",
        at="placed_at",
        fields={
            "product": Field("product", FieldType.TEXT, "product"),
            "sku": Field("sku", FieldType.TEXT, "stock code"),
            "variant": Field("variant", FieldType.TEXT, "variant"),
            "brand": Field("brand", FieldType.TEXT, "brand", is_listed=True),
            "categories": Field("categories", FieldType.LIST, "categories, with those above them", is_listed=True),
            "is_service": Field("is_service", FieldType.FLAG, "is postage, a fee or a voucher"),
            "quantity": Field("quantity", FieldType.NUMBER, "pieces"),
            "total": Field("total", FieldType.MONEY, "what it came to"),
            "store": _STORE,
        },
        rises_with=_ORDERED,
        counts="counts",
        changes_with=(events.MONEY_REFOLDED, PRODUCT_UPDATED),
    )
)

REFUNDS = register(
    Relation(
        name="refunds",
        meaning="refunds",
        table="refunds",
        at="occurred_at",
        fields={
            "amount": Field("amount", FieldType.MONEY, "amount given back"),
            "reason": Field("reason", FieldType.TEXT, "reason", is_listed=True),
            "store": _STORE,
            "currency": Field("currency", FieldType.TEXT, "currency", is_listed=True),
        },
        rises_with=(events.ORDER_REFUNDED, events.ORDER_UPDATED, events.ORDER_CANCELLED),
        counts="counts",
        changes_with=(events.MONEY_REFOLDED,),
    )
)
