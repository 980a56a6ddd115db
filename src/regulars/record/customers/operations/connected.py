"""Everybody who may be one person with some profiles, with the facts that decide it: set-wise, from the tables."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from regulars.foundation.bulk import fetch
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.vault import keys
from regulars.record.customers import rules
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.nobodys import nobodys_tokens
from regulars.record.customers.rules.names import Words, words_of

# The surest first: where guards leave no room for all, these are heard before the others.
RANK = {
    IdentityKind.STORE_CUSTOMER: 0,
    IdentityKind.USER_ID: 1,
    IdentityKind.OTHER: 2,
    IdentityKind.EMAIL: 3,
    IdentityKind.PHONE: 4,
    IdentityKind.ANONYMOUS_ID: 5,
}
SCOPE_OF_THE_ERASED = "erased"
_ONCE = datetime(1, 1, 1, tzinfo=UTC)  # before every decision of staff
_ENOUGH = 2 * rules.WIDEST + 1  # of an identity's profiles to know that it is shared, and that it was before this batch

# Those of whom anything at all is known beyond themselves: the others need no second look. OFFSET 0: see ``links._FIND``.
_CONNECTED = """
SELECT p.id FROM unnest(%(profiles)s::bigint[]) AS p(id)
WHERE EXISTS (
    SELECT 1 FROM (SELECT identity_id, trust FROM customers_identitylink WHERE profile_id = p.id OFFSET 0) mine
    CROSS JOIN LATERAL (
        SELECT profile_id, trust FROM customers_identitylink WHERE identity_id = mine.identity_id OFFSET 0) theirs
    WHERE mine.trust = 'confirmed' AND theirs.trust = 'confirmed' AND theirs.profile_id <> p.id OFFSET 0)
OR EXISTS (
    SELECT 1 FROM (
        SELECT customer_id FROM customers_customerprofile WHERE profile_id = p.id AND until_batch_id IS NULL OFFSET 0) mine
    CROSS JOIN LATERAL (
        SELECT profile_id, until_batch_id FROM customers_customerprofile
        WHERE customer_id = mine.customer_id OFFSET 0) theirs
    WHERE theirs.until_batch_id IS NULL AND theirs.profile_id <> p.id OFFSET 0)
OR EXISTS (SELECT 1 FROM customers_decisionprofile d WHERE d.profile_id = p.id)
OR EXISTS (SELECT 1 FROM customers_possibleduplicate d WHERE d.low_id = p.id OR d.high_id = p.id)
"""
_IDENTITIES = """
SELECT i.id, i.kind, i.scope, i.token, l.profile_id, l.batch_id, p.store_id, n.kind = 'anonymous_id'
FROM (
    SELECT DISTINCT l.identity_id FROM unnest(%(profiles)s::bigint[]) AS one(id)
    CROSS JOIN LATERAL (SELECT identity_id, trust FROM customers_identitylink WHERE profile_id = one.id OFFSET 0) l
    WHERE l.trust = 'confirmed' AND l.identity_id <> ALL(%(seen)s)
) near
CROSS JOIN LATERAL (SELECT * FROM customers_identity WHERE id = near.identity_id OFFSET 0) i
CROSS JOIN LATERAL (
    SELECT profile_id, batch_id FROM customers_identitylink
    WHERE identity_id = near.identity_id AND trust = 'confirmed' LIMIT %(enough)s
) l
CROSS JOIN LATERAL (SELECT store_id, named_by_id FROM customers_profile WHERE id = l.profile_id OFFSET 0) p
CROSS JOIN LATERAL (SELECT kind FROM customers_identity WHERE id = p.named_by_id OFFSET 0) n
"""
_DECIDED = """
SELECT DISTINCT theirs.profile_id FROM customers_decisionprofile mine
JOIN customers_decision d ON d.id = mine.decision_id AND d.withdrawn_at IS NULL
JOIN customers_decisionprofile theirs ON theirs.decision_id = d.id
WHERE mine.profile_id = ANY(%(profiles)s)
"""
_OF_ONE_CUSTOMER = """
SELECT theirs.profile_id FROM customers_customerprofile mine
CROSS JOIN LATERAL (
    SELECT profile_id, until_batch_id FROM customers_customerprofile WHERE customer_id = mine.customer_id OFFSET 0) theirs
WHERE mine.profile_id = ANY(%(profiles)s) AND mine.until_batch_id IS NULL AND theirs.until_batch_id IS NULL
"""
_PROFILES = """
SELECT p.id, p.store_id, n.kind, n.scope, n.token, b.profile_id IS NOT NULL
FROM customers_profile p
CROSS JOIN LATERAL (SELECT kind, scope, token FROM customers_identity WHERE id = p.named_by_id OFFSET 0) n
LEFT JOIN LATERAL (SELECT profile_id FROM customers_buyer WHERE profile_id = p.id OFFSET 0) b ON true
WHERE p.id = ANY(%(profiles)s)
"""
_NAMES = "SELECT id, profile_id, name FROM customers_profilename WHERE profile_id = ANY(%(profiles)s)"
_SHARING = """
SELECT l.profile_id FROM unnest(%(identities)s::bigint[]) AS i(id)
CROSS JOIN LATERAL (
    SELECT profile_id FROM customers_identitylink WHERE identity_id = i.id AND trust = 'confirmed' LIMIT %(most)s) l
"""
_TOGETHER = """
SELECT array_agg(profile_id) FROM customers_customerprofile WHERE profile_id = ANY(%s) AND until_batch_id IS NULL GROUP BY customer_id
"""
_DECISIONS = """
SELECT d.id, d.decided_at, array_agg(m.profile_id) FILTER (WHERE m.side = 0), array_agg(m.profile_id) FILTER (WHERE m.side = 1)
FROM customers_decision d JOIN customers_decisionprofile m ON m.decision_id = d.id
WHERE d.withdrawn_at IS NULL
    AND d.id IN (SELECT decision_id FROM customers_decisionprofile WHERE profile_id = ANY(%(profiles)s))
