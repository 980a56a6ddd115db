"""One call on its way from the inbox to the record."""

from dataclasses import dataclass

from regulars.connections.tracking.people import Name
from regulars.connections.tracking.protocol import Call
from regulars.connections.tracking.spec import EventSpec, Typed
from regulars.foundation.inbox.parsers import RawInput


@dataclass(slots=True)
class Told:
    """A call with what becomes of it; profile and customer are known once everybody of its batch is."""

    call: Call
    item: RawInput
    spec: EventSpec | None
    typed: Typed
    name: Name
    key: bytes  # of its messageId: what has it already is not recorded again
    profile: int = 0
    customer: int = 0

    @property
    def name_in_spec(self) -> str:
        return self.spec.name if self.spec else ""
