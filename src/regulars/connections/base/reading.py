"""From the inbox to the record: whatever shops tell, set-wise, in one transaction, idempotent by what the record knows."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import DataError, IntegrityError

from regulars.connections.base.accounts import account_of
from regulars.connections.base.erased import drop_erased
from regulars.connections.base.models import Connection
from regulars.connections.base.operations.asking import ask_for_things
from regulars.connections.base.operations.pulling import count_read, note_failure
from regulars.connections.base.platforms import PLATFORMS, Account, Incoming, Platform, Statements, Why
from regulars.connections.base.readings import PATH, Place, path_of, place_of
from regulars.connections.base.things import STRANGE, strange
from regulars.connections.base.writing import Gained, write
from regulars.foundation.errors import InvalidInput
from regulars.foundation.inbox.parsers import Outcome, RawInput
from regulars.foundation.inbox.queries import forgotten_since
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.retrying import Overtaken
from regulars.record.events import log as event_log

# What the record says to something that it cannot hold; COPY's errors come from the driver itself.
REFUSALS = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError, InvalidInput)
CANNOT = "The record cannot hold this."
REMOVED = "Our app was removed in the shop: install it there and connect again, or end the connection."


@dataclass
class _One:
    """One input, what it says, and what becomes of it."""

    raw: RawInput
    place: Place
    said: Statements
    refused: str = ""


def read(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
    """The parser of the inbox for everything that shops tell; all inputs are of one connection.

    What one thing of a page is refused for does not keep the others out: it becomes an input of its own, which goes to quarantine.
    """
    row = Connection.objects.select_related("store").get(pk=int(inputs[0].source.split(":")[1]))
    platform, account = PLATFORMS[row.platform], account_of(row, at)
    told = [_understood(raw, platform, account) for raw in inputs]
    people: dict[int, frozenset[int]] = {}
    since = min(one.raw.received_at for one in told)
    with event_log.transaction(row.platform, row.public_id) as log:
        forgotten = forgotten_since(since)
        dropped = {one.raw.id for one in told if forgotten and drop_erased(one.said, one.raw.received_at, forgotten)}
        for (why, _, _), group in itertools.groupby(told, _together):
            run = list(group)
            try:
                with log.part():
                    gained = write([one.said for one in run], log, row, why == Why.HISTORY, at)
            except REFUSALS as error:
                if len(inputs) > 1:
                    raise  # the inbox tries each alone
                run[0].refused = _split(run[0], platform, error, at)
                gained = Gained()
            people |= {one.raw.id: gained.people(one.said) for one in run}
            _count(run, gained)
        _keep_apart(told, at)
        ask_for_things(row, dict.fromkeys(thing for one in told for thing in one.said.wanted), at)
        _note(row, told, at)
        if forgotten_since(since) != forgotten:
            raise Overtaken  # somebody was erased whom we may have made anew meanwhile
    return [Outcome(people[one.raw.id], one.refused, one.raw.id in dropped) for one in told]


def _together(one: _One) -> tuple[Why, int | None, str]:
    """What is written at once: webhooks, or pages of one topic of one pull, for each topic counts its own news."""
    return one.place.why, one.place.pull_id, one.place.topic if one.place.pull_id else ""


def _understood(raw: RawInput, platform: Platform, account: Account) -> _One:
    place = place_of(raw.headers[PATH])
    try:
        return _One(raw, place, platform.read(account, Incoming(place.topic, place.why, raw)))
    except STRANGE as error:
        return _One(raw, place, Statements(), strange(error))


def _split(one: _One, platform: Platform, error: Exception, at: datetime) -> str:
    """Puts the things of a page into the inbox one by one; why it is refused where it is a single one already."""
    parts = platform.split(Incoming(one.place.topic, one.place.why, one.raw))
    if len(parts) < 2:
        return error.sentence if isinstance(error, InvalidInput) else CANNOT
    _receive_parts(one, parts, at)
    return ""


def _receive_parts(one: _One, parts: Iterable[bytes], at: datetime) -> None:
    headers = one.raw.headers | {PATH: path_of(one.place.why, one.place.topic)}
    key = one.raw.key.hex()
    receive(
        [
            Arrival(one.raw.source, one.raw.kind, part, headers, one.raw.store_id, own_id=f"part:{key}:{number}")
            for number, part in enumerate(parts)
        ],
        at,
    )


def _keep_apart(told: Sequence[_One], at: datetime) -> None:
    """Things of a page that could not be read stand in quarantine one by one; a body that is such a thing is refused itself."""
    for one in told:
        if not one.said.unreadable or one.refused:
            continue
        if one.place.pull_id is None:
            one.refused = one.said.unreadable[0].reason
        else:
            _receive_parts(one, [thing.body for thing in one.said.unreadable], at)


def _count(run: Sequence[_One], gained: Gained) -> None:
    """What a reconciliation found is what no webhook had told."""
    place = run[0].place
    if place.pull_id is not None:
        count_read(place.pull_id, {place.topic: {"new": gained.new, "changed": gained.changed}})


def _note(row: Connection, told: Sequence[_One], at: datetime) -> None:
    if any(one.place.why == Why.WEBHOOK for one in told):
        Connection.objects.filter(pk=row.pk).update(heard_at=max(one.raw.received_at for one in told))
    if any(one.said.is_over for one in told):
        note_failure(row, REMOVED, at)  # whoever comes back is the same connection, and was heard all the time
