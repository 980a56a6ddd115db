"""Whether a text speaks of a person, however a file spells their identifiers. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SIGNS = str.maketrans("", "", " -./()\u00a0")
_NATIONAL = 9  # so many digits at its end tell a phone number apart, with its country code or without
_SHORTEST = 3


@dataclass(frozen=True)
class Person:
    """Identifiers and names of one person, folded."""

    addresses: frozenset[str]
    phones: frozenset[str]  # their last digits
    numbers: frozenset[str]  # customer numbers and the like
    names: tuple[tuple[str, str], ...]  # first and last

    @classmethod
    def of(cls, identities: Iterable[str], names: Iterable[tuple[str, str]]) -> "Person":
        """``identities`` in canonical form: addresses, E.164 numbers, numbers of a store."""
        values = {value.casefold() for value in identities if value}
        phones = {value for value in values if re.fullmatch(r"\+\d{8,15}", value)}
        addresses = {value for value in values if "@" in value}
        told = {(first.casefold().strip(), last.casefold().strip()) for first, last in names}
        return cls(
            frozenset(addresses),
            frozenset(phone[-_NATIONAL:] for phone in phones),
            frozenset(values - phones - addresses),
            tuple(sorted(pair for pair in told if all(pair))),
        )

    def is_in_cells(self, cells: Sequence[str]) -> bool:
        """Whether a row speaks of the person; a number does where it is a whole cell."""
        whole = {cell.strip().removeprefix("'").casefold() for cell in cells}
        numbers = {number for number in self.numbers if len(number) >= _SHORTEST}
        return not numbers.isdisjoint(whole) or self._is_named("\n".join(cells).casefold())

    def is_in_text(self, text: str) -> bool:
        """Whether a piece of a file speaks of the person; in doubt it does."""
        folded = text.casefold()
        return self._is_named(folded) or any(
            number in folded and re.search(rf"(?<!\w){re.escape(number)}(?!\w)", folded) for number in self.numbers
        )

    def _is_named(self, folded: str) -> bool:
        if any(address in folded for address in self.addresses):
            return True
        digits = folded.translate(_SIGNS) if self.phones else ""
        return any(phone in digits for phone in self.phones) or any(
            first in folded and last in folded and _stand_together(folded, first, last) for first, last in self.names
        )


def _stand_together(folded: str, first: str, last: str) -> bool:
    one, other = re.escape(first), re.escape(last)
    return re.search(rf"\b(?:{one}\W{{1,6}}{other}|{other}\W{{1,6}}{one})\b", folded) is not None
