"""Merge and split by staff: a decision is a fact among others, and withdrawing it is its undo."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import Conflict, InvalidInput, NotAllowed
from regulars.foundation.ids import to_public
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import CannotOpen
from regulars.record.customers import rules
from regulars.record.customers.models import (
    CustomerProfile,
    Decision,
    DecisionProfile,
    IdentityKind,
    Profile,
    Verdict,
)
from regulars.record.customers.operations.connected import everybody_near
from regulars.record.customers.operations.identities import Home, homes, resolve
from regulars.record.customers.operations.links import lock_members
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events import log as event_log

PERMISSION = "customers.merge"
LINKS = {"must-link": Verdict.SAME, "cannot-link": Verdict.DIFFERENT}


class NobodyToDecide(InvalidInput):
    """A decision is about two people: choose two customers, or some of one customer's records and not all."""

    code = "nobody-to-decide"


class OtherStores(NotAllowed):
    """Somebody of these is known in a store that you do not see: ask a colleague who sees all stores."""

    code = "other-stores"


class AlreadyWithdrawn(Conflict):
    """This decision was withdrawn already."""

    code = "already-withdrawn"


@dataclass(frozen=True)
class Sides:
    """Profiles that are to be one person, or (``others``) two."""

    one: frozenset[int]
    others: frozenset[int] = frozenset()

    @property
    def verdict(self) -> Verdict:
        return Verdict.DIFFERENT if self.others else Verdict.SAME

    @property
    def profiles(self) -> frozenset[int]:
        return self.one | self.others


def same_person(customer_ids: Collection[int]) -> Sides:
    """All these customers are one. Raises NobodyToDecide."""
    sides = [people_of(customer) for customer in sorted(set(customer_ids))]
    if len(sides) < 2 or not all(sides):
        raise NobodyToDecide
    return Sides(frozenset().union(*sides))


def different_people(one: int, other: int) -> Sides:
    """These two customers are two people. Raises NobodyToDecide."""
    left, right = people_of(one), people_of(other)
    if one == other or not left or not right:
        raise NobodyToDecide
    return Sides(left, right)


def parted(customer_id: int, leaving: Collection[int]) -> Sides:
    """These profiles of a customer are somebody else. Raises NobodyToDecide for none, all, or somebody else's."""
    everybody = people_of(customer_id)
    gone = frozenset(leaving)
    if not gone or not gone < everybody:
        raise NobodyToDecide
    return Sides(everybody - gone, gone)


def people_of(customer_id: int) -> frozenset[int]:
    """The customer's profiles that a word of staff is about. Devices follow who used them, unless there is nothing else."""
    profiles = profiles_of([customer_id]).get(customer_id, [])
    known = Profile.objects.filter(pk__in=profiles).exclude(named_by__kind=IdentityKind.ANONYMOUS_ID)
    return frozenset(known.values_list("pk", flat=True)) or frozenset(profiles)


def preview(sides: Sides, at: datetime) -> list[Home]:
    """Who would be whom if staff decided so: only those whom the decision touches. Nothing is changed."""
    near = everybody_near(sides.profiles)
    present = customers_of(profile.id for profile in near.profiles)
    would = homes(near.people(rules.Decision(at, sides.one, sides.others)).parts, present)
    touched = {present[p] for p in sides.profiles}
    moving = [home for home in would if any(present[p] != home.customer for p in home.profiles)]
    return [h for h in would if h in moving or not touched.isdisjoint(present[p] for p in h.profiles)]


def present(sides: Sides) -> list[Home]:
    """Who is whom now of those whom a decision was about."""
    owners = customers_of(sides.profiles)
    return [Home(frozenset(some), customer) for customer, some in sorted(profiles_of(owners.values()).items())]


