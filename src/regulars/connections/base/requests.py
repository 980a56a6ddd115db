"""What platforms ask in people's names (privacy requests), kept with the day by which it must be done."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from regulars.connections.base.models import Connection, PlatformRequest
from regulars.connections.base.platforms import PrivacyRequest
from regulars.foundation.vault import keys
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.queries import find_profiles
from regulars.record.events.log import LogTransaction
from regulars.record.orders.rules import bare_id

DUE = timedelta(days=30)


def keep_requests(asked: Sequence[PrivacyRequest], row: Connection, log: LogTransaction, at: datetime) -> None:
    """Each once, by the platform's own number. Erasing is done afterwards by a loop: it has a transaction of its own."""
    if not asked:
        return
    profiles = find_profiles({one.identity for one in asked if one.identity}, row.store_id)
    PlatformRequest.objects.bulk_create(
        [
            PlatformRequest(
                connection=row,
                kind=one.kind,
                profile_id=profiles.get(one.identity) if one.identity else None,
                token=_token(one.identity),
                orders=[bare_id(order)[:80] for order in one.orders],
                reference=(one.reference or (one.identity.value if one.identity else one.kind))[:120],
                asked_at=one.occurred_at,
                due_at=one.occurred_at + DUE,
            )
            for one in asked
        ],
        ignore_conflicts=True,
    )


def _token(identity: IdentityInput | None) -> bytes | None:
    known = canonical(identity) if identity else None
    return identity_token(keys.key_ring(), known) if known else None
