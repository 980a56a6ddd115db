"""What shops are told: consent that somebody gave or took back here. The newest word of a person and channel, once, and never an echo."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Max, Q

from regulars.connections.base.accounts import account_of
from regulars.connections.base.client import TryLater, Unreachable
from regulars.connections.base.models import Connection, ConnectionState, Tell, TellState
from regulars.connections.base.platforms import PLATFORMS, ConsentChange, KeyRefused, Refused
from regulars.foundation.bulk import execute
from regulars.foundation.errors import RegularsError
from regulars.foundation.work.loops import Stop
from regulars.record.consent.models import ConsentState
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.queries import customers_of, profiles_of, read_cards, read_identities
from regulars.record.events.readers import Reader, Recorded

logger = structlog.get_logger(__name__)
TOPIC = "marketing"
MOST_TRIES = 12
MOST_GROWTH = 6  # tries after which a shop that is away is asked every half hour
LEASE = timedelta(minutes=5)
UNEXPECTED = "The shop's answer was not understood."
_BATCH = 20

_KEEP = """
INSERT INTO connections_tell (connection_id, profile_id, channel, consent, occurred_at, state, tries, problem, next_at)
SELECT w.connection_id, w.profile_id, w.channel, w.consent, w.occurred_at, 'waiting', 0, '', %(at)s
FROM unnest(%(connections)s::bigint[], %(profiles)s::bigint[], %(channels)s::text[], %(consents)s::text[],
    %(moments)s::timestamptz[]) AS w(connection_id, profile_id, channel, consent, occurred_at)
ON CONFLICT (connection_id, profile_id, channel) DO UPDATE
SET consent = excluded.consent, occurred_at = excluded.occurred_at, state = 'waiting', tries = 0, problem = '', next_at = excluded.next_at
WHERE connections_tell.occurred_at < excluded.occurred_at
"""


def note_changes(events: Sequence[Recorded], at: datetime) -> None:
    """The reader's hand: writes down for every connected shop of the person what it is to be told."""
    rows = list(_to_tell(events))
    newest = {(c, p, event.data["channel"]): event for c, p, event in sorted(rows, key=lambda one: one[2].occurred_at)}
    if not newest:
        return
    columns = {
        "connections": [c for c, _, _ in newest],
        "profiles": [p for _, p, _ in newest],
        "channels": [channel for _, _, channel in newest],
        "consents": [event.data["state"] for event in newest.values()],
        "moments": [event.occurred_at for event in newest.values()],
    }
    execute(_KEEP, columns | {"at": at})


def _to_tell(events: Sequence[Recorded]) -> Iterator[tuple[int, int, Recorded]]:
    """Connection and the person's profile there, for each change; not to the connection that said it."""
    wanted = [e for e in events if _is_for_shops(e)]
    owners = customers_of(e.profile_id for e in wanted if e.profile_id)
    members = profiles_of(set(owners.values()))
    shops: dict[int, list[Connection]] = {}
    for row in Connection.objects.filter(state__in=(ConnectionState.ACTIVE, ConnectionState.FAILING)):
        shops.setdefault(row.store_id, []).append(row)
    everybody = [p for some in members.values() for p in some]
    named = Profile.objects.filter(pk__in=everybody, store__in=shops, named_by__kind=IdentityKind.STORE_CUSTOMER)
    stores = dict(named.values_list("pk", "store_id"))
    for event in wanted:
        for profile in members.get(owners.get(event.profile_id or 0, 0), []):
            for row in shops.get(stores.get(profile, 0), []):
                if event.data.get("source") != row.public_id:
                    yield row.pk, profile, event


def _is_for_shops(event: Recorded) -> bool:
    """Yes and no are told; 'unknown' is no word of anybody, and history was said elsewhere."""
    is_said = event.data.get("state") in (ConsentState.GRANTED, ConsentState.DENIED)
    return is_said and event.data.get("topic") == TOPIC and not event.is_history and event.profile_id is not None


