"""Everything that the page of one customer shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import today
from regulars.foundation.pages.registries import CUSTOMER_PANELS, TIMELINE, CustomerPanel, TimelineEntry
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault.keys import key_ring
from regulars.insight.rfm.queries import Score, scores_over_time
from regulars.insight.segments.models import Membership
from regulars.record.consent.models import Channel
from regulars.record.consent.queries import Addressee, is_left_alone, list_verdicts
from regulars.record.consent.rules import Verdict
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.models import Customer, CustomerCard, Trust
from regulars.record.customers.operations.erasure import erased_at, refuse_erased
from regulars.record.customers.queries import (
    KnownIdentity,
    KnownNote,
    get_customer,
    profiles_of,
    read_attributes,
    read_cards,
    read_identities,
    read_notes,
    tags_of,
    visible_cards,
)
from regulars.record.orders.models import Figures
from regulars.record.orders.queries import find_figures

TIMELINE_PAGE = 40


@dataclass(frozen=True)
class Permission:
    """Whether a brand may send marketing mail to the customer's address, and why."""

    brand: str
    verdict: Verdict


@dataclass(frozen=True)
class CustomerDetail:
    """One customer as the page shows them; names opened."""

    id: int
    public_id: str
    card: ContactCard
    name: str
    stores: Sequence[Store]
    figures: Figures | None
    tags: Sequence[str]
    attributes: dict[str, object]
    identities: Sequence[KnownIdentity]
    notes: Sequence[KnownNote]
    scores: Sequence[Score]
    memberships: Sequence[Membership]
    mail: Sequence[Permission]
    is_left_alone: bool
    erased_at: datetime | None


def find_visible(public_id: str, viewer: Viewer) -> Customer:
    """The customer, if the viewer shares a store with them. Raises NotFound."""
    customer = get_customer(public_id)
    if not visible_cards(viewer.store_ids).filter(customer=customer).exists():
        raise NotFound(f"There is no customer {public_id}")
    return customer


def find_known(public_id: str, viewer: Viewer) -> Customer:
    """The customer, to be changed. Raises NotFound, and Erased for one of whom nothing is known any more."""
    customer = find_visible(public_id, viewer)
    refuse_erased(customer.pk)
    return customer


def read_customer(public_id: str, viewer: Viewer) -> CustomerDetail:
    """Raises NotFound."""
    customer = find_visible(public_id, viewer)
    card = read_cards([customer.pk], viewer.store_ids)[customer.pk]
    identifier = to_public(Customer.PREFIX, customer.uid)
    profiles = profiles_of([customer.pk], viewer.store_ids).get(customer.pk, [])
    sees_scores = viewer.may("segments.view")
    store_ids = CustomerCard.objects.values_list("stores", flat=True).get(customer=customer)
    return CustomerDetail(
        id=customer.pk,
        public_id=identifier,
        card=card,
        name=card.full_name or card.email or identifier,
        stores=[
            store for store in Store.objects.filter(pk__in=store_ids).order_by("name") if viewer.sees_store(store.pk)
        ],
        figures=find_figures(customer.pk, viewer.store_ids),
        tags=tags_of(customer.pk, viewer.store_ids),
        attributes=read_attributes(customer.pk, viewer.store_ids),
        identities=read_identities(customer.pk, viewer.store_ids),
        notes=read_notes(customer.pk, viewer.store_ids),
        scores=scores_over_time(customer.pk) if sees_scores else [],
        memberships=_memberships(customer) if sees_scores else [],
        mail=_permissions(card.email, tuple(profiles), viewer),
        is_left_alone=is_left_alone(profiles),
        erased_at=erased_at(customer.pk),
    )


@dataclass(frozen=True)
class Evidence:
    """One identifier of a customer with every link that says it is theirs, the first of each sort."""

    one: KnownIdentity
    links: Sequence[KnownIdentity]

    @property
    def is_claimed(self) -> bool:
        """Whether browsers alone say so."""
        return all(link.trust == Trust.CLAIMED for link in self.links)


def evidence_of(identities: Sequence[KnownIdentity]) -> list[Evidence]:
    """Identifiers in their order, each once."""
    found: dict[tuple[str, str, str], dict[str, KnownIdentity]] = {}
    for link in identities:
        found.setdefault((link.kind, link.scope, link.value), {}).setdefault(link.evidence, link)
    return [Evidence(next(iter(links.values())), list(links.values())) for links in found.values()]


def _memberships(customer: Customer) -> list[Membership]:
    return list(
        Membership.objects.filter(customer=customer, left_at=None).select_related("segment").order_by("-entered_at")
    )


def _permissions(email: str, profiles: tuple[int, ...], viewer: Viewer) -> list[Permission]:
    """One for each brand of the viewer's stores."""
    if not email:
        return []
    brands = Brand.objects.order_by("name")
    if viewer.store_ids is not None:
        brands = brands.filter(store__in=viewer.store_ids).distinct()
    addressee = Addressee(address_token(key_ring(), email), profiles)
    return [
        Permission(
            brand.name, list_verdicts([addressee], brand.pk, Channel.EMAIL, "marketing", is_marketing=True)[addressee]
        )
        for brand in brands
    ]


@dataclass(frozen=True)
class Day:
    """Entries of one day, newest first."""

    day: date
    entries: Sequence[TimelineEntry]


@dataclass(frozen=True)
class Timeline:
    """A stretch of the timeline; ``earlier`` is the moment to go on before, None at its beginning."""

    days: Sequence[Day]
    earlier: datetime | None


def read_timeline(customer_id: int, viewer: Viewer, kinds: set[str], before: datetime | None) -> Timeline:
    """Newest entries of all kinds (or of these), grouped by day. Entries of the very moment at which a stretch ends stay together."""
    sources = [
        source for name, source in TIMELINE.items() if viewer.may(source.permission) and (not kinds or name in kinds)
    ]
    loaded = [entry for source in sources for entry in source.load(customer_id, viewer, before, TIMELINE_PAGE + 1)]
    loaded.sort(key=lambda entry: (entry.at, entry.key), reverse=True)
    shown = loaded[:TIMELINE_PAGE]
    shown += [entry for entry in loaded[TIMELINE_PAGE:] if entry.at == shown[-1].at]
    days: dict[date, list[TimelineEntry]] = {}
    for entry in shown:
        days.setdefault(today(entry.at), []).append(entry)
    return Timeline(
        [Day(day, entries) for day, entries in days.items()], shown[-1].at if len(loaded) > len(shown) else None
    )


def panels_for(customer_id: int, viewer: Viewer, side: str) -> list[tuple[CustomerPanel, dict[str, object]]]:
    """What modules add to one side of the page, in their order."""
    wanted = [panel for _, panel in CUSTOMER_PANELS.items() if panel.side == side and viewer.may(panel.permission)]
    found = [(panel, panel.context(customer_id, viewer)) for panel in sorted(wanted, key=lambda panel: panel.order)]
    return [(panel, context) for panel, context in found if context is not None]
