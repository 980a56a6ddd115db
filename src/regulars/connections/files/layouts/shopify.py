"""Shopify's own exports of orders, customers and products (help.shopify.com/manual: 'Exporting orders', 'Product CSV', 'Customer CSV')."""

from dataclasses import replace

from regulars.connections.files.layouts import customers, orders, products
from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.reading import Unit
from regulars.record.orders import rules
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus


def build_order(unit: Unit, reading: Reading) -> Built:
    """One order: a row for each line, the order's own cells in the first only. Its total is what Shopify states."""
    built = Built()
    first, values = reading.columns.first, reading.values
    head = orders.Head.read(unit, reading, built)
    lines = orders.read_lines(unit.rows, reading, head.currency)
    order = orders.read_order(unit, reading, head, lines, built)
    subtotal = orders.optional_minor(unit, reading, "subtotal", head.currency)
    total = orders.optional_minor(unit, reading, "total", head.currency)
    if subtotal is not None:  # after every discount, so that the order's own follows from it
        order = replace(order, discount_minor=sum(rules.line_amount(line, head.currency) for line in lines) - subtotal)
    if subtotal is not None and total is not None:
        order = replace(order, total_minor=total, tax_included=total == subtotal + order.shipping_minor)
    paid_at, sent_at = first(unit.rows, "paid_at"), first(unit.rows, "fulfilled_at")
    if paid_at and total:
        gateway, reference = first(unit.rows, "payment_method"), first(unit.rows, "payment_reference")
        order = replace(
            order, payments=(orders.payment(total, head.currency, values.moment(paid_at), gateway, reference),)
        )
    if sent_at:
        order = replace(order, fulfilments=(orders.fulfilment(values.moment(sent_at)),))
    if not first(unit.rows, "fulfilment_status"):
        order = replace(order, fulfilment_status=FulfilmentStatus.UNFULFILLED)
    is_settled = order.payment_status != PaymentStatus.PENDING and order.fulfilment_status == FulfilmentStatus.FULFILLED
    if not order.cancelled_at:
        order = replace(order, status=OrderStatus.COMPLETED if is_settled else OrderStatus.OPEN)
    built.orders.append(order)
    return built


ORDERS = register(
    Layout(
        name="shopify-orders",
        kind=Kind.ORDERS,
        title="Shopify's export of orders",
        columns={
            "number": "Name",
            "external_id": "Id",
            "placed_at": "Created at",
            "email": "Email",
            "payment_status": "Financial Status",
            "paid_at": "Paid at",
            "fulfilment_status": "Fulfillment Status",
            "fulfilled_at": "Fulfilled at",
            "currency": "Currency",
            "subtotal": "Subtotal",
            "shipping": "Shipping",
            "tax": "Taxes",
            "total": "Total",
            "discount_codes": "Discount Code",
            "quantity": "Lineitem quantity",
            "title": "Lineitem name",
            "unit_price": "Lineitem price",
            "sku": "Lineitem sku",
            "line_discount": "Lineitem discount",
            "name": "Billing Name",
            "company": "Billing Company",
            "street": "Billing Address1|Billing Street",
            "street_2": "Billing Address2",
            "city": "Billing City",
            "postal_code": "Billing Zip",
            "region": "Billing Province",
            "country": "Billing Country",
            "phone": "Phone|Billing Phone",
            "ship_country": "Shipping Country",
            "remarks": "Notes",
            "cancelled_at": "Cancelled at",
            "payment_method": "Payment Method",
            "payment_reference": "Payment Reference",
            "refunded": "Refunded Amount",
            "channel": "Source",
        },
        required=("number", "placed_at", "payment_status", "unit_price", "quantity", "total"),
        build=build_order,
        key="number",
        source="https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders",
    )
)

CUSTOMERS = register(
    Layout(
        name="shopify-customers",
        kind=Kind.CUSTOMERS,
        title="Shopify's export of customers",
        columns={
            "customer_number": "Customer ID",
            "first_name": "First Name",
            "last_name": "Last Name",
            "email": "Email",
            "accepts_email": "Accepts Email Marketing|Accepts Marketing",
            "accepts_sms": "Accepts SMS Marketing",
            "company": "Default Address Company|Company",
            "street": "Default Address Address1|Address1",
            "street_2": "Default Address Address2|Address2",
            "city": "Default Address City|City",
            "region": "Default Address Province Code|Province",
            "country": "Default Address Country Code|Country Code|Country",
            "postal_code": "Default Address Zip|Zip",
            "phone": "Phone|Default Address Phone",
            "note": "Note",
            "tags": "Tags",
            "total_spent": "Total Spent",
        },
        required=("first_name", "last_name", "email", "accepts_email", "total_spent"),
        build=customers.build,
        source="https://help.shopify.com/en/manual/customers/import-export-customers",
    )
)

PRODUCTS = register(
    Layout(
        name="shopify-products",
        kind=Kind.PRODUCTS,
        title="Shopify's export of products",
        columns={
            "key": "Handle|URL handle",
            "title": "Title",
            "brand_name": "Vendor",
            "category": "Type",
            "status": "Status|Published",
            "option_1": "Option1 Value",
            "option_2": "Option2 Value",
            "option_3": "Option3 Value",
            "sku": "Variant SKU|SKU",
            "barcode": "Variant Barcode|Barcode",
            "price": "Variant Price|Price",
            "compare_at": "Variant Compare At Price|Compare-at price",
            "cost": "Cost per item",
            "on_hand": "Variant Inventory Qty|Inventory quantity",
            "image_url": "Image Src|Product image URL",
            "gift_card": "Gift Card",
        },
        required=("key", "title", "brand_name", "option_1", "price"),
        build=products.build,
        key="key",
        source="https://help.shopify.com/en/manual/products/import-export/using-csv",
    )
)
