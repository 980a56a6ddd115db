"""What an import does as a whole: the same again, newer files, what is skipped, undo."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from regulars.connections.files.copies import has_copy
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.models import Import, RejectedRows
from regulars.connections.files.operations import apply_import, undo_import
from regulars.connections.files.queries import list_rejects
from regulars.connections.files.tests.conftest import AT, Importer
from regulars.foundation.shop.models import Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart
from regulars.record.carts.operations import apply_carts
from regulars.record.carts.readers import SETTLING
from regulars.record.catalog.models import Product, Variant
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind, Profile
from regulars.record.customers.operations import decide_link
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import CustomerFigures, Order, OrderChange, OrderLine, Refund
from regulars.record.orders.operations import apply_orders, verify_figures

pytestmark = pytest.mark.django_db

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FIRST = (
    HEADER
    + """536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850,United Kingdom
536366,POST,POSTAGE,1,2010-12-01 08:30:00,18,13047,France
C536400,71053,LANTERN,-6,2010-12-02 09:00:00,3.39,17850,United Kingdom
536365,22752,BOXES,2,2010-12-01 08:27:00,7.65,17850,United Kingdom
A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,United Kingdom
536367,84406B,GUEST THING,8,2010-12-01 08:40:00,2.755,,EIRE
"""
)
NEWER = FIRST.replace("536366,POST,POSTAGE,1,", "536366,POST,POSTAGE,2,")


def everything() -> dict[str, Any]:
    """All rows of the record but ids of batches, to compare before and after."""
    tables = (
        "orders_order",
        "orders_orderline",
        "orders_refund",
        "orders_refundline",
        "orders_customerfigures",
        "orders_orderchange",
    )
    found = {}
    with connection.cursor() as cursor:
        for table in (
            *tables,
            "catalog_product",
            "catalog_variant",
            "customers_profile",
            "customers_contactversion",
            "customers_customercard",
        ):
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
            found[table] = [json.loads(row) for (row,) in cursor.fetchall()]
    return found


def test_the_whole_story_of_one_file(bring_in: Importer) -> None:
    done = bring_in(FIRST)
    assert done.sentence == (
        "8 rows: 7 taken as they are, 1 altered, 0 skipped. 3 new orders, 1 new refund, 1 adjustment."
    )
    order = Order.objects.get(number="536365")
    assert (order.placed_at, order.line_count, order.total_minor) == (
        datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        4,
        1530 * 2 + 2034 + 1530,
    )
    assert Refund.objects.get().order == order
    guest = Order.objects.get(number="536367")
    assert (guest.profile, guest.country, guest.total_minor) == (None, "IE", 2204)  # 22.04 exactly
    assert Product.objects.get(key="POST").is_service
    figures = CustomerFigures.objects.order_by("-spent_minor").first()
    assert figures is not None
    assert (figures.spent_minor, figures.refunded_minor, figures.order_count) == (6624, 2034, 1)
    assert verify_figures() == []
    assert Event.objects.filter(is_history=False).count() == 0
    assert not has_copy(done.uid)


def test_the_same_file_again_changes_nothing(bring_in: Importer) -> None:
    bring_in(FIRST)
    before = everything()
    again = bring_in(FIRST)
    assert everything() == before
    assert again.counts["orders_unchanged"] == 3
    assert again.counts["refunds_unchanged"] == 1
    assert again.counts["adjustments_unchanged"] == 1


def test_a_newer_overlapping_export_updates_by_order_number(bring_in: Importer) -> None:
    bring_in(FIRST)
    kept = set(OrderLine.objects.values_list("id", flat=True))
    newer = bring_in(NEWER + "536368,71053,LANTERN,1,2010-12-03 10:00:00,3.39,17850,United Kingdom\n")
    assert (newer.counts["orders_created"], newer.counts["orders_updated"], newer.counts["orders_unchanged"]) == (
        1,
        1,
        2,
    )
    assert Order.objects.get(number="536366").total_minor == 3600
    assert kept - set(OrderLine.objects.filter(until_batch=None).values_list("id", flat=True)) == set(
        OrderLine.objects.filter(order__number="536366", quantity=1).values_list("id", flat=True)
    )


def test_dates_are_shifted_by_whole_weeks_in_the_shops_own_time(bring_in: Importer) -> None:
    bring_in(FIRST, shift_weeks=30)  # from winter to summer time
    assert Order.objects.get(number="536365").placed_at == datetime(2011, 6, 29, 7, 26, tzinfo=UTC)


BAD = HEADER + (
    "1,A1,x,one,2010-12-01 08:26:00,2.55,1,France\n"  # no number
    "2,A1,x,1,yesterday,2.55,1,France\n"  # no date
    "3,A1,x,1,2010-12-01\n"  # cut inside
    "4,A1,x,1,2010-12-01 08:26:00,2.55,1,France\n"
    '5,A1,"=HYPERLINK(""x"")",99999999999,2010-12-01 08:26:00,2.55,1,France\n'
    "6,A1,x,1,2010-12-01 08:26:00,1e400,1,France\n"
    f"{'7' * 90},A1,x,1,2010-12-01 08:26:00,1,1,France\n"
    f"8,{'S' * 130},x,1,2010-12-01 08:26:00,1,1,France\n"
)


def test_what_cannot_be_used_is_skipped_with_its_line_and_reason_and_the_sums_add_up(bring_in: Importer) -> None:
    done = bring_in(BAD)
    assert Order.objects.values_list("number", flat=True).get() == "4"
    counts = done.counts
    assert (counts["rows_taken"], counts["rows_altered"], counts["rows_skipped"]) == (1, 0, 7)
    assert counts["rows_taken"] + counts["rows_altered"] + counts["rows_skipped"] == done.row_count
    rejects = list(list_rejects(done))
    assert [(r.line, r.outcome) for r in rejects] == [(n, "skipped") for n in (2, 3, 4, 6, 7, 8, 9)]
    reasons = {r.line: r.reason for r in rejects}
    assert reasons[2] == "quantity 'one' is not a number"
    assert reasons[3] == "date 'yesterday' is not a date and time"
    assert reasons[4] == "has 5 columns instead of 8"
    assert rejects[3].cells[2] == '=HYPERLINK("x")'
    assert all(b"HYPERLINK" not in bytes(batch.lines) for batch in RejectedRows.objects.all())


def test_an_import_is_undone_as_a_whole(bring_in: Importer) -> None:
    before = everything()
    done = bring_in(FIRST)
    undone = undo_import(done.pk, lambda: AT)
    assert everything() == before
    assert (undone.state, Customer.objects.count(), Variant.objects.count()) == ("undone", 0, 0)
    assert undone.sentence == "Undone: 4 orders and refunds and 2 people removed, 0 restored."
    assert Event.objects.order_by("-position").values_list("kind", flat=True).first() == "import.undone"
    with pytest.raises(NotPossibleNow):
        undo_import(done.pk, lambda: AT)
    again = bring_in(FIRST)
    assert again.counts["orders_created"] == 3


def test_undo_restores_what_was_changed_and_keeps_what_others_changed_since(bring_in: Importer, store: Store) -> None:
    bring_in(FIRST)
    before = everything()
    newer = bring_in(NEWER)
    undo_import(newer.pk, lambda: AT)
    assert everything() == before
    newer = bring_in(NEWER)
    person = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, "13047", "uk"),), AT)
    line = LineInput("POST", "POSTAGE", 3, Decimal(18))
    with transaction("staff", "1") as log:
        apply_orders([OrderInput("536366", AT, "GBP", (line,), person)], log, store_id=store.pk, at=AT)
    undone = undo_import(newer.pk, lambda: AT)
    assert Order.objects.get(number="536366").total_minor == 5400
    assert undone.sentence.endswith("1 order stays, because it was changed since: 536366.")
    assert OrderChange.objects.count() == 2
    assert verify_figures() == []


def test_an_undo_waits_for_nobody_who_has_not_heard_of_a_merge_yet(bring_in: Importer) -> None:
    """The figures of a customer who went into another are there until the log's reader comes to it."""
    done = bring_in(FIRST)
    one, other = Profile.objects.order_by("pk").values_list("pk", flat=True)
    decide_link(one, other, "must-link", 1, AT)
    assert CustomerFigures.objects.count() == 2
    assert undo_import(done.pk, lambda: AT).state == "undone"
    assert (Customer.objects.count(), CustomerFigures.objects.count()) == (0, 0)