CONSENTS = Reader("connections.consents", frozenset({"consent.changed"}), note_changes)


def tell_shops(stop: Stop, at: datetime) -> bool:
    """Tells what waits, one by one, each marked after its call: repeated, a call changes nothing at the shop."""
    with transaction.atomic():
        due = Q(state=TellState.WAITING, next_at__lte=at)
        rows = list(
            Tell.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(due)
            .order_by("tries", "next_at")[:_BATCH]
        )
        Tell.objects.filter(pk__in=[row.pk for row in rows]).update(next_at=at + LEASE)
    away = set[int]()  # the connections whose shop cannot be told anything now
    for row in rows:
        if stop.is_set():
            return False
        if row.connection_id not in away:
            tell = Tell.objects.select_related("connection__store", "profile").get(pk=row.pk)
            away |= set() if _is_told(tell, at) else {tell.connection_id}
    return len(rows) == _BATCH


def _is_told(row: Tell, at: datetime) -> bool:
    """Tells one, or settles what becomes of it; False where its shop cannot be told anything now."""
    change = _change_of(row)
    try:
        if change is None:
            raise Refused("There is no address of this person that the shop knows.")
        if row.connection.state == ConnectionState.OVER:
            raise Refused("The connection has ended.")
        PLATFORMS[row.connection.platform].write_consent(account_of(row.connection, at), change)
    except (KeyRefused, TryLater, Unreachable) as error:
        _put_off(row, at, error)
        return False
    except Refused as error:
        _settle(row, TellState.REFUSED, at, error.sentence)
    except Exception as error:  # noqa: BLE001  whatever is wrong with one must not hold up what others said
        logger.error("a consent could not be told", tell=row.pk, why=type(error).__name__)
        _wait(row, at, error.sentence if isinstance(error, RegularsError) else UNEXPECTED)
    else:
        _settle(row, TellState.TOLD, at)
    return True


def _change_of(row: Tell) -> ConsentChange | None:
    customer = customers_of([row.profile_id]).get(row.profile_id)
    if customer is None:
        return None
    card = read_cards([customer], [row.connection.store_id]).get(customer)
    address = (card.email if row.channel == "email" else card.phone) if card else ""
    keys = (
        i.value for i in read_identities(customer, [row.connection.store_id]) if i.kind == IdentityKind.STORE_CUSTOMER
    )
    key = next(keys, "")
    is_granted = row.consent == ConsentState.GRANTED
    return ConsentChange(key, row.channel, address, is_granted, row.occurred_at) if address and key else None


def _settle(row: Tell, state: TellState, at: datetime, problem: str = "") -> None:
    """Unless something newer is to be told by now."""
    same = Tell.objects.filter(pk=row.pk, occurred_at=row.occurred_at)
    same.update(state=state, problem=problem, told_at=at if state == TellState.TOLD else None)


def _wait(row: Tell, at: datetime, problem: str) -> None:
    tries = row.tries + 1
    if tries >= MOST_TRIES:
        _settle(row, TellState.REFUSED, at, problem)
        return
    wait = timedelta(seconds=min(21_600.0, 30.0 * 2**tries))
    Tell.objects.filter(pk=row.pk).update(tries=tries, problem=problem, next_at=at + wait)


def _put_off(row: Tell, at: datetime, error: KeyRefused | TryLater | Unreachable) -> None:
    """All that is due for this shop waits on, however long it takes: a no is a no, also of last week. What was put off before stays so, and
    whoever comes new waits as long as those."""
    waiting = Tell.objects.filter(connection=row.connection_id, state=TellState.WAITING)
    longest: int = waiting.aggregate(longest=Max("tries"))["longest"] or 0
    tries = min(longest + 1, MOST_GROWTH)
    wait = timedelta(seconds=error.seconds if isinstance(error, TryLater) else 30.0 * 2**tries)
    Tell.objects.filter(pk=row.pk).update(tries=tries)
    waiting.filter(next_at__lte=at + LEASE).update(problem=error.sentence, next_at=at + wait)
