"""WooCommerce: the shop's own export of products, its Analytics export of customers, and the order export that WooCommerce sells.

Orders are read in both shapes of the extension 'Customer/Order/Coupon Export': one row for each item, or one for each order with its
items packed into ``line_items`` as ``name:…|sku:…|quantity:…|total:…`` joined by semicolons.
"""

import re
from dataclasses import replace
from decimal import Decimal

from regulars.connections.files.layouts import customers, orders, products
from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.reading import Unit
from regulars.connections.files.values import Unreadable
from regulars.foundation.money import to_decimal
from regulars.record.orders.inputs import LineInput
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

_STATES = {
    "completed": (OrderStatus.COMPLETED, PaymentStatus.PAID, FulfilmentStatus.FULFILLED),
    "processing": (OrderStatus.OPEN, PaymentStatus.PAID, FulfilmentStatus.UNFULFILLED),
    "on-hold": (OrderStatus.OPEN, PaymentStatus.PENDING, FulfilmentStatus.UNFULFILLED),
    "pending": (OrderStatus.OPEN, PaymentStatus.PENDING, FulfilmentStatus.UNFULFILLED),
    "refunded": (OrderStatus.COMPLETED, PaymentStatus.REFUNDED, FulfilmentStatus.FULFILLED),
    "cancelled": (OrderStatus.CANCELLED, PaymentStatus.VOIDED, FulfilmentStatus.UNFULFILLED),
    "failed": (OrderStatus.CANCELLED, PaymentStatus.VOIDED, FulfilmentStatus.UNFULFILLED),
    "checkout-draft": (OrderStatus.CANCELLED, PaymentStatus.VOIDED, FulfilmentStatus.UNFULFILLED),
    "trash": (OrderStatus.CANCELLED, PaymentStatus.VOIDED, FulfilmentStatus.UNFULFILLED),
}
_ITEMS = re.compile(r";(?=\s*(?:id|name|product_id):)")
_FIELD = re.compile(r"\|(?=[a-z_]+:)")


def build_order(unit: Unit, reading: Reading) -> Built:
    """One order. Item totals are after discounts and without tax, as WooCommerce keeps them; the order's total is what it states."""
    built = Built()
    first = reading.columns.first
    head = orders.Head.read(unit, reading, built)
    lines = _lines(unit, reading, head.currency)
    order = orders.read_order(unit, reading, head, lines, built)
    state = first(unit.rows, "status").casefold().removeprefix("wc-").replace(" ", "-")
    if state not in _STATES:
        raise Unreadable(f"'{state[:30]}' is not an order status of WooCommerce")
    status, payment, fulfilment = _STATES[state]
    total = orders.optional_minor(unit, reading, "total", head.currency)
    built.orders.append(
        replace(
            order,
            status=status,
            payment_status=payment,
            fulfilment_status=fulfilment,
            total_minor=total,
            tax_included=False,
            discount_minor=0,
        )
    )
    return built


def _lines(unit: Unit, reading: Reading, currency: str) -> tuple[LineInput, ...]:
    packed = reading.columns.first(unit.rows, "line_items")
    if not packed or reading.columns.first(unit.rows, "item_total"):
        items = [
            {
                name: reading.columns.cell(row, f"item_{name}")
                for name in ("name", "sku", "product_id", "quantity", "total")
            }
            for row in unit.rows
        ]
    else:
        items = [dict(part.partition(":")[::2] for part in _FIELD.split(item.strip())) for item in _ITEMS.split(packed)]
    return tuple(_line(item, reading, currency) for item in items if item.get("total") or item.get("quantity"))


def _line(item: dict[str, str], reading: Reading, currency: str) -> LineInput:
    quantity = reading.values.whole(item.get("quantity") or "1")
    total = to_decimal(reading.values.minor(item.get("total", ""), currency), currency)
    sku = item.get("sku", "").strip()[:120]
    line = LineInput(
        sku=sku,
        title=item.get("name", "").strip()[:1000],
        quantity=quantity,
        unit_price=round(total / quantity, 6) if quantity else Decimal(0),
        product_key="" if sku else item.get("product_id", "").strip()[:120],
    )
    orders.check_size(line, currency)
    return line


