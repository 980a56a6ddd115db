"""What every source of consent hands in."""

from dataclasses import dataclass
from datetime import datetime

from regulars.record.consent.models import Channel, ConsentState


@dataclass(frozen=True)
class ConsentInput:
    """One statement about one address. ``address`` is the mail address or E.164 number in clear; it is stored as a blind index."""

    address: str
    state: ConsentState
    occurred_at: datetime
    method: str
    channel: Channel = Channel.EMAIL
    topic: str = "marketing"
    proof: str = ""


@dataclass(frozen=True)
class SuppressionInput:
    """An address that nothing may be sent to (or may again, with ``is_on`` False)."""

    address: str
    reason: str
    occurred_at: datetime
    channel: Channel = Channel.EMAIL
    is_on: bool = True
