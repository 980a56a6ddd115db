"""Each known layout, from a file to the record."""

# ruff: noqa: E501  rows of exports are as long as they are

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from regulars.connections.files.queries import list_rejects
from regulars.connections.files.tests.conftest import Importer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Store
from regulars.record.catalog.models import PriceEntry, Product, StockEntry, Variant
from regulars.record.consent.models import ConsentEntry, SuppressionEntry
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import CustomerProfile, IdentityKind, Tag
from regulars.record.customers.operations.kinds import name_kind
from regulars.record.customers.queries import find_by_identity, read_cards, read_notes, tags_of
from regulars.record.orders.models import CustomerFigures, Order, Refund

pytestmark = pytest.mark.django_db

SHOPIFY_HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,"
    "Lineitem sku,Lineitem discount,Billing Name,Billing Address1,Billing City,Billing Zip,Billing Country,Shipping Country,Notes,"
    "Cancelled at,Payment Method,Payment Reference,Refunded Amount,Id,Source,Phone"
)


def shopify(**cells: str) -> str:
    return ",".join(f'"{cells.get(name, "")}"' for name in SHOPIFY_HEADER.split(","))


def shopify_file() -> str:
    first = {
        "Name": "#1001",
        "Email": "Ann@Shop.example",
        "Financial Status": "partially_refunded",
        "Paid at": "2026-03-01 10:00:05 +0100",
        "Fulfillment Status": "fulfilled",
        "Fulfilled at": "2026-03-02 09:00:00 +0100",
        "Currency": "EUR",
        "Subtotal": "45.00",
        "Shipping": "4.90",
        "Taxes": "7.97",
        "Total": "49.90",
        "Discount Code": "SPRING",
        "Discount Amount": "5.00",
        "Created at": "2026-03-01 10:00:00 +0100",
        "Lineitem quantity": "2",
        "Lineitem name": "Mug - blue",
        "Lineitem price": "20.00",
        "Lineitem sku": "MUG-B",
        "Billing Name": "Ann Example",
        "Billing City": "Köln",
        "Billing Zip": "'50667",
        "Billing Country": "DE",
        "Shipping Country": "AT",
        "Payment Method": "Shopify Payments",
        "Refunded Amount": "20.00",
        "Id": "5000001",
        "Source": "web",
    }
    second = {"Name": "#1001", "Email": "Ann@Shop.example", "Created at": "2026-03-01 10:00:00 +0100"}
    second |= {"Lineitem quantity": "1", "Lineitem name": "Plate", "Lineitem price": "10.00", "Lineitem sku": "PLT"}
    return "\n".join([SHOPIFY_HEADER, shopify(**first), shopify(**second), ""])


def test_shopify_orders(bring_in: Importer) -> None:
    done = bring_in(shopify_file())
    order = Order.objects.get()
    assert done.layout == "shopify-orders"
    assert (order.number, order.external_id, order.currency, order.country) == ("#1001", "5000001", "EUR", "AT")
    assert (order.subtotal_minor, order.discount_minor, order.shipping_minor, order.tax_minor) == (4500, 500, 490, 797)
    assert (order.total_minor, order.tax_included) == (4990, True)
    assert order.placed_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert sorted(order.lines.values_list("sku", "quantity", "total_minor")) == [("MUG-B", 2, 4000), ("PLT", 1, 1000)]
    assert (order.payment_status, order.status, order.fulfilment_status) == (
        "partially_refunded",
        "completed",
        "fulfilled",
    )
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.order_id) == (2000, order.pk)
    assert (done.counts["rows_taken"], done.counts["rows_altered"], done.counts["rows_skipped"]) == (1, 1, 0)
    customer = find_by_identity(IdentityInput(IdentityKind.EMAIL, "ann@shop.example"))
    card = read_cards(customer)[customer[0]]
    assert (card.name, card.city, card.postal_code, card.country) == ("Ann Example", "Köln", "50667", "DE")


