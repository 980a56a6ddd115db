"""Payment card numbers must never be stored: free text from outside is masked first (PCI DSS 3.4.1 and 3.5.1)."""

import re

_SHORTEST = 13  # digits of a number
# Looks for a digit first and behind it second: three times as quick where there is none.
_CANDIDATE = re.compile(r"\d(?<!\d\d)(?:[ -]?\d){12,18}(?!\d)")


_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")


def may_hold_card_numbers(text: bytes) -> bool:
    """False where no part of a text (UTF-8) can be one: a quick look that saves a close one at each of its parts."""
    return not text.isascii() or b"0" * _SHORTEST in text.translate(_DIGITS, b" -")  # other scripts have digits too


def mask_card_numbers(text: str) -> str:
    """The text with every number of 13 to 19 digits that passes Luhn's check (ISO/IEC 7812-1) masked but for its last four."""
    return _CANDIDATE.sub(_masked, text) if len(text) >= _SHORTEST else text


def _masked(match: re.Match[str]) -> str:
    digits = [int(letter) for letter in match[0] if letter.isdigit()]
    return f"[card …{match[0][-4:]}]" if is_luhn_valid(digits) else match[0]


def is_luhn_valid(digits: list[int]) -> bool:
    """Luhn's check: every second digit from the right doubled, its digits added, the sum divisible by ten."""
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
