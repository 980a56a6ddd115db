"""Contact data: each change is a new sealed version; the newest one counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.bulk import copy_rows, fetch
from regulars.foundation.sealing import Cell, seal, unseal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers import events
from regulars.record.customers.contacts import ContactCard, asked_words, search_tokens
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction


@dataclass(frozen=True)
class ContactChange:
    """A card that differs from the one before it."""

    profile_id: int
    card: ContactCard
    occurred_at: datetime
    fields: tuple[str, ...]


def differing_fields(before: ContactCard, after: ContactCard) -> tuple[str, ...]:
    old = vars(before)
    return tuple(name for name, value in vars(after).items() if value != old[name])


def newest_contacts(profiles: Iterable[int]) -> dict[int, tuple[ContactCard, datetime]]:
    """Newest card of each profile that has one (and whose key is still there), with its time."""
    wanted = list(profiles)
    found = fetch(_NEWEST, [wanted]) if wanted else []
    plain = keys.find_keys(profile for profile, *_ in found)
    return {
        profile: (
            ContactCard.from_bytes(
                unseal(plain[profile], bytes(card), Cell("customers_contactversion", "card", row_id))
            ),
            at,
        )
        for profile, row_id, card, at in found
        if profile in plain
    }


_NEWEST = """
SELECT DISTINCT ON (profile_id) profile_id, id, card, occurred_at FROM customers_contactversion WHERE profile_id = ANY(%s)
ORDER BY profile_id, occurred_at DESC, id DESC
"""
_COLUMNS = (
    "id", "profile_id", "card", "country", "region", "postal_area", "language", "mail_domain", "tokens", "words", "time_zone",
    "occurred_at", "batch_id",
)  # fmt: skip


def store_contacts(changes: Sequence[ContactChange], log: LogTransaction, is_history: bool) -> None:
    """Writes one new version per change, sealed, with its clear columns and tokens. Event: customer.contact_changed."""
    if not changes:
        return
    ring = keys.key_ring()
    plain = keys.find_keys(c.profile_id for c in changes)
    owners = customers_of(c.profile_id for c in changes)
    rows = []
    for row_id, change in zip(reserve_ids("customers_contactversion", len(changes)), changes, strict=True):
        card = change.card
        sealed = seal(plain[change.profile_id], card.to_bytes(), Cell("customers_contactversion", "card", row_id))
        tokens = "{" + ",".join(map(str, search_tokens(card, ring))) + "}"
        rows.append(
            (row_id, change.profile_id, sealed, card.country[:2], card.region[:60], card.postal_area[:12],
             card.language[:10], card.mail_domain[:120], tokens, asked_words(card, ring), card.known_zone, change.occurred_at, log.batch_id)
        )  # fmt: skip
        log.append(
            events.contact_changed(
                change.profile_id, owners[change.profile_id], change.occurred_at, change.fields, is_history
            )
        )
    copy_rows("customers_contactversion", _COLUMNS, rows)
