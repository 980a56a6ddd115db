"""The list of customers: cards, figures of orders, RFM, segments and consent, filtered together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL  # only with statements of ours and bound parameters

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.ids import to_public
from regulars.foundation.pages.days import within_days, within_numbers
from regulars.foundation.pages.lists import ListQuery, as_row_id
from regulars.foundation.pages.paging import Order as Sorting
from regulars.foundation.shop.models import Brand, Store
from regulars.insight.rfm.models import RfmScore, RfmSnapshot
from regulars.insight.rfm.queries import latest_snapshot, month_before, tallies
from regulars.insight.rfm.rules import NUMBER, SEGMENTS, RfmSegment
from regulars.insight.segments.models import Membership, Segment
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.models import Customer, CustomerCard, CustomerProfile, Tag
from regulars.record.customers.queries import (
    Stores,
    cards_seen,
    found_by,
    read_cards,
    tags_of_all,
    visible_cards,
)
from regulars.record.lists.queries import on_lists
from regulars.record.orders.models import CustomerFigures, Order, OrderLine
from regulars.record.orders.queries import COUNTS, with_figures

_FEW = 200_000  # the filters are of other tables than what is sorted by
SORTS = {
    "last-order": Sorting("last_order_at", nullable=True, few=_FEW),
    "spent": Sorting("spent_minor", nullable=True, few=_FEW),
    "orders": Sorting("order_count", nullable=True, few=_FEW),
    "newest": Sorting("customer_id"),
}
# Where the viewer is limited to stores, as these know the customer: their profiles, and the words said to their brands.
_SAID = """
SELECT l.profile_id FROM consent_consententry e JOIN customers_identity i ON i.kind = 'email' AND i.token = e.address
JOIN customers_identitylink l ON l.identity_id = i.id
WHERE e.channel = 'email' AND e.topic = 'marketing' AND (%s::bigint[] IS NULL OR e.brand_id = ANY(%s::bigint[]))
"""
# The newest word that was said counts; an import without proof never outweighs one (see consent.queries).
_SAID_LAST = f"""{_SAID}
AND e.state = %s AND NOT EXISTS (
    SELECT 1 FROM consent_consententry n WHERE n.address = e.address AND n.channel = 'email' AND n.topic = 'marketing'
    AND (%s::bigint[] IS NULL OR n.brand_id = ANY(%s::bigint[])) AND n.state NOT IN ('unknown', %s)
    AND (n.occurred_at, n.id) > (e.occurred_at, e.id)
)
"""
_SAID_EVER = f"{_SAID} AND e.state <> 'unknown'"
_LEFT_ALONE = """
SELECT m.customer_id FROM (SELECT DISTINCT ON (profile_id) profile_id, is_on FROM consent_donotcontact ORDER BY profile_id, id DESC) d
JOIN customers_customerprofile m ON m.profile_id = d.profile_id AND m.until_batch_id IS NULL
JOIN customers_profile p ON p.id = m.profile_id
WHERE d.is_on AND (%s::bigint[] IS NULL OR p.store_id = ANY(%s::bigint[]))
"""


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


def customers_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Any]:
    """Cards of the customers that fit the filters and share a store with the viewer, with their figures in the viewer's stores."""
    rows = with_figures(visible_cards(viewer.store_ids), viewer.store_ids).select_related("customer")
    return _fitting(rows, query, viewer)


def customers_counted(query: ListQuery, viewer: Viewer) -> QuerySet[Any]:
    """The same customers as rows that are quicker to count: of figures alone or of cards alone, where the filters ask for no more."""
    if not _asks_for_figures(query):
        return _fitting(visible_cards(viewer.store_ids), query, viewer)
    if viewer.store_ids is None:
        return _fitting(CustomerFigures.objects.all(), query, viewer)
    return customers_matching(query, viewer)


def _fitting(rows: QuerySet[Any], query: ListQuery, viewer: Viewer) -> QuerySet[Any]:
    """Those of the rows, whose key is the customer, that fit the filters."""
    if query.text:
        rows = _with_cards(rows, found_by(query.text, viewer.store_ids))
    rows = _by_card(rows, query, viewer.store_ids)
    rows = _by_orders(rows, query, viewer)
    if _asks_for_scores(query) and not viewer.may("segments.view"):
        return rows.none()
    rows = _by_rfm(rows, query)
    if chosen := query.choices.get("segment"):
        rows = rows.filter(
            pk__in=Membership.objects.filter(segment__key__in=chosen, left_at=None).values("customer_id")
        )
    if chosen := query.choices.get("list"):
        rows = rows.filter(pk__in=on_lists(chosen)) if viewer.may("lists.view") else rows.none()
    return _by_consent(rows, query, viewer.store_ids)


def _with_cards(rows: QuerySet[Any], condition: Q) -> QuerySet[Any]:
    """Those whose card, over all stores, is so."""
    of_cards = (
        condition if rows.model is CustomerCard else Q(pk__in=CustomerCard.objects.filter(condition).values("pk"))
    )
    return rows.filter(of_cards)


