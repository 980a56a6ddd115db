"""Names that trusted sources gave profiles: what the guards compare. Nothing is ever taken out of them but by an erasure or an undo."""

from collections.abc import Iterable

from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers.models import ProfileName
from regulars.record.customers.rules.names import words_of
from regulars.record.events.log import LogTransaction

PURPOSE = "name of a profile"


def add_names(said: Iterable[tuple[int, str]], log: LogTransaction) -> set[int]:
    """Stores what is new of it; whose names these are, for they may have to be resolved again. The caller holds the profiles."""
    ring = keys.key_ring()
    wanted = {(p, ring.token(PURPOSE, " ".join(words))): name for p, name in said if (words := words_of(name))}
    rows = ProfileName.objects.filter(profile__in={profile for profile, _ in wanted}).values_list("profile_id", "token")
    known = {(profile, bytes(token)) for profile, token in rows}
    new = sorted(wanted.keys() - known)
    if not new:
        return set()
    plain = keys.find_keys(profile for profile, _ in new)
    ProfileName.objects.bulk_create(
        [
            ProfileName(
                id=row,
                profile_id=profile,
                token=token,
                name=seal(plain[profile], wanted[profile, token].encode(), Cell("customers_profilename", "name", row)),
                batch_id=log.batch_id,
            )
            for row, (profile, token) in zip(reserve_ids("customers_profilename", len(new)), new, strict=True)
        ],
        batch_size=5000,
        ignore_conflicts=True,
    )
    return {profile for profile, _ in new}
