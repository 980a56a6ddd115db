"""Consent to be written to. WooCommerce itself asks nobody; our plugin does, and keeps answer, words and time as meta data."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from regulars.connections.base.platforms import Account
from regulars.connections.woocommerce.mapping.values import Json, key, meta, text
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.customers.inputs import PersonInput

CONSENT = "_regulars_consent"


def consents_of(said: Json, person: PersonInput | None, account: Account) -> list[ConsentInput]:
    """What our plugin noted with an order or an account, of addresses that stand there; nothing else is taken for consent."""
    return list(_consents(said, person, account))


def _consents(said: Json, person: PersonInput | None, account: Account) -> Iterator[ConsentInput]:
    if person is None or person.contact is None:
        return
    addresses = {Channel.EMAIL: person.contact.email, Channel.SMS: person.contact.phone}
    for one in _noted(meta(said, CONSENT)):
        channel = Channel(text(one.get("channel")) or Channel.EMAIL)
        if not isinstance(one.get("agreed"), bool):
            raise ValueError("neither yes nor no")
        if addresses.get(channel):
            yield ConsentInput(
                address=addresses[channel],
                state=ConsentState.GRANTED if one["agreed"] else ConsentState.DENIED,
                occurred_at=_moment(one),
                method=text(one.get("source"), 30) or "shop",
                channel=channel,
                proof=f"{account.public_id} {key(said['id'])}",
                text=text(one.get("text"), 2000),
                source=account.public_id,
            )


def _noted(value: Any) -> list[Json]:
    """One answer, or one for each channel."""
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]


def _moment(one: Json) -> datetime:
    at = datetime.fromisoformat(text(one["at"]))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