@retried
def decide(sides: Sides, viewer: Viewer, at: datetime) -> Decision:
    """Raises NotAllowed, OtherStores, CannotOpen for somebody who was erased. Audited. Events: customer.merged, customer.split."""
    may_decide(sides.profiles, viewer)
    with event_log.transaction(*_said_by(viewer)) as log:
        if sum(map(len, lock_members({0: sorted(sides.profiles)}).values())) < len(sides.profiles):
            raise CannotOpen(gettext("One of these people was erased: there is nobody left to decide about"))
        row = _decide(sides, viewer.staff_id, log, at)
        record(f"customer.{row.verdict}", viewer, to_public(Decision.PREFIX, row.uid), _audited(sides), at=at)
        return row


def may_decide(profiles: Collection[int], viewer: Viewer) -> None:
    """Raises NotAllowed, and OtherStores where not all of these people are of the viewer's stores."""
    viewer.require(PERMISSION)
    if viewer.store_ids is not None and not is_of_stores(profiles, viewer.store_ids):
        raise OtherStores


def is_of_stores(profiles: Collection[int], store_ids: Collection[int]) -> bool:
    """Whether everything known of these people was said in these stores."""
    owners = set(customers_of(profiles).values())
    known = CustomerProfile.objects.filter(customer__in=owners, until_batch=None)
    return not known.exclude(profile__store__in=store_ids).exists()


def _said_by(viewer: Viewer) -> tuple[str, str]:
    """Source and reference on the log."""
    return ("api", viewer.actor) if viewer.token_id else ("staff", str(viewer.staff_id))


def _audited(sides: Sides) -> dict[str, list[int]]:
    return {"one": sorted(sides.one), "others": sorted(sides.others)}


def _decide(sides: Sides, staff_id: int | None, log: event_log.LogTransaction, at: datetime) -> Decision:
    row = Decision.objects.create(verdict=sides.verdict, staff_id=staff_id, decided_at=at, batch_id=log.batch_id)
    DecisionProfile.objects.bulk_create(
        DecisionProfile(decision=row, profile_id=profile, side=side)
        for side, profiles in enumerate((sides.one, sides.others))
        for profile in sorted(profiles)
    )
    resolve(sides.profiles, log, at)
    return row


@retried
def withdraw(decision: Decision, viewer: Viewer, at: datetime) -> None:
    """Everybody is who they would be without it. Raises NotAllowed, OtherStores, AlreadyWithdrawn. Audited."""
    profiles = list(decision.profiles.values_list("profile_id", flat=True))
    may_decide(profiles, viewer)
    with event_log.transaction(*_said_by(viewer)) as log:
        _withdraw([decision], viewer.staff_id, at)
        resolve(profiles, log, at)
        record("customer.undecided", viewer, to_public(Decision.PREFIX, decision.uid), at=at)


def _withdraw(decisions: Iterable[Decision], staff_id: int | None, at: datetime) -> None:
    wanted = [decision.pk for decision in decisions]
    rows = Decision.objects.filter(pk__in=wanted, withdrawn_at=None)
    if rows.update(withdrawn_at=at, withdrawn_by=staff_id) < len(wanted):
        raise AlreadyWithdrawn


@retried
def decide_link(one: int, other: int, verdict: str, staff_id: int, at: datetime) -> None:
    """A word on two profiles, without the rest of their customers: 'must-link', 'cannot-link', or 'undecided' which withdraws what was
    said of them. Raises InvalidInput.
    """
    if one == other or verdict not in {*LINKS, "undecided"}:
        raise InvalidInput(f"Choose two different profiles and one of: {', '.join(LINKS)}, undecided")
    with event_log.transaction("staff", str(staff_id)) as log:
        if verdict == "undecided":
            said = Decision.objects.filter(withdrawn_at=None, profiles__profile=one).filter(profiles__profile=other)
            _withdraw(said, staff_id, at)
            resolve({one, other}, log, at)
        elif LINKS[verdict] == Verdict.SAME:
            _decide(Sides(frozenset({one, other})), staff_id, log, at)
        else:
            _decide(Sides(frozenset({one}), frozenset({other})), staff_id, log, at)
