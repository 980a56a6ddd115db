"""Writing the ledgers of consent and suppression: append-only, set-wise, nothing written that says what already holds."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db.models import Q

from regulars.foundation.errors import InvalidInput
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.consent import events
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.consent.models import ConsentEntry, ConsentState, DoNotContact, SuppressionEntry
from regulars.record.consent.queries import left_alone
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.models import IdentityKind, IdentityLink
from regulars.record.customers.operations.links import lock_members
from regulars.record.customers.queries import Stores, customer_of, customers_of, profiles_of
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction

ANYBODY = Q()
_Word = tuple[bytes, str, str, str, datetime]  # address, channel, topic, state, when


class BadAddress(InvalidInput):
    """This is neither a mail address nor a phone number with its country code."""

    code = "bad-address"


def record_consents(
    inputs: Sequence[ConsentInput], brand_id: int, log: LogTransaction, *, is_history: bool = False
) -> int:
    """Appends what is new; how many that were. An entry as old and with the same words as one that is there is a repetition.

    Event: consent.changed, on the profile that the address leads to (where it leads to one). A word that is older than another of that
    address and topic is kept, and its event is history: nothing changes by it, and nobody is to be told.
    """
    ring = keys.key_ring()
    tokens = [address_token(ring, i.address) for i in inputs]
    known: set[_Word] = {
        (bytes(e.address), e.channel, e.topic, e.state, e.occurred_at)
        for e in ConsentEntry.objects.filter(address__in=tokens, brand=brand_id).only(
            "address", "channel", "topic", "state", "occurred_at"
        )
    }
    # Said to a brand, it is kept with a profile of that brand's stores where there is one: their staff are shown it, others not.
    owners = _profiles_by_address(tokens) | _profiles_by_address(tokens, Q(profile__store__brand=brand_id))
    held = lock_members(
        {profile: [profile] for profile in owners.values()}
    )  # all but who is being erased at this moment
    owners = {token: profile for token, profile in owners.items() if profile in held}
    people = customers_of(owners.values())
    fresh = []
    for given, token in zip(inputs, tokens, strict=True):
        said = (token, given.channel, given.topic, given.state, given.occurred_at)
        if said not in known:
            known.add(said)
            fresh.append((given, token, owners.get(token)))
    newest = _newest_words(known)
    for given, token, profile in fresh:
        words = {name: str(getattr(given, name)) for name in ("channel", "topic", "state", "method", "source")}
        is_late = given.occurred_at < newest[token, given.channel, given.topic]
        owner = people.get(profile or 0)
        words_of_brand: dict[str, str | int] = {**words, "brand_id": brand_id}
        log.append(events.changed(profile, owner, given.occurred_at, words_of_brand, is_history or is_late))
    ConsentEntry.objects.bulk_create(_entries(fresh, brand_id, log.batch_id), batch_size=5000)
    return len(fresh)


def _newest_words(said: Iterable[_Word]) -> dict[tuple[bytes, str, str], datetime]:
    """When each address said its last word on a channel and topic. What proves nothing is no word."""
    newest: dict[tuple[bytes, str, str], datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=UTC))
    for token, channel, topic, state, occurred_at in said:
        if state != ConsentState.UNKNOWN:
            newest[token, channel, topic] = max(newest[token, channel, topic], occurred_at)
    return newest


def _entries(
    fresh: Sequence[tuple[ConsentInput, bytes, int | None]], brand_id: int, batch_id: int
) -> list[ConsentEntry]:
    """Rows with their proofs sealed; an address that leads to nobody has no key to seal one with."""
    plain = keys.find_keys(profile for given, _, profile in fresh if profile and given.proof)
    rows = []
    for row_id, (given, token, profile) in zip(reserve_ids("consent_consententry", len(fresh)), fresh, strict=True):
        key = plain.get(profile or 0)
        cell = Cell("consent_consententry", "proof", row_id)
        rows.append(
            ConsentEntry(
                id=row_id,
                profile_id=profile,
                brand_id=brand_id,
                address=token,
                channel=given.channel,
                topic=given.topic,
                state=given.state,
                method=given.method,
                proof=seal(key, json.dumps(given.proof).encode(), cell) if given.proof and key else None,
                text_hash=hashlib.sha256(given.text.encode()).hexdigest() if given.text else "",
                source=given.source,
                occurred_at=given.occurred_at,
                batch_id=batch_id,
            )
        )
    return rows


def record_suppressions(inputs: Sequence[SuppressionInput], log: LogTransaction, *, is_history: bool = False) -> int:
    """Appends what changes an address's state or gives another reason for it; how many that were. A second reason is kept, so
    that undoing the import that brought the first one leaves the address suppressed.

    Events: consent.suppressed, consent.unsuppressed.
    """
    ring = keys.key_ring()
    tokens = [address_token(ring, i.address) for i in inputs]
    standing = _reasons_by_address(tokens)
    owners = _profiles_by_address(tokens)
    people = customers_of(owners.values())
    rows = []
    for given, token in zip(inputs, tokens, strict=True):
        reasons, reason = standing[token, given.channel], given.reason[:30]
        if reason in reasons if given.is_on else not reasons:
            continue
        reasons.add(reason) if given.is_on else reasons.clear()
        rows.append(
            SuppressionEntry(
                address=token,
                channel=given.channel,
                is_on=given.is_on,
                reason=reason,
                occurred_at=given.occurred_at,
                batch_id=log.batch_id,
            )
        )
        profile = owners.get(token)
        entry = events.suppressed(
            profile, people.get(profile or 0), given.occurred_at, given.channel, given.reason, given.is_on, is_history
        )
        log.append(entry)
    SuppressionEntry.objects.bulk_create(rows, batch_size=5000)
    return len(rows)


def _reasons_by_address(tokens: Sequence[bytes]) -> dict[tuple[bytes, str], set[str]]:
    """Why each address is suppressed on each channel: the reasons given since it was last lifted."""
    found: dict[tuple[bytes, str], set[str]] = defaultdict(set)
    for entry in SuppressionEntry.objects.filter(address__in=list(set(tokens))).order_by("id"):
        reasons = found[bytes(entry.address), entry.channel]
        reasons.add(entry.reason) if entry.is_on else reasons.clear()
    return found


@retried
def leave_alone(customer_ids: Sequence[int], is_on: bool, staff_id: int, at: datetime, store_ids: Stores = None) -> int:
    """'Do not contact', or may be contacted again; how many customers it changed.

    ``store_ids``: the stores that the member of staff is limited to; what others decided of the customer stands.
    """
    with event_log.transaction("staff", str(staff_id)) as log:
        members = lock_members(profiles_of(customer_ids, store_ids))
        alone = left_alone(profile for some in members.values() for profile in some)
        changed = [customer for customer, some in members.items() if alone.isdisjoint(some) == is_on]
        DoNotContact.objects.bulk_create(
            DoNotContact(profile_id=p, is_on=is_on, staff_id=staff_id, occurred_at=at, batch_id=log.batch_id)
            for customer in changed
            for p in members[customer]
        )
        log.append(*(events.left_alone(members[customer][0], customer, at, is_on) for customer in changed))
        return len(changed)


@retried
def unsubscribe(address: bytes, brand_id: int, topic: str, profile_id: int | None, method: str, at: datetime) -> bool:
    """A person's own 'no', by link or one-click: effective at once, idempotent. True when it changed something."""
    newest = (
        ConsentEntry.objects.filter(address=address, brand=brand_id, channel="email", topic=topic)
        .order_by("-occurred_at", "-id")
        .first()
    )
    if newest is not None and newest.state == "denied":
        return False
    with event_log.transaction("system", "unsubscribe") as log:
        ConsentEntry.objects.create(
            profile_id=profile_id,
            brand_id=brand_id,
            address=address,
            channel="email",
            topic=topic,
            state="denied",
            method=method,
            occurred_at=at,
            batch_id=log.batch_id,
        )
        words: dict[str, str | int] = {"channel": "email", "topic": topic, "state": "denied", "method": method}
        words |= {"source": "", "brand_id": brand_id}
        log.append(events.changed(profile_id, customer_of(profile_id) if profile_id else None, at, words, False))
    return True


def _profiles_by_address(tokens: Sequence[bytes], those: Q = ANYBODY) -> dict[bytes, int]:
    """Oldest profile, of ``those``, that each address leads to by a confirmed link."""
    rows = (
        IdentityLink.objects.filter(
            those,
            identity__token__in=list(set(tokens)),
            identity__kind__in=[IdentityKind.EMAIL, IdentityKind.PHONE],
            trust="confirmed",
        )
        .order_by("-profile_id")
        .values_list("identity__token", "profile_id")
    )
    return {bytes(token): profile for token, profile in rows}