GROUP BY d.id
"""


@dataclass
class _Found:
    """An identity with the profiles that it is confirmed of: for each the batch that said so, its store, and whether it is a visitor."""

    kind: IdentityKind
    key: rules.Key
    members: dict[int, tuple[int, int | None, bool]] = field(default_factory=dict)

    def is_shared(self, most: int, before_batch: int | None = None) -> bool:
        counted = [(store, visits) for batch, store, visits in self.members.values() if batch != before_batch]
        return rules.is_shared(counted, most)


@dataclass(frozen=True)
class Connected:
    """What ``rules.components`` asks for: nothing outside of it can matter to anybody in it."""

    profiles: list[rules.Profile]
    identities: list[rules.Identity]
    decisions: list[rules.Decision]
    most: int

    def people(self, *more: rules.Decision) -> rules.People:
        """Who is who, or would be if staff decided so too."""
        return rules.components(self.profiles, self.identities, [*self.decisions, *more], self.most)


def connected_among(profiles: Collection[int]) -> set[int]:
    """Those who have anything to do with another profile."""
    return {row for (row,) in fetch(_CONNECTED, {"profiles": list(profiles)})}


def everybody_near(profiles: Collection[int], batch_id: int | None = None) -> Connected:
    """Everybody who is, or may become, one person with these: over links, decisions and present customers. Shared identities lead
    nowhere, so that a till does not make one crowd of a shop's customers; one that became shared in this batch does once more, to
    those whom it had joined.
    """
    most = int(read_setting("customers.most_profiles"))
    nobodys = nobodys_tokens()
    found: set[int] = set(profiles)
    border, seen, own = set(found), set[int](), dict[int, _Found]()
    while border:
        step = _identities(border, seen)
        seen |= step.keys()
        near: set[int] = set()
        for row, identity in step.items():
            if identity.key[2] in nobodys:
                continue
            if not identity.is_shared(most):
                own[row] = identity
            elif identity.is_shared(most, batch_id):
                continue
            near |= identity.members.keys()
        for question in (_DECIDED, _OF_ONE_CUSTOMER):
            near |= {row for (row,) in fetch(question, {"profiles": list(border)})}
        border = near - found
        found |= border
    everybody = _profiles(found)
    decisions = [*_decisions(found), *_erased_together(everybody)]
    return Connected(everybody, [_identity(*each) for each in own.items()], decisions, most)


def who_may_part(profiles: Collection[int], identities: Collection[int]) -> set[int]:
    """Everybody who may be somebody else once some of these profiles, or of these identities, are gone: to be asked for before."""
    # What was shared may be a person's own again.
    sharing = fetch(_SHARING, {"identities": list(identities), "most": rules.WIDEST})
    near = {*profiles, *(row for (row,) in sharing)}
    return near | {profile.id for profile in everybody_near(connected_among(near)).profiles}


def _identities(profiles: Iterable[int], seen: Iterable[int]) -> dict[int, _Found]:
    found: dict[int, _Found] = {}
    bound = {"profiles": list(profiles), "seen": list(seen), "enough": _ENOUGH}
    for row, kind, scope, token, profile, batch, store, is_visitor in fetch(_IDENTITIES, bound):
        if row not in found:
            found[row] = _Found(IdentityKind(kind), (RANK[IdentityKind(kind)], scope, bytes(token), 0))
        found[row].members[profile] = (batch, store, is_visitor)
    return found


def _identity(row: int, found: _Found) -> rules.Identity:
    return rules.Identity(row, found.key, frozenset(found.members), found.kind == IdentityKind.ANONYMOUS_ID)


def _profiles(ids: Collection[int]) -> list[rules.Profile]:
    names = _names(ids) if len(ids) > 1 else {}
    return [
        rules.Profile(
            profile,
            (RANK[IdentityKind(kind)], scope, bytes(token), store or 0),
            store,
            kind == IdentityKind.ANONYMOUS_ID,
            has_orders,
            frozenset(names.get(profile, ())),
        )
        for profile, store, kind, scope, token, has_orders in fetch(_PROFILES, {"profiles": list(ids)})
    ]


def _erased_together(profiles: Collection[rules.Profile]) -> list[rules.Decision]:
    """Nothing is known any more of those who were erased, but which numbers belonged together: that stays as it is."""
    erased = [profile.id for profile in profiles if profile.key[1] == SCOPE_OF_THE_ERASED]
    rows = fetch(_TOGETHER, [erased]) if len(erased) > 1 else ()
    return [rules.Decision(_ONCE, frozenset(some)) for (some,) in rows]


def _names(profiles: Collection[int]) -> dict[int, set[Words]]:
    """Opened; those of the erased are gone."""
    rows: list[Any] = fetch(_NAMES, {"profiles": list(profiles)})
    plain = keys.find_keys({profile for _, profile, _ in rows})
    found: dict[int, set[Words]] = {}
    for row, profile, name in rows:
        if profile in plain:
            text = unseal(plain[profile], bytes(name), Cell("customers_profilename", "name", row)).decode()
            found.setdefault(profile, set()).add(words_of(text))
    return found


def _decisions(profiles: Collection[int]) -> list[rules.Decision]:
    return [
        rules.Decision(at, frozenset(one or ()), frozenset(others or ()))
        for _, at, one, others in fetch(_DECISIONS, {"profiles": list(profiles)})
    ]