def test_shopify_customers_without_proof_are_unknown(bring_in: Importer) -> None:
    header = "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Country Code,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags"
    rows = "\n".join(
        [
            "'77,Ann,Example,ann@shop.example,yes,GB,'+447400123456,no,12.00,1,likes blue,no,\"vip, wholesale\"",
            "'78,Bob,Example,bob@shop.example,no,GB,,no,0.00,0,,no,",
        ]
    )
    done = bring_in(f"{header}\n{rows}\n", "customers")
    assert done.layout == "shopify-customers"
    assert sorted(ConsentEntry.objects.values_list("channel", "state")) == [
        ("email", "denied"),
        ("email", "unknown"),
        ("sms", "denied"),
    ]
    customer = find_by_identity(IdentityInput(IdentityKind.STORE_CUSTOMER, "77", "uk"))[0]
    assert tags_of(customer) == ["vip", "wholesale"]
    assert [note.text for note in read_notes(customer)] == ["likes blue"]
    assert find_by_identity(IdentityInput(IdentityKind.PHONE, "+447400123456")) == [customer]


def test_shopify_products(bring_in: Importer) -> None:
    template = Path(__file__).parent / "data" / "shopify-products.csv"
    done = bring_in(template.read_bytes(), "products")
    assert done.layout == "shopify-products"
    product = Product.objects.get(key="enamel-mug")
    assert (product.title, product.brand_name, product.status) == ("Enamel mug", "Acme", "active")
    assert list(product.categories.values_list("name", flat=True)) == ["Mugs"]
    assert sorted(Variant.objects.filter(product=product).values_list("sku", "title")) == [
        ("mug-b", "Blue"),
        ("mug-r", "Red"),
    ]
    prices = PriceEntry.objects.filter(variant__sku="mug-r").values_list("kind", "amount", "currency")
    assert sorted(prices) == [("compare-at", Decimal("24.99"), "GBP"), ("list", Decimal("19.99"), "GBP")]
    assert list(StockEntry.objects.values_list("variant__sku", "on_hand")) == [("mug-b", 7)]


WOO_ORDERS = """order_id,order_number,date,status,shipping_total,tax_total,order_total,refunded_total,order_currency,customer_id,billing_first_name,billing_last_name,billing_email,billing_phone,billing_postcode,billing_city,billing_country,shipping_country,customer_note,item_id,item_product_id,item_name,item_sku,item_quantity,item_total
9001,9001,2026-03-01 10:00:00,completed,4.00,5.00,35.00,0,GBP,12,Ann,Example,ann@shop.example,+447400123456,SW1A 1AA,London,GB,GB,ring twice,1,55,Mug,MUG,2,20.00
9001,9001,2026-03-01 10:00:00,completed,4.00,5.00,35.00,0,GBP,12,Ann,Example,ann@shop.example,+447400123456,SW1A 1AA,London,GB,GB,ring twice,2,56,Plate,,1,6.00
9002,9002,2026-03-02 10:00:00,failed,0,0,10.00,0,GBP,0,Bob,Example,bob@shop.example,,,,GB,GB,,3,55,Mug,MUG,1,10.00
"""


def test_woocommerce_orders_one_row_an_item(bring_in: Importer) -> None:
    done = bring_in(WOO_ORDERS)
    assert done.layout == "woocommerce-orders"
    order = Order.objects.get(number="9001")
    assert (order.subtotal_minor, order.shipping_minor, order.tax_minor, order.tax_included, order.total_minor) == (
        2600,
        400,
        500,
        False,
        3500,
    )
    assert sorted(order.lines.values_list("variant__product__key", "unit_price")) == [
        ("56", Decimal(6)),
        ("MUG", Decimal(10)),
    ]
    failed = Order.objects.get(number="9002")
    assert (failed.status, failed.payment_status) == ("cancelled", "voided")
    assert list(CustomerFigures.objects.values_list("spent_minor", flat=True)) == [3500]
    assert find_by_identity(IdentityInput(IdentityKind.STORE_CUSTOMER, "0", "uk")) == []


