"""Coupons as their source states them: set-wise, idempotent by store and code, whatever the order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from regulars.foundation.vault.rows import reserve_ids
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.coupons import events
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import Coupon, CouponStatus
from regulars.record.coupons.rules import name_of
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction
from regulars.record.events.tombstones import Buried, bury, find_buried

KIND = "coupon"
_COLUMNS = (
    "code",
    "kind",
    "amount",
    "currency",
    "minimum",
    "usage_limit",
    "used",
    "starts_at",
    "expires_at",
    "status",
    "external_id",
    "profile_id",
    "description",
)
_COUNTED = {"used"}  # each order moves it: written, and no event


@dataclass(frozen=True)
class AppliedCoupons:
    """What an application did. ``coupon_ids`` holds every coupon of the inputs, by its code as the input writes it."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    coupon_ids: dict[str, int] = field(default_factory=dict)


def apply_coupons(
    inputs: Sequence[CouponInput], log: LogTransaction, *, store_id: int, at: datetime, is_history: bool = False
) -> AppliedCoupons:
    """Makes the coupons what the inputs say; of two with one code the later stated counts. Whom a code is for stays where an input does
    not say it. Number of statements: fixed. Events: coupon.created, coupon.changed.
    """
    wanted = _newest(inputs)
    if not wanted:
        return AppliedCoupons()
    take_turns(store_id)
    people = [one.person for one in wanted.values() if one.person]
    profiles = dict(zip(map(id, people), ensure_profiles(people, log, is_history=is_history), strict=True))
    gone = find_buried({key for one in wanted.values() for key in _keys(one)}, KIND, store_id)
    there = {
        c.name: c for c in Coupon.objects.select_for_update().filter(store=store_id, name__in=wanted).order_by("pk")
    }
    fresh = [name for name in wanted if name not in there]
    ids = dict(zip(fresh, reserve_ids("coupons_coupon", len(fresh)), strict=True))
    said = {name: _columns(one, there.get(name), profiles, gone) for name, one in wanted.items()}
    made = [
        Coupon(
            id=ids[name],
            store_id=store_id,
            name=name,
            created_at=wanted[name].stated_at or at,
            stated_at=wanted[name].stated_at,
            batch_id=log.batch_id,
            **said[name],
        )
        for name in fresh
    ]
    Coupon.objects.bulk_create(made)
    changed = {name: names for name, c in there.items() if (names := _take_over(c, wanted[name], said[name]))}
    Coupon.objects.bulk_update(
        there.values(), ["stated_at", *(c.removesuffix("_id") if c == "profile_id" else c for c in _COLUMNS)]
    )
    owners = customers_of(c.profile_id for c in (*made, *there.values()) if c.profile_id)
    for coupon in made:
        log.append(events.of_coupon(events.CREATED, coupon, owners.get(coupon.profile_id or 0), at, is_history))
    for name, names in changed.items():
        if set(names) - _COUNTED:
            coupon = there[name]
            owner = owners.get(coupon.profile_id or 0)
            log.append(events.of_coupon(events.CHANGED, coupon, owner, at, is_history, changed=names))
    rows = {c.name: c.pk for c in (*made, *there.values())}
    return AppliedCoupons(
        len(made), len(changed), len(there) - len(changed), {one.code: rows[name_of(one.code)] for one in inputs}
    )


def remove_coupons(inputs: Sequence[CouponRemoval], log: LogTransaction, *, store_id: int, at: datetime) -> int:
    """Marks coupons that are gone at their source, known or not yet; how many known ones that changed. An id may stand for many codes
    (a discount of Shopify's). Event: coupon.deleted."""
    if not inputs:
        return 0
    take_turns(store_id)
    gone = {key: Buried(one.stated_at) for one in sorted(inputs, key=lambda one: one.stated_at) for key in _keys(one)}
    bury(gone, KIND, log, store_id)
    ids = {one.external_id for one in inputs if one.external_id}
    named = Q(external_id__in=ids) | Q(name__in={name_of(one.code) for one in inputs if one.code})
    rows = Coupon.objects.select_for_update().filter(named, store=store_id).exclude(status=CouponStatus.DELETED)
    going = [c for c in rows.order_by("pk") if c.stated_at is None or _is_gone(_keys_of(c), c.stated_at, gone)]
    Coupon.objects.filter(pk__in=[c.pk for c in going]).update(status=CouponStatus.DELETED)
    owners = customers_of(c.profile_id for c in going if c.profile_id)
    log.append(*(events.of_coupon(events.DELETED, c, owners.get(c.profile_id or 0), at) for c in going))
    return len(going)


def _newest(inputs: Iterable[CouponInput]) -> dict[str, CouponInput]:
    """Of each code the input that was stated last; without a time the last one."""
    wanted: dict[str, CouponInput] = {}
    for one in inputs:
        name = name_of(one.code)
        other = wanted.get(name)
        if other is None or not _is_older(one.stated_at, other.stated_at):
            wanted[name] = one
    return wanted


def _is_older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _columns(
    said: CouponInput, before: Coupon | None, profiles: Mapping[int, int], gone: Mapping[str, Buried]
) -> dict[str, Any]:
    columns = {column: getattr(said, column) for column in _COLUMNS if column != "profile_id"}
    known = before.profile_id if before else None
    columns["profile_id"] = profiles.get(id(said.person)) or said.profile_id or known
    columns["external_id"] = said.external_id or (before.external_id if before else "")
    columns["used"] = said.used if said.used is not None else before.used if before else None
    if _is_gone(_keys(said), said.stated_at, gone):
        columns["status"] = CouponStatus.DELETED
    return columns


def _take_over(coupon: Coupon, said: CouponInput, columns: Mapping[str, Any]) -> list[str]:
    """Writes onto the row what the input says; names of what differs."""
    if _is_older(said.stated_at, coupon.stated_at):
        return []
    changed = [column for column in _COLUMNS if getattr(coupon, column) != columns[column]]
    for column in changed:
        setattr(coupon, column, columns[column])
    coupon.stated_at = said.stated_at or coupon.stated_at
    return [column.removesuffix("_id") if column == "profile_id" else column for column in changed]


def _keys(said: CouponInput | CouponRemoval) -> list[str]:
    """Under what a coupon may be called gone."""
    named = f"code {name_of(said.code)}"[:130] if said.code else ""
    return [key for key in (f"id {said.external_id}" if said.external_id else "", named) if key]


def _keys_of(coupon: Coupon) -> list[str]:
    return [f"id {coupon.external_id}", f"code {coupon.name}"[:130]]


def _is_gone(keys: Iterable[str], stated_at: datetime | None, gone: Mapping[str, Buried]) -> bool:
    return any(gone[key].holds(stated_at) for key in keys if key in gone)
