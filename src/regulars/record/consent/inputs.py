"""What every source of consent hands in."""

from dataclasses import dataclass
from datetime import datetime

from regulars.record.consent.models import Channel, ConsentState


@dataclass(frozen=True)
class ConsentInput:
    """One statement about one address. ``address`` is the mail address or E.164 number in clear; it is stored as a blind index.

    ``occurred_at`` is when the person said it (Shopify's ``consent_updated_at``): the newest word stands, whatever the order of
    arrival. ``state`` UNKNOWN for what proves nothing ('pending'). ``method`` says how (checkout, form, double opt-in), ``proof``
    everything else that is known (opt-in level, collected from, the computer's address), sealed; ``text`` are the words agreed to, kept
    as a hash. ``source`` names the connection that says it (its own stable name), so that what came from there is not told to it.
    """

    address: str
    state: ConsentState
    occurred_at: datetime
    method: str
    channel: Channel = Channel.EMAIL
    topic: str = "marketing"
    proof: str = ""
    text: str = ""
    source: str = ""


@dataclass(frozen=True)
class SuppressionInput:
    """An address that nothing may be sent to (or may again, with ``is_on`` False)."""

    address: str
    reason: str
    occurred_at: datetime
    channel: Channel = Channel.EMAIL
    is_on: bool = True