def test_woocommerce_orders_with_packed_items(bring_in: Importer) -> None:
    packed = '"id:1|name:Mug; large|product_id:55|sku:MUG|quantity:2|subtotal:20.00|total:20.00;id:2|name:Plate|sku:|quantity:1|total:6.00"'
    bring_in(
        f"order_id,order_number,date,status,order_total,order_currency,customer_id,line_items\n1,1,2026-03-01 10:00:00,wc-processing,26.00,GBP,12,{packed}\n"
    )
    lines = Order.objects.get().lines.order_by("id").values_list("sku", "title", "quantity", "total_minor")
    assert list(lines) == [("MUG", "Mug; large", 2, 2000), ("", "Plate", 1, 600)]
    assert Order.objects.get().fulfilment_status == "unfulfilled"


def test_woocommerce_products_join_their_variations(bring_in: Importer) -> None:
    done = bring_in(
        'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Stock,Sale price,Regular price,Categories,Parent\n'
        '10,variable,SHIRT,,Shirt,1,,,,"Clothes > Shirts, Sale",\n'
        '11,variation,SHIRT-S,,"Shirt - S",1,3,,19.00,,SHIRT\n'
        '12,variation,SHIRT-L,,"Shirt - L",1,4,,19.00,,SHIRT\n'
        "13,simple,MUG,4006381333931,Mug,0,5,,9.00,,\n",
        "products",
    )
    assert done.layout == "woocommerce-products"
    assert sorted(Product.objects.values_list("key", "title", "status")) == [
        ("MUG", "Mug", "draft"),
        ("SHIRT", "Shirt", "active"),
    ]
    assert sorted(Variant.objects.values_list("product__key", "sku", "title")) == [
        ("MUG", "MUG", ""),
        ("SHIRT", "SHIRT-L", "Shirt - L"),
        ("SHIRT", "SHIRT-S", "Shirt - S"),
    ]
    assert sorted(Product.objects.get(key="SHIRT").categories.values_list("name", "parent__name")) == [
        ("Sale", None),
        ("Shirts", "Clothes"),
    ]


def test_woocommerce_customers(bring_in: Importer) -> None:
    header = 'Name,Username,"Last Active","Sign Up",Email,Orders,"Total Spend",AOV,"Country / Region",City,Region,"Postal Code"'
    row = 'Ann Example,ann,2026-03-01,2025-01-15,ann@shop.example,3,90.00,30.00,GB,London,,"SW1A 1AA"'
    done = bring_in(f"{header}\n{row}\n", "customers")
    assert done.layout == "woocommerce-customers"
    customer = find_by_identity(IdentityInput(IdentityKind.EMAIL, "ann@shop.example"))[0]
    assert CustomerProfile.objects.get().customer.created_at == datetime(2025, 1, 15, tzinfo=UTC)
    assert read_cards([customer])[customer].postal_code == "SW1A 1AA"


def test_klaviyo_profiles_are_granted_only_with_their_time(bring_in: Importer) -> None:
    done = bring_in(
        "Email,Klaviyo ID,First Name,Last Name,Phone Number,Email Marketing Consent,Email Marketing Consent Timestamp\n"
        "ann@shop.example,01A,Ann,Example,,SUBSCRIBED,2025-06-01 10:00:00\n"
        "bob@shop.example,01B,Bob,Example,,SUBSCRIBED,\n"
        "cid@shop.example,01C,Cid,Example,,UNSUBSCRIBED,2025-07-01 10:00:00\n"
        "dee@shop.example,01D,Dee,Example,,NEVER_SUBSCRIBED,\n",
        "customers",
    )
    assert done.layout == "klaviyo-profiles"
    assert sorted(ConsentEntry.objects.values_list("state", flat=True)) == ["denied", "granted", "unknown"]
    assert ConsentEntry.objects.get(state="granted").occurred_at == datetime(2025, 6, 1, 9, tzinfo=UTC)


def test_klaviyo_suppressions(bring_in: Importer) -> None:
    done = bring_in(
        "Email,Suppression Reason,Suppression Timestamp\n"
        "a@shop.example,Hard Bounced,2025-06-01 10:00:00\nb@shop.example,Unsubscribed,2025-06-02 10:00:00\nnobody,Spam Complaint,2025-06-03\n",
        "consent",
    )
    assert done.layout == "klaviyo-suppressions"
    assert list(SuppressionEntry.objects.values_list("reason", flat=True)) == ["hard bounce"]
    assert list(ConsentEntry.objects.values_list("state", flat=True)) == ["denied"]
    assert (done.counts["rows_taken"], done.counts["rows_skipped"]) == (2, 1)