def _asks_for_figures(query: ListQuery) -> bool:
    ranges = [
        query.dates.get("last_order"),
        query.dates.get("first_order"),
        query.numbers.get("spent"),
        query.numbers.get("orders"),
    ]
    return bool(query.one("unconverted")) or any(limit is not None for limits in ranges if limits for limit in limits)


_OF_SCORES = ("rfm", "r", "f", "m", "rfm_was")


def _asks_for_scores(query: ListQuery) -> bool:
    return any(query.choices.get(name) for name in (*_OF_SCORES, "segment"))


def _by_card(rows: QuerySet[Any], query: ListQuery, store_ids: Stores) -> QuerySet[Any]:
    asked = Q()
    if chosen := query.choices.get("country"):
        asked &= Q(country__in=chosen)
    if chosen := query.choices.get("tag"):
        tagged = Q(tags__overlap=list(Tag.objects.filter(name__in=chosen).values_list("id", flat=True)) or [0])
        asked &= tagged
        rows = _with_cards(rows, tagged)  # by the index that there is over all stores
    if chosen := query.choices.get("store"):
        known = list(Store.objects.filter(code__in=chosen).values_list("id", flat=True))
        rows = _with_cards(rows, Q(stores__overlap=known or [0]))
    if not asked:
        return rows
    if store_ids is None:
        return _with_cards(rows, asked)
    return rows.filter(pk__in=cards_seen(store_ids).filter(asked).values("customer_id"))


def _by_orders(rows: QuerySet[Any], query: ListQuery, viewer: Viewer) -> QuerySet[Any]:
    rows = rows.filter(
        within_days("last_order_at", query.dates, "last_order"),
        within_days("first_order_at", query.dates, "first_order"),
        within_numbers("spent_minor", query.numbers, "spent", 100),
        within_numbers("order_count", query.numbers, "orders"),
    )
    if query.one("unconverted"):
        rows = rows.filter(Q(unconverted_count__gt=0))
    if any(query.dates.get("ordered", (None, None))):
        rows = rows.filter(
            customer__in=_buyers(within_days("placed_at", query.dates, "ordered"), viewer).values("customer_id")
        )
    if query.one("product"):
        lines = OrderLine.objects.filter(variant__product=query.row_id("product"), until_batch=None)
        rows = rows.filter(customer__in=_buyers(Q(pk__in=lines.values("order_id")), viewer).values("customer_id"))
    return rows


def _buyers(condition: Q, viewer: Viewer) -> QuerySet[CustomerProfile]:
    """Profiles, with their present customers, that have an order that counts and fits."""
    orders = Order.objects.filter(COUNTS, condition, profile__isnull=False)
    if viewer.store_ids is not None:
        orders = orders.filter(store__in=viewer.store_ids)
    return CustomerProfile.objects.filter(until_batch=None, profile__in=orders.values("profile_id"))


def scores_asked(query: ListQuery) -> QuerySet[RfmScore]:
    """Scores of the newest snapshot that fit the filters."""
    scores = _scored(latest_snapshot())
    if chosen := query.choices.get("rfm"):
        scores = scores.filter(segment__in=_numbers(chosen))
    for axis in ("r", "f", "m"):
        if chosen := query.choices.get(axis):
            scores = scores.filter(**{f"{axis}__in": [as_row_id(one) for one in chosen]})
    return scores


def _by_rfm(rows: QuerySet[Any], query: ListQuery) -> QuerySet[Any]:
    if any(query.choices.get(name) for name in ("rfm", "r", "f", "m")):
        rows = rows.filter(customer__in=scores_asked(query).values("customer_id"))
    former = query.choices.get("rfm_was", ())
    return _by_former_rfm(rows, former, latest_snapshot()) if former else rows


def _by_former_rfm(rows: QuerySet[Any], chosen: Sequence[str], snapshot: RfmSnapshot | None) -> QuerySet[Any]:
    """Those who were in one of these segments a month before; 'none' are those who were in no segment."""
    before = _scored(month_before(snapshot) if snapshot else None)
    condition = Q(customer__in=before.filter(segment__in=_numbers(chosen)).values("customer_id"))
    if "none" in chosen:
        condition |= ~Q(Exists(before.filter(customer=OuterRef("customer"))))
    return rows.filter(condition)


def _scored(snapshot: RfmSnapshot | None) -> QuerySet[RfmScore]:
    return RfmScore.objects.filter(snapshot=snapshot.pk) if snapshot else RfmScore.objects.none()


def _numbers(names: Sequence[str]) -> list[int]:
    return [NUMBER[RfmSegment(name)] for name in names if name in set(RfmSegment)]


