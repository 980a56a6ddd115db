"""Whoever was erased after something was fetched is not brought in by it again: it waited in the inbox, and is of before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from regulars.connections.base.platforms import Statements
from regulars.foundation.vault import keys
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind

Spoken = TypeVar("Spoken")


def drop_erased(said: Statements, received_at: datetime, forgotten: Mapping[bytes, datetime]) -> bool:
    """Leaves out what is said of somebody who was erased after this came; whether there was any. What the shop still says of an order
    comes again with the next look."""
    gone = _Gone(received_at, forgotten)
    before = _size(said)
    said.people = [one for one in said.people if not gone.holds(one)]
    said.orders = [one for one in said.orders if not gone.holds(one.person)]
    said.refunds = [one for one in said.refunds if not gone.holds(one.person)]
    said.carts = [one for one in said.carts if not gone.holds(one.person)]
    said.consents = [one for one in said.consents if not gone.is_address(one.address)]
    return _size(said) < before


def _size(said: Statements) -> int:
    parts: Sequence[Sequence[object]] = (said.people, said.orders, said.refunds, said.carts, said.consents)
    return sum(map(len, parts))


class _Gone:
    def __init__(self, received_at: datetime, forgotten: Mapping[bytes, datetime]) -> None:
        self._ring, self._received_at, self._forgotten = keys.key_ring(), received_at, forgotten

    def holds(self, person: PersonInput | None) -> bool:
        return person is not None and any(map(self._is_gone, person.identities))

    def is_address(self, text: str) -> bool:
        return self._is_gone(IdentityInput(IdentityKind.EMAIL if "@" in text else IdentityKind.PHONE, text))

    def _is_gone(self, identity: IdentityInput) -> bool:
        known = canonical(identity)
        at = self._forgotten.get(identity_token(self._ring, known)) if known else None
        return at is not None and self._received_at <= at