MAILCHIMP = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC,LAST_CHANGED,LEID,EUID,NOTES,TAGS"


@pytest.mark.parametrize(
    ("header", "cells", "layout", "consents", "suppressions"),
    [
        (MAILCHIMP, "", "mailchimp-subscribed", ["granted"], []),
        (
            f"{MAILCHIMP},UNSUB_TIME,UNSUB_REASON",
            ",2025-02-01 08:00:00,NORMAL",
            "mailchimp-unsubscribed",
            ["denied"],
            [],
        ),
        (
            f"{MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE",
            ",2025-02-01 08:00:00,Spring",
            "mailchimp-cleaned",
            [],
            ["hard bounce"],
        ),
    ],
)
def test_mailchimp(
    bring_in: Importer, header: str, cells: str, layout: str, consents: list[str], suppressions: list[str]
) -> None:
    row = f"ann@shop.example,Ann,Example,4,2024-01-01 10:00:00,192.0.2.1,2024-01-01 10:05:00,192.0.2.1,GB,2024-01-01 10:05:00,1,e1,,{cells}"
    done = bring_in(f"{header}\n{row}\n", "consent")
    assert done.layout == layout
    assert list(ConsentEntry.objects.values_list("state", flat=True)) == consents
    assert list(SuppressionEntry.objects.values_list("reason", flat=True)) == suppressions


def test_any_table_of_order_lines_in_german(bring_in: Importer) -> None:
    text = (
        "Bestellnummer;Datum;Kundennummer;E-Mail;Artikelnummer;Bezeichnung;Menge;Einzelpreis\n"
        "B1;31.01.2026 14:30;7;ann@shop.example;A-1;Tasse;2;1.234,50\n"
        "B1;31.01.2026 14:30;7;ann@shop.example;A-2;Teller;1;3,10\n"
        "B2;01.02.2026;8;;A-1;Tasse;-1;5,00\n"
    )
    done = bring_in(text.encode("cp1252"))
    assert done.layout == "any-orders"
    assert (done.format["separator"], done.format["decimal_comma"], done.format["date_order"]) == (";", True, "dmy")
    order = Order.objects.get()
    assert (order.total_minor, order.placed_at) == (246900 + 310, datetime(2026, 1, 31, 14, 30, tzinfo=UTC))
    assert list(Refund.objects.values_list("number", "amount_minor")) == [("B2", 500)]


def test_any_table_of_whole_orders_by_a_given_mapping(bring_in: Importer) -> None:
    text = "ref\twhen\twho\tgross\nX1\t02/03/2026\tann@shop.example\t$1,200.50\nX2\t02/14/2026\tbob@shop.example\t10\n"
    mapping = {"number": "ref", "placed_at": "when", "email": "who", "total": "gross"}
    bring_in(text, mapping=mapping, currency="USD")
    assert sorted(Order.objects.values_list("number", "total_minor", "currency")) == [
        ("X1", 120050, "USD"),
        ("X2", 1000, "USD"),
    ]
    assert Order.objects.get(number="X1").placed_at == datetime(2026, 2, 3, tzinfo=UTC)


def test_what_is_not_taken_as_it_stands_is_noted(bring_in: Importer) -> None:
    done = bring_in(
        "Order;Date;Email;Price;Status;Payment status;Remarks\n"
        f"1;2026-01-02;a@shop.example;5;wartet;paid;{'x' * 4001}\n"
        "2;2026-01-02;a@shop.example;5;completed;paid;y\n"
        "2;2026-01-03;a@shop.example;6;completed;paid;y\n"
        f"3;2026-01-02;a@shop.example;5;completed;maybe;{'x' * 4000}\n"
        f"4;2026-01-02;a@shop.example;5;completed;paid;{'x' * 4001}\n"
    )
    assert [(reject.line, reject.reason) for reject in list_rejects(done)] == [
        (2, "status 'wartet' is not known: 'completed' counts"),
        (4, "the order has two timestamps: the earlier one counts"),
        (5, "payment status 'maybe' is not known: 'paid' counts"),
        (6, "remarks: longer than 4000 letters, and was cut"),
    ]
    assert (done.counts["rows_taken"], done.counts["rows_altered"], done.counts["rows_skipped"]) == (1, 4, 0)


