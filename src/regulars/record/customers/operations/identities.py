"""Merge and split: the map from profiles to customers follows from links and decisions, and from nothing else."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection
from django.db.models import Q

from regulars.foundation.errors import InvalidInput
from regulars.foundation.retrying import retried
from regulars.record.customers import events, rules
from regulars.record.customers.models import Customer, CustomerProfile, IdentityKind, LinkDecision, Profile
from regulars.record.customers.operations.cards import refresh_cards
from regulars.record.customers.operations.links import confirmed_links
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction

VERDICTS = ("must-link", "cannot-link", "undecided")
LOCK = 0x5748_4F57  # 'WHOW': the advisory lock under which the map is changed


def resolve(profiles: Collection[int], log: LogTransaction, at: datetime) -> set[int]:
    """Brings the map of everybody connected to these profiles in line with links and decisions. Customers whose profiles changed.

    The customer with the lowest id among a component's present ones stays; of a customer that falls apart, the part with its
    oldest profile keeps it. Events: customer.merged, customer.split.
    """
    everybody = _closure(set(profiles))
    if len(everybody) < 2:
        return set()
    # Of two who join people of one chain the later must see what the earlier joined.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    everybody = _closure(everybody)
    known = confirmed_links().filter(profile__in=everybody)
    links = {rules.Link(i, p) for i, p in known.values_list("identity_id", "profile_id")}
    devices = set(known.filter(identity__kind=IdentityKind.ANONYMOUS_ID).values_list("identity_id", flat=True))
    visitors = Profile.objects.filter(pk__in=everybody, named_by__in=devices).values_list("pk", flat=True)
    must, cannot = _decisions(everybody)
    parts = rules.components(everybody, links, must, cannot, devices, set(visitors))
    return _apply(parts, customers_of(everybody), log, at)


@retried
def decide_link(one: int, other: int, verdict: str, staff_id: int, at: datetime) -> set[int]:
    """Staff's word on two profiles: 'must-link', 'cannot-link' or 'undecided'. Customers that changed. Raises InvalidInput."""
    if verdict not in VERDICTS or one == other:
        raise InvalidInput(f"Choose two different profiles and one of: {', '.join(VERDICTS)}")
    low, high = sorted((one, other))
    with event_log.transaction("staff", str(staff_id)) as log:
        LinkDecision.objects.create(
            low_id=low, high_id=high, verdict=verdict, staff_id=staff_id, occurred_at=at, batch_id=log.batch_id
        )
        return resolve({low, high}, log, at)


def _closure(profiles: set[int]) -> set[int]:
    """Everybody who is, or may become, one customer with these profiles: over links, decisions and present customers."""
    found, border = set(profiles), set(profiles)
    while border:
        identities = confirmed_links().filter(profile__in=border).values("identity_id")
        near = set(confirmed_links().filter(identity__in=identities).values_list("profile_id", flat=True))
        for low, high in LinkDecision.objects.filter(Q(low__in=border) | Q(high__in=border)).values_list(
            "low_id", "high_id"
        ):
            near |= {low, high}
        customers = CustomerProfile.objects.filter(profile__in=border, until_batch=None).values("customer_id")
        near |= set(
            CustomerProfile.objects.filter(customer__in=customers, until_batch=None).values_list(
                "profile_id", flat=True
            )
        )
        border = near - found
        found |= border
    return found


def _decisions(profiles: set[int]) -> tuple[set[rules.Pair], set[rules.Pair]]:
    rows = (
        LinkDecision.objects.filter(low__in=profiles, high__in=profiles)
        .order_by("id")
        .values_list("low_id", "high_id", "verdict")
    )
    latest = {rules.Pair(low, high): verdict for low, high, verdict in rows}
    return {p for p, v in latest.items() if v == "must-link"}, {p for p, v in latest.items() if v == "cannot-link"}


def _apply(parts: list[frozenset[int]], present: dict[int, int], log: LogTransaction, at: datetime) -> set[int]:
    kept: set[int] = set()
    changed: set[int] = set()
    for part in parts:
        before = sorted({present[p] for p in part})
        free = [c for c in before if c not in kept and _oldest_is_in(part, c, present)]
        customer = free[0] if free else Customer.objects.create(created_at=at).id
        kept.add(customer)
        moved = [p for p in part if present[p] != customer]
        if not moved:
            continue
        _move(moved, customer, log)
        changed |= {customer, *before}
        _tell(part, customer, before, present, log, at)
    refresh_cards(changed)
    return changed


def _oldest_is_in(part: frozenset[int], customer: int, present: dict[int, int]) -> bool:
    return min(p for p, c in present.items() if c == customer) in part


def _move(profiles: list[int], customer: int, log: LogTransaction) -> None:
    CustomerProfile.objects.filter(profile__in=profiles, until_batch=None).update(until_batch_id=log.batch_id)
    CustomerProfile.objects.bulk_create(
        [CustomerProfile(profile_id=p, customer_id=customer, from_batch_id=log.batch_id) for p in sorted(profiles)]
    )


def _tell(
    part: frozenset[int], customer: int, before: list[int], present: dict[int, int], log: LogTransaction, at: datetime
) -> None:
    gone = [c for c in before if c != customer]
    if customer in before:
        log.append(events.merged(min(part), customer, gone, at))
    else:
        log.append(events.split(min(part), present[min(part)], [customer], at))
