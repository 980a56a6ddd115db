"""Who may be one person and waits for staff, and what staff decided: as pages and the API show it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from regulars.foundation.access.queries import names_of_staff
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public, to_public
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.customers.models import (
    CustomerProfile,
    Decision,
    DecisionProfile,
    IdentityLink,
    PossibleDuplicate,
    ProfileName,
)
from regulars.record.customers.named import Name, names_of
from regulars.record.customers.operations.decisions import is_of_stores
from regulars.record.customers.queries import customers_of, profiles_of


@dataclass(frozen=True)
class Case:
    """Two customers who may be one; ``kind`` and ``value`` of the identity that says so."""

    row: PossibleDuplicate
    one: Name
    other: Name
    one_id: int
    other_id: int
    kind: str
    value: str

    @property
    def id(self) -> int:
        return self.row.pk


@dataclass(frozen=True)
class Decided:
    """One decision with who made it and about whom, as they are called now."""

    row: Decision
    people: tuple[Name, ...]
    by: str
    withdrawn_by: str

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def public_id(self) -> str:
        return to_public(Decision.PREFIX, self.row.uid)


@dataclass(frozen=True)
class Shared:
    """An identity that two people have in common: of each who says so, how sure that is, and since when."""

    kind: str
    scope: str
    value: str
    evidence: tuple[tuple[str, str, datetime], ...]


def duplicates_visible(viewer: Viewer) -> QuerySet[PossibleDuplicate]:
    """Those whom the viewer may decide about: limited to stores, only people of whom no other store knows anything."""
    rows = PossibleDuplicate.objects.all()
    if viewer.store_ids is None:
        return rows
    hidden = _hidden(viewer.store_ids)
    return rows.exclude(low__in=hidden).exclude(high__in=hidden)


def decisions_visible(viewer: Viewer) -> QuerySet[Decision]:
    rows = Decision.objects.all()
    if viewer.store_ids is None:
        return rows
    about_hidden = DecisionProfile.objects.filter(decision=OuterRef("pk"), profile__in=_hidden(viewer.store_ids))
    return rows.exclude(Exists(about_hidden))


def _hidden(store_ids: Collection[int]) -> QuerySet[CustomerProfile, Any]:
    """Profiles of customers of whom another store, or none in particular, knows something too."""
    present = CustomerProfile.objects.filter(until_batch=None)
    elsewhere = present.exclude(profile__store__in=store_ids)
    return present.filter(customer__in=elsewhere.values("customer")).values("profile")


def read_cases(rows: Sequence[PossibleDuplicate], viewer: Viewer) -> list[Case]:
    """Set-wise."""
    owners = customers_of(profile for row in rows for profile in (row.low_id, row.high_id))
    names = names_of(set(owners.values()), viewer)
    said = _read_values([(row.low_id, row.identity_id) for row in rows], owners)
    return [
        Case(
            row,
            names[owners[row.low_id]],
            names[owners[row.high_id]],
            owners[row.low_id],
            owners[row.high_id],
            *said.get((owners[row.low_id], row.identity_id), ("", "")),
        )
        for row in rows
    ]


def _read_values(pairs: Iterable[tuple[int, int]], owners: dict[int, int]) -> dict[tuple[int, int], tuple[str, str]]:
    """Kind and value of identities, by the customer who is known by them and the identity."""
    wanted = set(pairs)
    customers = {owners[profile] for profile, _ in wanted}
    home = {p: customer for customer, some in profiles_of(customers).items() for p in some}
    links = IdentityLink.objects.filter(profile__in=home, identity__in={i for _, i in wanted}).select_related(
        "identity"
    )
    found = {(home[link.profile_id], link.identity_id): link for link in links}
    plain = keys.find_keys(link.profile_id for link in found.values())
    return {key: (link.identity.kind, _open(link, plain)) for key, link in found.items() if link.profile_id in plain}


def _open(link: IdentityLink, plain: dict[int, bytes]) -> str:
    cell = Cell("customers_identitylink", "value", link.pk)
    return unseal(plain[link.profile_id], bytes(link.value), cell).decode()


def read_shared(one: int, other: int) -> list[Shared]:
    """What two customers have in common, the confirmed first."""
    sides = profiles_of([one, other])
    plain = keys.find_keys(p for some in sides.values() for p in some)
    left, right = (_links(sides.get(customer, [])) for customer in (one, other))
    common = sorted(left.keys() & right.keys(), key=lambda i: (left[i].trust, right[i].trust), reverse=True)
    return [
        Shared(
            left[i].identity.kind,
            left[i].identity.scope,
            _open(left[i], plain),
            tuple((link.evidence, link.trust, link.occurred_at) for link in (left[i], right[i])),
        )
        for i in common
        if left[i].profile_id in plain
    ]


def _links(profiles: Collection[int]) -> dict[int, IdentityLink]:
    """By identity, the surest and oldest each."""
    rows = (
        IdentityLink.objects.filter(profile__in=profiles).select_related("identity").order_by("trust", "-occurred_at")
    )
    return {row.identity_id: row for row in rows}


def read_names(profiles: Collection[int]) -> list[str]:
    """Every name that trusted sources gave these profiles, oldest first."""
    rows = list(ProfileName.objects.filter(profile__in=profiles).order_by("id"))
    plain = keys.find_keys(row.profile_id for row in rows)
    opened = (
        unseal(plain[row.profile_id], bytes(row.name), Cell("customers_profilename", "name", row.pk)).decode()
        for row in rows
        if row.profile_id in plain
    )
    return list(dict.fromkeys(opened))


def read_decisions(rows: Sequence[Decision], viewer: Viewer) -> list[Decided]:
    """Set-wise."""
    about = DecisionProfile.objects.filter(decision__in=[row.pk for row in rows]).order_by("side", "profile_id")
    members: dict[int, list[int]] = {}
    for decision, profile in about.values_list("decision_id", "profile_id"):
        members.setdefault(decision, []).append(profile)
    owners = customers_of(p for some in members.values() for p in some)
    names = names_of(set(owners.values()), viewer)
    staff = names_of_staff({n for row in rows for n in (row.staff_id, row.withdrawn_by) if n})
    return [
        Decided(
            row,
            tuple(names[c] for c in dict.fromkeys(owners[p] for p in members.get(row.pk, []))),
            staff.get(row.staff_id or 0, ""),
            staff.get(row.withdrawn_by or 0, ""),
        )
        for row in rows
    ]


def get_decision(public_id: str, viewer: Viewer) -> Decision:
    """Raises NotFound, also for one that the viewer does not see."""
    row = decisions_visible(viewer).filter(uid=from_public(Decision.PREFIX, public_id)).first()
    if row is None:
        raise NotFound(f"There is no decision {public_id[:60]}.")
    return row


def decisions_about(customer_id: int, viewer: Viewer) -> list[Decided]:
    """Decisions in force that name a profile of this customer, newest first."""
    profiles = profiles_of([customer_id]).get(customer_id, [])
    rows = decisions_visible(viewer).filter(withdrawn_at=None, profiles__profile__in=profiles)
    return read_decisions(list(rows.distinct().order_by("-decided_at", "-id")), viewer)


def cases_about(customer_id: int, viewer: Viewer) -> list[Case]:
    profiles = profiles_of([customer_id]).get(customer_id, [])
    rows = duplicates_visible(viewer)
    found = rows.filter(low__in=profiles) | rows.filter(high__in=profiles)
    return read_cases(list(found.order_by("-since", "-id")), viewer)


def may_decide_about(customer_id: int, viewer: Viewer) -> bool:
    """Whether the viewer's role and stores permit to merge and split this customer: what is not permitted is not offered."""
    if not viewer.may("customers.merge"):
        return False
    profiles = profiles_of([customer_id]).get(customer_id, [])
    return viewer.store_ids is None or is_of_stores(profiles, viewer.store_ids)