def test_a_tag_that_names_somebody_is_left_out(bring_in: Importer) -> None:
    done = bring_in(
        'Email,Tags\nann@shop.example,"vip, friend of bob@shop.example, +44 7700 900123, spring 2026"\n', "customers"
    )
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["spring 2026", "vip"]
    assert [(r.line, r.outcome, r.reason) for r in list_rejects(done)] == [
        (2, "altered", "a tag that looks like a mail address or a phone number was left out")
    ]


def test_mailchimps_tags_and_notes_come_along(bring_in: Importer) -> None:
    row = 'ann@shop.example,Ann,Example,4,2024-01-01 10:00:00,,,,GB,2024-01-01 10:05:00,1,e1,likes blue,"""vip"",""wholesale"""'
    bring_in(f"{MAILCHIMP}\n{row}\n", "consent")
    customer = find_by_identity(IdentityInput(IdentityKind.EMAIL, "ann@shop.example"))[0]
    assert tags_of(customer) == ["vip", "wholesale"]
    assert [note.text for note in read_notes(customer)] == ["likes blue"]


def test_a_table_of_products_keyed_by_sku(bring_in: Importer, store: Store) -> None:
    bring_in("SKU,Product name,Price,Cost,Stock\nA1,Mug,9.99,3,5\n", "products")
    assert Product.objects.get(store=store).key == "A1"
    again = bring_in("SKU,Product name,Price,Cost,Stock\nA1,Mug,10.99,3,5\n", "products")
    assert again.counts["products_updated"] == 1
    assert list(PriceEntry.objects.order_by("id").values_list("amount", flat=True)) == [
        Decimal("9.99"),
        Decimal("10.99"),
    ]
    assert StockEntry.objects.count() == 1


def test_products_that_come_after_the_orders_take_over_what_was_sold(bring_in: Importer) -> None:
    bring_in(WOO_ORDERS)
    sold = Order.objects.get(number="9001").lines.get(sku="MUG").variant_id
    bring_in(
        "Handle,Title,Vendor,Option1 Value,Variant SKU,Variant Price\nmug,Enamel mug,Acme,Blue,MUG,10.00\n", "products"
    )
    product = Product.objects.get(key="mug")
    assert [v.pk for v in Variant.objects.filter(product=product)] == [sold]
    assert not Product.objects.filter(key="MUG").exists()


def test_what_has_no_date_of_its_own_was_said_when_the_file_came(bring_in: Importer) -> None:
    bring_in("Email,Status,Date\nann@shop.example,yes,2024-05-01\n", "consent")
    undated = bring_in("Email,Status\nann@shop.example,no\nbob@shop.example,yes\n", "consent")
    said = ConsentEntry.objects.order_by("occurred_at", "pk").values_list("state", "occurred_at")
    assert [state for state, _ in said] == ["granted", "denied", "unknown"]
    assert {at for state, at in said if state != "granted"} == {undated.created_at}


def test_a_list_of_addresses_to_leave_alone_is_used_only_where_it_is_named(bring_in: Importer) -> None:
    bring_in("Email,Note\nann@shop.example,x\n", "consent", layout="suppressions")
    assert list(SuppressionEntry.objects.values_list("reason", flat=True)) == ["import"]


def test_a_column_headed_by_an_identifier_of_the_shops_own_leads_to_people(bring_in: Importer) -> None:
    name_kind("loyalty_card", "Loyalty card", SYSTEM, datetime(2026, 1, 1, tzinfo=UTC))
    file = "Customer number,Name,Loyalty Card\n1,Ann Lee,4711\n2,Ann Lee,4711\n3,Bob Lee,\n"
    bring_in(file, "customers")
    assert len(find_by_identity(IdentityInput(IdentityKind.OTHER, "4711", "own:loyalty_card"))) == 1
    found = [find_by_identity(IdentityInput(IdentityKind.STORE_CUSTOMER, n, "uk"))[0] for n in ("1", "2", "3")]
    assert (found[0] == found[1], found[1] == found[2]) == (True, False)