def test_a_cart_that_became_an_imported_order_is_open_again_once_that_is_undone(
    bring_in: Importer, store: Store
) -> None:
    done = bring_in(FIRST)
    order = Order.objects.get(number="536365")
    who = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, "17850", "uk"),), order.placed_at, store.pk)
    lamp = CartLineInput("71053", "LANTERN", 6, Decimal("3.39"), "71053")
    with transaction("test") as log:
        apply_carts([CartInput("c1", order.placed_at, "GBP", (lamp,), who)], log, store_id=store.pk)
    catch_up([SETTLING], AT)
    assert Cart.objects.values_list("state", "order").get() == ("ordered", order.pk)
    assert undo_import(done.pk, lambda: AT).state == "undone"
    assert Cart.objects.filter(order=None).values_list("state", "value_minor").get() == ("open", 2034)
    assert Order.objects.count() == 0


def test_an_import_that_is_over_cannot_be_applied_again(bring_in: Importer) -> None:
    done = bring_in(FIRST)
    with pytest.raises(NotPossibleNow):
        apply_import(done.pk, lambda: AT + timedelta(days=1))
    assert Import.objects.get().state == "done"
    assert Profile.objects.count() == 2


MORE = (
    "consent_consententry",
    "consent_suppressionentry",
    "customers_identitylink",
    "customers_note",
    "customers_tagentry",
    "catalog_priceentry",
    "catalog_stockentry",
)


