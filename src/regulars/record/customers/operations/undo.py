"""Taking back what one batch of an import said of people."""

from collections.abc import Callable
from datetime import datetime

from regulars.foundation.bulk import execute, fetch
from regulars.record.customers.operations.cards import refresh_cards
from regulars.record.customers.operations.connected import who_may_part
from regulars.record.customers.operations.identities import resolve
from regulars.record.customers.operations.links import drop_unused_identities
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction

_SAID = ("identitylink", "contactversion", "attributevalue", "tagentry", "note", "profilename")
_TOUCHED = " UNION ".join(
    ["SELECT id FROM customers_profile WHERE batch_id = %(batch)s"]
    + [f"SELECT profile_id FROM customers_{table} WHERE batch_id = %(batch)s" for table in _SAID]
)

_LOCK = "SELECT id FROM customers_profile WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_IDENTITIES = """
SELECT identity_id FROM customers_identitylink WHERE batch_id = %(batch)s
UNION SELECT named_by_id FROM customers_profile WHERE batch_id = %(batch)s
"""


def undo_people(batch_id: int, log: LogTransaction, at: datetime, stays: Callable[[set[int]], set[int]]) -> set[int]:
    """Removes what the batch said of people, and whoever is known by nothing else; called after their orders went.

    ``stays`` tells which of some profiles must not be touched, because of what modules above know of them. Customers are
    resolved again without the links that went. Returns the profiles that went.
    """
    profiles = {row for (row,) in fetch(_TOUCHED, {"batch": batch_id})}
    fetch(_LOCK, [sorted(profiles)])  # whoever writes of them at this moment has done so, or finds them gone
    profiles -= stays(profiles)
    before = customers_of(profiles)
    identities = [row for (row,) in fetch(_IDENTITIES, {"batch": batch_id})]
    near = who_may_part(profiles, identities)
    for table in _SAID:
        execute(
            f"DELETE FROM customers_{table} WHERE batch_id = %s AND profile_id = ANY(%s)", [batch_id, list(profiles)]
        )
    known = " UNION ".join(
        f"SELECT profile_id FROM customers_{table} WHERE profile_id = ANY(%(ids)s)" for table in _SAID
    )
    left = {row for (row,) in fetch(known, {"ids": list(profiles)})}
    made = {row for (row,) in fetch("SELECT id FROM customers_profile WHERE batch_id = %s", [batch_id])}
    gone = (profiles & made) - left
    remove_profiles(gone)
    resolve(near - gone, log, at)
    drop_unused_identities(identities)
    refresh_cards([*before.values(), *customers_of(profiles - gone).values()])
    return gone


def remove_profiles(profiles: set[int]) -> None:
    """Deletes profiles, their keys, and customers that have never had another one."""
    ids = list(profiles)
    customers = [
        row
        for (row,) in fetch(
            "SELECT DISTINCT customer_id FROM customers_customerprofile WHERE profile_id = ANY(%s)", [ids]
        )
    ]
    execute(
        "DELETE FROM customers_possibleduplicate WHERE low_id = ANY(%(ids)s) OR high_id = ANY(%(ids)s)", {"ids": ids}
    )
    execute("DELETE FROM customers_decisionprofile WHERE profile_id = ANY(%s)", [ids])
    execute("DELETE FROM customers_buyer WHERE profile_id = ANY(%s)", [ids])
    execute("DELETE FROM customers_customerprofile WHERE profile_id = ANY(%s)", [ids])
    execute("DELETE FROM vault_subjectkey WHERE subject = ANY(%s)", [ids])
    execute("DELETE FROM customers_profile WHERE id = ANY(%s)", [ids])
    rows = fetch(
        "SELECT c.id FROM customers_customer c WHERE c.id = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM customers_customerprofile m WHERE m.customer_id = c.id)",
        [customers],
    )
    empty = [row for (row,) in rows]
    execute("DELETE FROM customers_storecard WHERE customer_id = ANY(%s)", [empty])
    execute("DELETE FROM customers_customercard WHERE customer_id = ANY(%s)", [empty])
    execute("DELETE FROM customers_customer WHERE id = ANY(%s)", [empty])
