"""Events that messages append."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_FIELDS = {"template": "key of the template", "channel": "email", "reason": "code of why"}
SENT = register("message.sent", "A message was handed over and accepted", "message", **_FIELDS)
SKIPPED = register("message.skipped", "A message was not sent", "message", **_FIELDS)
FAILED = register("message.failed", "A message was refused for good", "message", **_FIELDS)
UNKNOWN = register(
    "message.unknown", "Whether a message was accepted is not known; it is not sent again", "message", **_FIELDS
)
HELD = register("message.held", "A message is held back until sending is allowed", "message", **_FIELDS)
BY_STATE = {"sent": SENT, "skipped": SKIPPED, "failed": FAILED, "unknown": UNKNOWN, "held": HELD}


def message_decided(
    state: str, message_id: int, customer_id: int, profile_id: int, template: str, reason: str, at: datetime
) -> Entry:
    """``state`` is the state that the message came to."""
    data = {"template": template, "channel": "email", "reason": reason}
    return Entry(BY_STATE[state], at, profile_id, customer_id, message_id, data)
