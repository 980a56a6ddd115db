"""Identifiers and the evidence that ties them to profiles."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.retrying import Overtaken
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers.identifiers import identity_token
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import Identity, IdentityLink, Profile, Trust
from regulars.record.events.log import LogTransaction

Link = tuple[int, int, str]  # profile, identity and trust


@dataclass(frozen=True)
class Evidence:
    """Somebody said that this identity (canonical, by its row) is this profile's."""

    profile: int
    identity: int
    value: str
    trust: Trust
    source: str  # 'import', 'staff' ...
    occurred_at: datetime

    @property
    def link(self) -> Link:
        return self.profile, self.identity, self.trust.value


def confirmed_links() -> QuerySet[IdentityLink]:
    """Those that make one customer of profiles; a claim makes none."""
    return IdentityLink.objects.filter(trust=Trust.CONFIRMED)


# OFFSET 0 keeps the planner from turning one look at an index for each into a join that reads the whole table. It would do so while
# a young shop grows: until the first ANALYZE, a minute late, it believes that 200 values are all that a column holds.
_FIND = """
SELECT w.kind, w.scope, w.token, i.id FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS w(kind, scope, token)
CROSS JOIN LATERAL (
    SELECT id FROM customers_identity WHERE (kind, scope, token) = (w.kind, w.scope, w.token) OFFSET 0) i
"""
_MAKE = """
INSERT INTO customers_identity (kind, scope, token)
SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[]) ON CONFLICT DO NOTHING RETURNING kind, scope, token, id
"""
Key = tuple[str, str, bytes]  # kind, scope and blind index


def find_identities(wanted: Collection[IdentityInput]) -> dict[IdentityInput, int]:
    """Row of each of these canonical identities that is there."""
    return _rows(_FIND, _keys(wanted))


def identity_rows(wanted: Collection[IdentityInput]) -> dict[IdentityInput, int]:
    """Row of each canonical identity, made where new; in sorted order, so that two transactions cannot lock each other out.
    Raises Overtaken.
    """
    keyed = _keys(wanted)
    rows = _rows(_MAKE, dict(sorted(keyed.items())))
    if len(rows) < len(keyed):  # some were there, or came from another transaction meanwhile
        rows |= _rows(_FIND, {key: identity for key, identity in keyed.items() if identity not in rows})
    if len(rows) < len(keyed):
        raise Overtaken  # an erasure or an undo took one away between the two statements
    return rows


def _keys(wanted: Iterable[IdentityInput]) -> dict[Key, IdentityInput]:
    ring = keys.key_ring()
    return {(i.kind.value, i.scope, identity_token(ring, i)): i for i in wanted}


def _rows(statement: str, keyed: Mapping[Key, IdentityInput]) -> dict[IdentityInput, int]:
    found = fetch(statement, _columns(keyed)) if keyed else []
    return {keyed[kind, scope, bytes(token)]: row for kind, scope, token, row in found}


def _columns(keyed: Iterable[Key]) -> list[list[str | bytes]]:
    return [list(column) for column in zip(*keyed, strict=True)]


_LOCK_IDENTITIES = "SELECT id FROM customers_identity WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_LOCK_PROFILES = "SELECT id, named_by_id FROM customers_profile WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def lock_identities(identity_ids: Collection[int]) -> None:
    """In key order, against deadlock. Whoever holds them is alone in naming a profile by them or in linking them; nobody
    removes them meanwhile. Raises Overtaken where somebody already has.
    """
    wanted = set(identity_ids)
    if len(fetch(_LOCK_IDENTITIES, [list(wanted)])) < len(wanted):
        raise Overtaken


def lock_profiles(names: Mapping[int, int]) -> None:
    """Profiles with the identity that names each. What is said of one by two at once is written one after the other, so that
    neither word is lost. Raises Overtaken for one that was erased or undone while we waited: it has that name no more.
    """
    if names and dict(fetch(_LOCK_PROFILES, [list(names)])) != dict(names):
        raise Overtaken


def lock_members(members: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """Profiles by customer, locked until the end of the transaction. Those that were erased are left out: an erasure that was
    faster leaves nobody of whom something could be kept, and one that comes later waits and takes it away again.
    """
    profiles = {profile for some in members.values() for profile in some}
    list(Profile.objects.select_for_update(no_key=True).filter(id__in=profiles).order_by("id").values_list("id"))
    held = keys.still_held(profiles)
    left = {customer: [p for p in some if p in held] for customer, some in members.items()}
    return {customer: some for customer, some in left.items() if some}


_THERE = """
SELECT l.profile_id, l.identity_id, l.trust FROM unnest(%s::bigint[], %s::bigint[]) AS s(profile_id, identity_id)
CROSS JOIN LATERAL (
    SELECT * FROM customers_identitylink WHERE (profile_id, identity_id) = (s.profile_id, s.identity_id) OFFSET 0) l
"""


def links_between(pairs: Collection[tuple[int, int]]) -> set[Link]:
    """Which of these profiles and identities are linked."""
    if not pairs:
        return set()
    return set(fetch(_THERE, [list(column) for column in zip(*sorted(pairs), strict=True)]))


_ADD = """
INSERT INTO customers_identitylink (id, profile_id, identity_id, trust, evidence, value, occurred_at, batch_id)
SELECT id, profile_id, identity_id, trust, evidence, value, occurred_at, %s
FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
    AS s(id, value, profile_id, identity_id, trust, evidence, occurred_at)
ON CONFLICT DO NOTHING
"""


def add_links(said: Iterable[Evidence], known: Collection[Link], log: LogTransaction) -> list[Evidence]:
    """Stores what is new of it and gives that back; the identities stay locked, so that of two who confirm one at the same
    moment the later sees the earlier's link and joins its profile.
    """
    wanted = {evidence.link: evidence for evidence in said}
    new = [wanted[link] for link in sorted(wanted.keys() - known)]
    if not new:
        return []
    lock_identities({one.identity for one in new})
    plain = keys.find_keys(one.profile for one in new)
    ids = reserve_ids("customers_identitylink", len(new))
    values = [
        seal(plain[one.profile], one.value.encode(), Cell("customers_identitylink", "value", row))
        for row, one in zip(ids, new, strict=True)
    ]
    columns = zip(*((o.profile, o.identity, o.trust.value, o.source, o.occurred_at) for o in new), strict=True)
    execute(_ADD, [log.batch_id, ids, values, *map(list, columns)])
    return new


_DROP = """
DELETE FROM customers_identity i WHERE id = ANY(%s)
AND NOT EXISTS (SELECT 1 FROM customers_identitylink l WHERE l.identity_id = i.id)
AND NOT EXISTS (SELECT 1 FROM customers_profile p WHERE p.named_by_id = i.id)
"""


def drop_unused_identities(identity_ids: Iterable[int]) -> int:
    """Removes the keyed tokens of identifiers that lead to nobody any more; how many. Locked first, so that one which
    somebody is linking at the moment is waited for and stays.
    """
    wanted = sorted(set(identity_ids))
    list(Identity.objects.select_for_update().filter(id__in=wanted).order_by("id").values_list("id", flat=True))
    return execute(_DROP, [wanted])
