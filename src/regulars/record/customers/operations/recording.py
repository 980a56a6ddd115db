"""Recording what happened elsewhere: events of the shop's own, by the API."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.foundation.retrying import retried
from regulars.foundation.sealing import seal
from regulars.foundation.vault import keys
from regulars.record.customers import events
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.operations.profiles import ensure_profiles
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import event_key, transaction
from regulars.record.events.recorded import cell_of
from regulars.record.own_events.queries import declared_of
from regulars.record.own_events.rules import values_of


@dataclass(frozen=True)
class HappeningInput:
    """One event of the shop's own. ``own_id``, where given, is its id at whoever sends it: the same one is recorded
    once.
    """

    name: str
    person: PersonInput
    occurred_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    own_id: str = ""
    is_history: bool = False


@retried
def record_happening(given: HappeningInput, actor: str) -> tuple[bool, int]:
    """Whether it was new, and the customer. Numbers and yes or no stay in clear, text is sealed. Event:
    custom.recorded.
    """
    with transaction("api", actor) as log:
        [profile] = ensure_profiles([given.person], log, is_history=given.is_history)
        customer = customer_of(profile)
        if given.own_id and not log.claim([event_key(f"custom {actor}", given.own_id)]):
            return False, customer
        clear = {name: value for name, value in given.properties.items() if not isinstance(value, str)}
        personal = {name: value for name, value in given.properties.items() if isinstance(value, str)}
        sealed = None
        if personal:
            sealed = seal(keys.find_keys([profile])[profile], json.dumps(personal).encode(), cell_of(profile))
        declared = values_of(declared_of([given.name]), given.name, given.properties)
        log.append(
            events.recorded(
                profile, customer, given.occurred_at, given.name, clear, sealed, given.is_history, declared=declared
            )
        )
        return True, customer
