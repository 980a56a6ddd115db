"""What a new property of the shop's own seems to hold, for the person who classes it."""

import re

_LOOKS = (
    ("date", re.compile(r"\d{4}-\d\d-\d\d.*")),
    ("mail address", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("phone number", re.compile(r"\+?[\d ()/.-]{7,20}")),
    ("number", re.compile(r"-?\d+([.,]\d+)?")),
    ("code", re.compile(r"[A-Za-z0-9_-]{1,20}")),
)
_CALM_NAMES = frozenset(
    {"size", "colour", "color", "plan", "tier", "source", "channel", "language", "currency", "score", "category"}
)


def guess_look(name: str, value: object) -> str:
    """What a new property seems to hold, for the person who classes it: a hint, never a decision."""
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "number"
    text = str(value).strip()
    if name.lower().split("_")[-1] in _CALM_NAMES:
        return "code"
    if "birth" in name.lower():
        return "birthday"
    return next((look for look, pattern in _LOOKS if pattern.fullmatch(text)), "free text")
