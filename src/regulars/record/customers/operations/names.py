"""Names that trusted sources gave profiles: what the guards compare. Nothing is ever taken out of them but by an erasure or an undo."""

from collections.abc import Iterable

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers.rules.names import words_of
from regulars.record.events.log import LogTransaction

PURPOSE = "name of a profile"


def add_names(said: Iterable[tuple[int, str]], log: LogTransaction) -> set[int]:
    """Stores what is new of it; whose names these are, for they may have to be resolved again. The caller holds the profiles."""
    ring = keys.key_ring()
    wanted = {(p, ring.token(PURPOSE, " ".join(words))): name for p, name in said if (words := words_of(name))}
    known = (
        {(profile, bytes(token)) for profile, token in fetch(_KNOWN, [list({p for p, _ in wanted})])}
        if wanted
        else set()
    )
    new = sorted(wanted.keys() - known)
    if not new:
        return set()
    plain = keys.find_keys(profile for profile, _ in new)
    ids = reserve_ids("customers_profilename", len(new))
    names = [
        seal(plain[profile], wanted[profile, token].encode(), Cell("customers_profilename", "name", row))
        for row, (profile, token) in zip(ids, new, strict=True)
    ]
    execute(_ADD, [log.batch_id, ids, [profile for profile, _ in new], [token for _, token in new], names])
    return {profile for profile, _ in new}


_KNOWN = "SELECT profile_id, token FROM customers_profilename WHERE profile_id = ANY(%s)"
_ADD = """
INSERT INTO customers_profilename (id, profile_id, token, name, batch_id)
SELECT id, profile_id, token, name, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[]) AS s(id, profile_id, token, name)
ON CONFLICT DO NOTHING
"""
