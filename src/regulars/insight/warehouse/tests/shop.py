"""A small shop for the tests of insight: rows straight into the record's tables, each call one transaction of the log."""

from collections.abc import Sequence
from datetime import datetime

from regulars.foundation.bulk import copy_rows
from regulars.foundation.ids import new_uid
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.models import Customer, CustomerProfile, Identity, IdentityKind, Profile
from regulars.record.events import log as event_log
from regulars.record.events.log import Entry
from regulars.record.orders.models import Order, Refund


def make_store(currency: str = "GBP") -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    return Store.objects.create(code="main", name="Shop", brand=brand, currency=currency)


def make_people(store: Store, count: int, at: datetime) -> list[int]:
    """That many customers with one profile each; their profiles."""
    with event_log.transaction("import") as log:
        customers = Customer.objects.bulk_create([Customer(created_at=at) for _ in range(count)])
        names = Identity.objects.bulk_create(
            [Identity(kind=IdentityKind.STORE_CUSTOMER, scope=store.code, token=c.id.to_bytes(16)) for c in customers]
        )
        profiles = Profile.objects.bulk_create(
            [Profile(store=store, named_by=name, occurred_at=at, batch_id=log.batch_id) for name in names]
        )
        CustomerProfile.objects.bulk_create(
            [
                CustomerProfile(profile=p, customer=c, from_batch_id=log.batch_id)
                for p, c in zip(profiles, customers, strict=True)
            ]
        )
    return [p.id for p in profiles]


def add_orders(
    store: Store, rows: Sequence[tuple[str, int | None, datetime, int]], currency: str = "GBP", is_history: bool = False
) -> list[Order]:
    """Orders as (number, profile, placed at, total in minor units), each with its event."""
    columns = (
        "uid",
        "store_id",
        "number",
        "external_id",
        "profile_id",
        "channel",
        "placed_at",
        "currency",
        "subtotal_minor",
        "total_minor",
    )
    fixed = {
        name: Order._meta.get_field(name).get_default()  # type: ignore[union-attr]  # none of them is a relation
        for name in _ORDER_DEFAULTS
    }
    with event_log.transaction("import") as log:
        copy_rows(
            "orders_order",
            (*columns, *fixed, "digest", "batch_id"),
            (
                (
                    new_uid(),
                    store.id,
                    number,
                    "",
                    profile,
                    "",
                    at,
                    currency,
                    total,
                    total,
                    *fixed.values(),
                    b"",
                    log.batch_id,
                )
                for number, profile, at, total in rows
            ),
        )
        log.append(
            *(
                Entry("order.placed", at, profile, data={"number": number}, is_history=is_history)
                for number, profile, at, _ in rows
            )
        )
        return list(Order.objects.filter(batch_id=log.batch_id).order_by("id"))


_ORDER_DEFAULTS = (
    "discount_minor",
    "shipping_minor",
    "tax_minor",
    "tax_included",
    "status",
    "payment_status",
    "fulfilment_status",
    "country",
    "discount_codes",
    "line_count",
)


def add_refunds(
    store: Store,
    rows: Sequence[tuple[str, int | None, datetime, int]],
    currency: str = "GBP",
    order: Order | None = None,
) -> list[Refund]:
    """Refunds as (number, profile, when, amount in minor units)."""
    columns = (
        "uid",
        "store_id",
        "number",
        "order_id",
        "profile_id",
        "occurred_at",
        "currency",
        "amount_minor",
        "reason",
        "digest",
        "batch_id",
    )
    with event_log.transaction("import") as log:
        copy_rows(
            "orders_refund",
            columns,
            (
                (
                    new_uid(),
                    store.id,
                    number,
                    order.id if order else None,
                    profile,
                    at,
                    currency,
                    amount,
                    "",
                    b"",
                    log.batch_id,
                )
                for number, profile, at, amount in rows
            ),
        )
        return list(Refund.objects.filter(batch_id=log.batch_id).order_by("id"))


def merge(kept: int, gone: int) -> int:
    """Gives all profiles of customer ``gone`` to ``kept``, as the record does. The batch's id."""
    with event_log.transaction("staff") as log:
        open_rows = CustomerProfile.objects.filter(customer=gone, until_batch=None)
        profiles = list(open_rows.values_list("profile_id", flat=True))
        open_rows.update(until_batch_id=log.batch_id)
        CustomerProfile.objects.bulk_create(
            [CustomerProfile(profile_id=p, customer_id=kept, from_batch_id=log.batch_id) for p in profiles]
        )
        return log.batch_id


def remove_orders(numbers: Sequence[str], at: datetime) -> None:
    """As the undoing of an import does: the rows go, and an event says so."""
    with event_log.transaction("import") as log:
        Order.objects.filter(number__in=numbers).delete()
        log.append(Entry("import.undone", at))