def _by_consent(rows: QuerySet[Any], query: ListQuery, store_ids: Stores) -> QuerySet[Any]:
    chosen = query.choices.get("consent", ())
    if not chosen:
        return rows
    stores, brands = _limits(store_ids)
    condition = Q()
    for state in {"granted", "denied"} & set(chosen):
        condition |= Q(_said(stores, RawSQL(_SAID_LAST, [brands, brands, state, brands, brands, state])))  # noqa: S611
    if "unknown" in chosen:
        condition |= ~Q(_said(stores, RawSQL(_SAID_EVER, [brands, brands])))  # noqa: S611
    if "do-not-contact" in chosen:
        condition |= Q(pk__in=RawSQL(_LEFT_ALONE, [stores, stores]))  # noqa: S611
    return rows.filter(condition)


def _said(stores: list[int] | None, said: RawSQL) -> Exists:
    """Whether a profile of the customer has an address that this was said of."""
    profiles = CustomerProfile.objects.filter(customer=OuterRef("pk"), until_batch=None, profile__in=said)
    return Exists(profiles if stores is None else profiles.filter(profile__store__in=stores))


def _limits(store_ids: Stores) -> tuple[list[int] | None, list[int] | None]:
    """Stores and their brands."""
    if store_ids is None:
        return None, None
    brands = Brand.objects.filter(store__in=store_ids).values_list("id", flat=True)
    return sorted(store_ids), sorted(set(brands))


def read_rows(cards: Sequence[Any], viewer: Viewer) -> list[CustomerRow]:
    """Names, tags and RFM of these cards, in their order; as many queries for many as for few."""
    ids = [card.pk for card in cards]
    contacts = read_cards(ids, viewer.store_ids)
    countries, tags = _countries(ids, viewer.store_ids), tags_of_all(ids, viewer.store_ids)
    segments = rfm_of(ids) if viewer.may("segments.view") else {}
    return [
        _row(card, contacts[card.pk], countries.get(card.pk, ""), tags.get(card.pk, []), segments.get(card.pk))
        for card in cards
    ]


def _countries(ids: Sequence[int], store_ids: Stores) -> dict[int, str]:
    """Where several stores know one, that of the newest contact data."""
    cards = (
        cards_seen(store_ids).filter(customer__in=ids, country__gt="").order_by("contact__occurred_at", "contact_id")
    )
    return dict(cards.values_list("customer_id", "country"))


def rfm_of(customer_ids: Sequence[int]) -> dict[int, RfmSegment]:
    """Present RFM segment of each customer that is scored."""
    rows = _scored(latest_snapshot()).filter(customer__in=customer_ids).values_list("customer_id", "segment")
    return {customer: SEGMENTS[number] for customer, number in rows}


def _row(card: Any, contact: ContactCard, country: str, tags: Sequence[str], rfm: RfmSegment | None) -> CustomerRow:
    """Of a card with the figures that ``with_figures`` put on it; none where nothing was bought."""
    return CustomerRow(
        id=card.pk,
        public_id=to_public(Customer.PREFIX, card.customer.uid),
        name=contact.full_name or contact.email,
        email=contact.email,
        country=country,
        rfm=rfm,
        orders=card.order_count or 0,
        spent_minor=card.spent_minor or 0,
        refunded_minor=card.refunded_minor or 0,
        currency=card.currency or "",
        first_order_at=card.first_order_at,
        last_order_at=card.last_order_at,
        tags=tuple(tags),
    )


# One step of the index for each country that there is, instead of a walk over everybody.
_COUNTRIES = """
WITH RECURSIVE found AS (
    SELECT min(country) AS country FROM {cards} AND country > ''
    UNION ALL
    SELECT (SELECT min(country) FROM {cards} AND country > found.country) FROM found WHERE found.country IS NOT NULL
)
SELECT country FROM found WHERE country IS NOT NULL
"""
_OF_ALL = _COUNTRIES.format(cards="customers_customercard WHERE true")
_OF_STORE = _COUNTRIES.format(cards="customers_storecard WHERE store_id = %s")


def countries_of_customers(store_ids: Stores = None) -> list[str]:
    """Countries that customers live in, as these stores know them."""
    if store_ids is None:
        return [country for (country,) in fetch(_OF_ALL, [])]
    return sorted({country for store in store_ids for (country,) in fetch(_OF_STORE, [store, store])})


def count_leaving(viewer: Viewer) -> int | None:
    """How many are at risk or must not be lost, by the newest snapshot; None before the first, and for who may not see scores."""
    snapshot = latest_snapshot() if viewer.may("segments.view") else None
    if snapshot is None:
        return None
    found = tallies(snapshot, viewer.store_ids)
    return found[RfmSegment.AT_RISK].customers + found[RfmSegment.CANT_LOSE].customers


def list_segments() -> list[tuple[str, str]]:
    """Key and name of each segment, RFM's eleven in their order first."""
    order = {segment.value: number for number, segment in enumerate(SEGMENTS)}
    rows = list(Segment.objects.values_list("key", "name"))
    return sorted(rows, key=lambda row: (order.get(row[0], len(order)), row[1]))