def build_product(unit: Unit, reading: Reading) -> Built:
    """A product, or a variation that belongs to the product in its column 'Parent' (a SKU, or 'id:' and a number)."""
    cell = reading.columns.cell
    row = unit.rows[0]
    own = cell(row, "sku") or cell(row, "id")
    parent = cell(row, "parent").removeprefix("id:")
    is_variation = cell(row, "type").startswith("variation")
    if is_variation and not parent:
        raise Unreadable("the variation does not say which product it belongs to")
    built = products.build(Unit(parent if is_variation else own, unit.rows), reading)
    product = built.products[0]
    if is_variation:
        variants = tuple(replace(v, title=v.title or product.title) for v in product.variants)
        built.products = [replace(product, title="", url="", image_url="", categories=(), variants=variants)]
    elif "variable" in cell(row, "type"):
        built.products = [replace(product, variants=())]
    return built


_ADDRESS = {
    "customer_number": "customer_id",
    "email": "billing_email|customer_email",
    "first_name": "billing_first_name",
    "last_name": "billing_last_name",
    "company": "billing_company",
    "phone": "billing_phone",
    "street": "billing_address_1",
    "street_2": "billing_address_2",
    "postal_code": "billing_postcode",
    "city": "billing_city",
    "region": "billing_state",
    "country": "billing_country",
}

ORDERS = register(
    Layout(
        name="woocommerce-orders",
        kind=Kind.ORDERS,
        title="WooCommerce's export of orders",
        columns={
            "number": "order_number|order_number_formatted|order_id",
            "external_id": "order_id",
            "placed_at": "date|order_date",
            "status": "status",
            "currency": "order_currency",
            "total": "order_total",
            "shipping": "shipping_total",
            "tax": "tax_total",
            "refunded": "refunded_total",
            "discount_codes": "coupons",
            "payment_method": "payment_method",
            "ship_country": "shipping_country",
            "remarks": "customer_note",
            "item_name": "item_name",
            "item_sku": "item_sku",
            "item_product_id": "item_product_id",
            "item_quantity": "item_quantity",
            "item_total": "item_total",
            "line_items": "line_items",
            **_ADDRESS,
        },
        required=("number", "placed_at", "status", "total", "currency"),
        build=build_order,
        key="number",
        source="https://woocommerce.com/document/ordercustomer-csv-export/",
    )
)

CUSTOMERS = register(
    Layout(
        name="woocommerce-customers",
        kind=Kind.CUSTOMERS,
        title="WooCommerce's export of customers",
        columns={
            "name": "Name",
            "user_name": "Username",
            "seen_at": "Sign Up",
            "email": "Email",
            "country": "Country / Region",
            "city": "City",
            "region": "Region",
            "postal_code": "Postal Code",
            "total_spent": "Total Spend",
        },
        required=("name", "email", "user_name", "total_spent"),
        build=customers.build,
        source="https://woocommerce.com/document/woocommerce-analytics/customers-report/",
    )
)

PRODUCTS = register(
    Layout(
        name="woocommerce-products",
        kind=Kind.PRODUCTS,
        title="WooCommerce's export of products",
        columns={
            "id": "ID",
            "type": "Type|Typ",
            "sku": "SKU|Artikelnummer",
            "barcode": "GTIN, UPC, EAN, or ISBN|GTIN, UPC, EAN oder ISBN",
            "title": "Name",
            "status": "Published|Veröffentlicht",
            "on_hand": "Stock|Bestand",
            "price": "Regular price|Regulärer Preis",
            "cost": "Cost of goods",
            "category": "Categories|Kategorien",
            "image_url": "Images|Bilder",
            "url": "External URL",
            "parent": "Parent|Übergeordnet",
            "brand_name": "Brands|Marken",
        },
        required=("id", "type", "sku", "title", "status", "price"),
        build=build_product,
        source="https://woocommerce.com/document/product-csv-import-suite-column-header-reference/",
    )
)
