"""Who is known already, and of whom nothing new is said: most of those whom a busy shop tells of. Three statements, whatever their number."""

from collections.abc import Sequence

from regulars.foundation.bulk import fetch
from regulars.foundation.vault import keys
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.operations.links import lock_profiles

_NAMED = """
SELECT s.place, s.is_name, i.id, p.id FROM unnest(%s::int[], %s::boolean[], %s::text[], %s::text[], %s::bytea[], %s::bigint[])
    AS s(place, is_name, kind, scope, token, store_id)
JOIN customers_identity i ON (i.kind, i.scope, i.token) = (s.kind, s.scope, s.token)
LEFT JOIN customers_profile p ON s.is_name AND p.named_by_id = i.id AND p.store_id = s.store_id
"""
_LINKED = """
SELECT l.profile_id, l.identity_id, l.trust FROM unnest(%s::bigint[], %s::bigint[]) AS s(profile_id, identity_id)
JOIN customers_identitylink l ON (l.profile_id, l.identity_id) = (s.profile_id, s.identity_id)
"""


def find_known(inputs: Sequence[PersonInput]) -> dict[int, int]:
    """Profiles of the inputs, by their place, that say nothing but identities which are linked already; these profiles are locked.

    Raises Overtaken for one that was erased or undone meanwhile.
    """
    said = _said(inputs)
    if not said:
        return {}
    rows = fetch(_NAMED, _columns(said, inputs))
    profiles = {place: profile for place, is_name, _, profile in rows if is_name and profile is not None}
    lock_profiles({profiles[place]: identity for place, is_name, identity, _ in rows if is_name and place in profiles})
    pairs = [(profiles[place], identity, place) for place, _, identity, _ in rows if place in profiles]
    if not pairs:
        return {}
    linked = set(fetch(_LINKED, [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]))
    count = dict.fromkeys(profiles, 0)
    for profile, identity, place in pairs:
        count[place] += (profile, identity, inputs[place].trust.value) in linked
    return {place: profile for place, profile in profiles.items() if count[place] == len(said[place])}


def _said(inputs: Sequence[PersonInput]) -> dict[int, list[IdentityInput]]:
    """Identities in canonical form of those inputs that say nothing else; the one that names stands first."""
    quiet = {
        place: [c for c in map(canonical, given.identities) if c]
        for place, given in enumerate(inputs)
        if given.store_id and not (given.contact or given.attributes or given.tags or given.note)
    }
    whole = {place: some for place, some in quiet.items() if some and len(some) == len(inputs[place].identities)}
    return {place: list(dict.fromkeys(some)) for place, some in whole.items()}  # of the others, a closer look tells


def _columns(said: dict[int, list[IdentityInput]], inputs: Sequence[PersonInput]) -> list[list[object]]:
    ring = keys.key_ring()
    rows = [
        (place, n == 0, one.kind.value, one.scope, identity_token(ring, one), inputs[place].store_id)
        for place, some in said.items()
        for n, one in enumerate(some)
    ]
    return [list(column) for column in zip(*rows, strict=True)]
