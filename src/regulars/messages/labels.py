"""States and reasons of messages, in words."""

from regulars.foundation.pages.lists import Pill

LABELS: dict[str, str] = {
    "sent": "sent",
    "planned": "planned",
    "sending": "being sent",
    "held": "held back",
    "skipped": "not sent",
    "failed": "failed",
    "unknown": "in doubt",
}
TONES: dict[str, str] = {
    "sent": "green",
    "held": "amber",
    "failed": "red",
    "unknown": "amber",
    "sending": "accent",
    "planned": "accent",
}
REASONS: dict[str, str] = {
    "consent": "said yes",
    "transactional": "about an order",
    "no-consent": "never said yes",
    "denied": "said no",
    "suppressed": "address suppressed",
    "do-not-contact": "do not contact",
    "no-address": "no mail address",
    "expired": "too late to be of use",
    "cap": "got enough lately",
    "not-allowed": "not on the list of recipients",
    "sending-off": "sending is off",
    "workflow-off": "the workflow is off",
    "cool-off": "cooling off",
    "demo": "demo",
    "cannot-render": "template cannot be rendered",
    "cannot-prepare": "could not be prepared",
    "refused": "refused by the mail server",
    "later": "given up after many attempts",
    "crash": "process ended while sending",
    "unknown": "connection broke while sending",
    "erased": "person was erased",
}


def state_pill(state: str, href: str = "") -> Pill:
    return Pill(LABELS.get(state, state).capitalize(), TONES.get(state, "grey"), href)


def reason_in_words(code: str) -> str:
    return REASONS.get(code, code)
