"""The list of customers: cards, figures of orders, RFM, segments and consent, filtered together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL  # only with statements of ours and bound parameters

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.ids import to_public
from regulars.foundation.pages.days import within_days, within_numbers
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sorting
from regulars.foundation.pages.paging import Rows, page_of
from regulars.foundation.shop.models import Store
from regulars.insight.rfm.models import RfmScore, RfmSnapshot
from regulars.insight.rfm.queries import latest_snapshot, month_before, tallies
from regulars.insight.rfm.rules import NUMBER, SEGMENTS, RfmSegment
from regulars.insight.segments.models import Membership, Segment
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.models import Customer, CustomerCard, CustomerProfile, Tag
from regulars.record.customers.queries import parse_search, read_cards
from regulars.record.events import totals
from regulars.record.orders.models import CustomerFigures, Order
from regulars.record.orders.queries import COUNTS

SORTS = {
    "last-order": Sorting("customer__figures__last_order_at", nullable=True),
    "spent": Sorting("customer__figures__spent_minor", nullable=True),
    "orders": Sorting("customer__figures__order_count", nullable=True),
    "newest": Sorting("customer_id"),
}
BATCH = 500
_ADDRESSES = """
SELECT m.customer_id, i.token FROM customers_customerprofile m
JOIN customers_identitylink l ON l.profile_id = m.profile_id JOIN customers_identity i ON i.id = l.identity_id AND i.kind = 'email'
WHERE m.until_batch_id IS NULL
"""
# The newest word that was said counts; an import without proof never outweighs one (see consent.queries).
_SAID = """
SELECT DISTINCT ON (address) address, state FROM consent_consententry WHERE channel = 'email' AND topic = 'marketing'
ORDER BY address, (state = 'unknown'), occurred_at DESC, id DESC
"""
_LEFT_ALONE = """
SELECT m.customer_id FROM (SELECT DISTINCT ON (profile_id) profile_id, is_on FROM consent_donotcontact ORDER BY profile_id, id DESC) d
JOIN customers_customerprofile m ON m.profile_id = d.profile_id AND m.until_batch_id IS NULL WHERE d.is_on
"""
_BY_CONSENT = f"SELECT a.customer_id FROM ({_ADDRESSES}) a JOIN ({_SAID}) s ON s.address = a.token WHERE s.state = %s"
_WITH_A_WORD = (
    f"SELECT a.customer_id FROM ({_ADDRESSES}) a JOIN ({_SAID}) s ON s.address = a.token WHERE s.state <> 'unknown'"
)


@dataclass(frozen=True)
class CustomerRow:
    """One line of the list. Amounts in minor units of ``currency``; ``name`` falls back to the mail address."""

    id: int
    public_id: str
    name: str
    email: str
    country: str
    rfm: RfmSegment | None
    orders: int
    spent_minor: int
    refunded_minor: int
    currency: str
    first_order_at: datetime | None
    last_order_at: datetime | None
    tags: tuple[str, ...]


def customers_matching(query: ListQuery, viewer: Viewer) -> QuerySet[CustomerCard]:
    """Cards of the customers that fit the filters and share a store with the viewer."""
    rows = CustomerCard.objects.all()
    if viewer.store_ids is not None:
        rows = rows.filter(stores__overlap=sorted(viewer.store_ids))
    if query.text:
        rows = rows.filter(_found_by(query.text))
    rows = _by_card(rows, query)
    rows = _by_orders(rows, query, viewer)
    rows = _by_rfm(rows, query)
    if chosen := query.choices.get("segment"):
        rows = rows.filter(
            Exists(Membership.objects.filter(customer=OuterRef("pk"), segment__key__in=chosen, left_at=None))
        )
    return _by_consent(rows, query)


def _found_by(text: str) -> Q:
    codes = list(Store.objects.values_list("code", flat=True))
    search = parse_search(text, codes)
    condition = Q(pk__in=search.customer_ids)
    return condition | Q(tokens__contains=list(search.tokens)) if search.tokens else condition


def _by_card(rows: QuerySet[CustomerCard], query: ListQuery) -> QuerySet[CustomerCard]:
    if chosen := query.choices.get("country"):
        rows = rows.filter(country__in=chosen)
    if chosen := query.choices.get("store"):
        rows = rows.filter(
            stores__overlap=list(Store.objects.filter(code__in=chosen).values_list("id", flat=True)) or [0]
        )
    if chosen := query.choices.get("tag"):
        rows = rows.filter(tags__overlap=list(Tag.objects.filter(name__in=chosen).values_list("id", flat=True)) or [0])
    return rows


def _by_orders(rows: QuerySet[CustomerCard], query: ListQuery, viewer: Viewer) -> QuerySet[CustomerCard]:
    figures = "customer__figures__"
    rows = rows.filter(
        within_days(f"{figures}last_order_at", query.dates, "last_order"),
        within_days(f"{figures}first_order_at", query.dates, "first_order"),
        within_numbers(f"{figures}spent_minor", query.numbers, "spent", 100),
        within_numbers(f"{figures}order_count", query.numbers, "orders"),
    )
    if any(query.dates.get("ordered", (None, None))):
        rows = rows.filter(
            customer__in=_buyers(within_days("placed_at", query.dates, "ordered"), viewer).values("customer_id")
        )
    if product := query.one("product"):
        held = Q(lines__variant__product=int(product) if product.isdigit() else 0, lines__until_batch=None)
        rows = rows.filter(customer__in=_buyers(held, viewer).values("customer_id"))
    return rows


def _buyers(condition: Q, viewer: Viewer) -> QuerySet[CustomerProfile]:
    """Profiles, with their present customers, that have an order that counts and fits."""
    orders = Order.objects.filter(COUNTS, condition, profile__isnull=False)
    if viewer.store_ids is not None:
        orders = orders.filter(store__in=viewer.store_ids)
    return CustomerProfile.objects.filter(until_batch=None, profile__in=orders.values("profile_id"))


def _by_rfm(rows: QuerySet[CustomerCard], query: ListQuery) -> QuerySet[CustomerCard]:
    asked = {name: query.choices[name] for name in ("rfm", "r", "f", "m", "rfm_was") if query.choices.get(name)}
    if not asked:
        return rows
    snapshot = latest_snapshot()
    now = _scored(snapshot)
    if chosen := asked.get("rfm"):
        now = now.filter(segment__in=_numbers(chosen))
    for axis in ("r", "f", "m"):
        if chosen := asked.get(axis):
            now = now.filter(**{f"{axis}__in": [int(one) for one in chosen if one.isdigit()]})
    if asked.keys() != {"rfm_was"}:
        rows = rows.filter(customer__in=now.values("customer_id"))
    return _by_former_rfm(rows, asked.get("rfm_was", ()), snapshot)


def _by_former_rfm(
    rows: QuerySet[CustomerCard], chosen: Sequence[str], snapshot: RfmSnapshot | None
) -> QuerySet[CustomerCard]:
    """Those who were in one of these segments a month before; 'none' are those who were in no segment."""
    if not chosen:
        return rows
    before = _scored(month_before(snapshot) if snapshot else None)
    condition = Q(customer__in=before.filter(segment__in=_numbers(chosen)).values("customer_id"))
    if "none" in chosen:
        condition |= ~Q(Exists(before.filter(customer=OuterRef("customer"))))
    return rows.filter(condition)


def _scored(snapshot: RfmSnapshot | None) -> QuerySet[RfmScore]:
    return RfmScore.objects.filter(snapshot=snapshot.pk) if snapshot else RfmScore.objects.none()


def _numbers(names: Sequence[str]) -> list[int]:
    return [NUMBER[RfmSegment(name)] for name in names if name in set(RfmSegment)]


def _by_consent(rows: QuerySet[CustomerCard], query: ListQuery) -> QuerySet[CustomerCard]:
    chosen = query.choices.get("consent", ())
    if not chosen:
        return rows
    condition = Q()
    for state in {"granted", "denied"} & set(chosen):
        condition |= Q(pk__in=RawSQL(_BY_CONSENT, [state]))  # noqa: S611
    if "unknown" in chosen:
        condition |= ~Q(pk__in=RawSQL(_WITH_A_WORD, []))  # noqa: S611
    if "do-not-contact" in chosen:
        condition |= Q(pk__in=RawSQL(_LEFT_ALONE, []))  # noqa: S611
    return rows.filter(condition)


def list_customers(query: ListQuery, viewer: Viewer) -> Rows:
    """One page of the list, with names opened."""
    rows = customers_matching(query, viewer)
    sorting = SORTS.get(query.sort, SORTS["last-order"])
    page = page_of(
        rows.select_related("customer", "customer__figures"),
        Sorting(sorting.field, query.descending, sorting.nullable),
        query.cursor,
        totals.count(rows),
    )
    return Rows(read_rows(page.items, viewer), page.total, page.next, page.previous, page.first)


def select_customers(query: ListQuery, viewer: Viewer, ids: Sequence[int] | None) -> list[int]:
    """Ids of all that match, or of those among ``ids``."""
    rows = customers_matching(query, viewer)
    return list((rows if ids is None else rows.filter(pk__in=ids)).values_list("pk", flat=True))


def iterate_customers(query: ListQuery, viewer: Viewer) -> Iterator[CustomerRow]:
    """All that match, in batches, for an export."""
    ids = sorted(select_customers(query, viewer, None))
    for start in range(0, len(ids), BATCH):
        yield from read_rows(
            CustomerCard.objects.filter(pk__in=ids[start : start + BATCH])
            .select_related("customer", "customer__figures")
            .order_by("pk"),
            viewer,
        )


def read_rows(cards: Any, viewer: Viewer) -> list[CustomerRow]:
    """Names, tags and RFM of these cards, in their order; four queries, however many they are."""
    found: list[CustomerCard] = list(cards)
    ids = [card.pk for card in found]
    contacts = read_cards(ids, viewer.store_ids)
    tags = dict(Tag.objects.filter(pk__in={tag for card in found for tag in card.tags}).values_list("pk", "name"))
    segments = rfm_of(ids)
    return [_row(card, contacts[card.pk], tags, segments.get(card.pk)) for card in found]


def rfm_of(customer_ids: Sequence[int]) -> dict[int, RfmSegment]:
    """Present RFM segment of each customer that is scored."""
    rows = _scored(latest_snapshot()).filter(customer__in=customer_ids).values_list("customer_id", "segment")
    return {customer: SEGMENTS[number] for customer, number in rows}


def _row(card: CustomerCard, contact: ContactCard, tags: Mapping[int, str], rfm: RfmSegment | None) -> CustomerRow:
    figures: CustomerFigures | None = getattr(card.customer, "figures", None)
    return CustomerRow(
        id=card.pk,
        public_id=to_public(Customer.PREFIX, card.customer.uid),
        name=contact.full_name or contact.email,
        email=contact.email,
        country=card.country,
        rfm=rfm,
        orders=figures.order_count if figures else 0,
        spent_minor=figures.spent_minor if figures else 0,
        refunded_minor=figures.refunded_minor if figures else 0,
        currency=figures.currency if figures else "",
        first_order_at=figures.first_order_at if figures else None,
        last_order_at=figures.last_order_at if figures else None,
        tags=tuple(sorted(tags[tag] for tag in card.tags if tag in tags)),
    )


# One step of the index for each country that there is, instead of a walk over everybody.
_COUNTRIES = """
WITH RECURSIVE found AS (
    SELECT min(country) AS country FROM customers_customercard WHERE country > ''
    UNION ALL
    SELECT (SELECT min(country) FROM customers_customercard WHERE country > found.country) FROM found WHERE found.country IS NOT NULL
)
SELECT country FROM found WHERE country IS NOT NULL
"""


def countries_of_customers() -> list[str]:
    """Countries that customers live in."""
    return [country for (country,) in fetch(_COUNTRIES, [])]


def names_of_customers(customer_ids: Sequence[int], viewer: Viewer) -> dict[int, tuple[str, str]]:
    """Public id and name of each customer; the name falls back to the mail address."""
    uids = dict(Customer.objects.filter(pk__in=customer_ids).values_list("pk", "uid"))
    cards = read_cards(list(uids), viewer.store_ids)
    return {pk: (to_public(Customer.PREFIX, uid), cards[pk].full_name or cards[pk].email) for pk, uid in uids.items()}


def count_leaving(viewer: Viewer) -> int | None:
    """How many are at risk or must not be lost, by the newest snapshot; None before the first."""
    snapshot = latest_snapshot()
    if snapshot is None:
        return None
    found = tallies(snapshot, viewer.store_ids)
    return found[RfmSegment.AT_RISK].customers + found[RfmSegment.CANT_LOSE].customers


def list_segments() -> list[tuple[str, str]]:
    """Key and name of each segment, RFM's eleven in their order first."""
    order = {segment.value: number for number, segment in enumerate(SEGMENTS)}
    rows = list(Segment.objects.values_list("key", "name"))
    return sorted(rows, key=lambda row: (order.get(row[0], len(order)), row[1]))