def all_of_it() -> dict[str, Any]:
    found = everything()
    with connection.cursor() as cursor:
        for table in MORE:
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
            found[table] = [json.loads(row) for (row,) in cursor.fetchall()]
    return found


PEOPLE = "Customer number,Email,First name,City,Tags,Note,Accepts email marketing,Consented at\n"
GOODS = "Handle,Title,Vendor,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty\n"


@pytest.mark.parametrize(
    ("kind", "first", "newer"),
    [
        (
            "customers",
            f"{PEOPLE}1,ann@shop.example,Ann,Köln,vip,likes blue,yes,2025-01-02\n2,bob@shop.example,Bob,Bonn,,,no,\n",
            f"{PEOPLE}1,ann@shop.example,Anna,Berlin,wholesale,moved,no,2025-03-02\n3,cid@shop.example,Cid,Ulm,,,,\n",
        ),
        (
            "products",
            f"{GOODS}mug,Mug,Acme,Red,mug-r,10.00,4\nplate,Plate,Acme,,plate,5.00,\n",
            f"{GOODS}mug,Big mug,Acme,Red,mug-r,12.00,3\nmug,,,Blue,mug-b,12.00,\nbowl,Bowl,Acme,,bowl,7.00,1\n",
        ),
        (
            "consent",
            "Email,Consent,When\nann@shop.example,yes,2025-01-02\nbob@shop.example,complaint,2025-01-02\n",
            "Email,Consent,When\nann@shop.example,no,2025-02-02\ncid@shop.example,hard bounce,2025-01-02\n",
        ),
    ],
)
def test_every_kind_comes_again_without_a_change_and_is_undone_to_what_was_before(
    bring_in: Importer, kind: str, first: str, newer: str
) -> None:
    empty = all_of_it()
    one = bring_in(first, kind)
    before = all_of_it()
    assert before != empty
    bring_in(first, kind)
    assert all_of_it() == before
    two = bring_in(newer, kind)
    assert all_of_it() != before
    undo_import(two.pk, lambda: AT)
    assert all_of_it() == before
    undo_import(one.pk, lambda: AT)
    assert all_of_it() == empty
