"""What every source of people hands in, whatever its own format: parsed and typed at the edge."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.models import IdentityKind, Trust


@dataclass(frozen=True)
class IdentityInput:
    """One identifier. ``scope`` is the store's code for a store's own numbers and '' for mail and phone, which mean the same everywhere."""

    kind: IdentityKind
    value: str
    scope: str = ""

    def __hash__(self) -> int:
        return hash(self.value)  # a text remembers its own; thousands of these are looked up a second


@dataclass(frozen=True)
class PersonInput:
    """What a source knows of one person. ``identities`` is not empty; the first one names the profile."""

    identities: tuple[IdentityInput, ...]
    occurred_at: datetime
    store_id: int | None = None
    trust: Trust = Trust.CONFIRMED
    evidence: str = "import"
    contact: ContactCard | None = None  # None: nothing said; empty fields are 'not said', they erase nothing
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    note: str = ""
