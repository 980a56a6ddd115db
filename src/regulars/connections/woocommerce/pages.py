"""Walking through a list of the shop without leaving anything out while it goes on selling.

WooCommerce cannot be asked for what comes after a key. So lists are asked for by rising number and by how many there were before, with an
overlap: what is new comes at the end, what is deleted moves the rest forward, and a page is taken only when it begins at or before the
last one that was read. Otherwise more than the overlap went away meanwhile, and the walk steps back until it knows where it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.connections.base.client import Unreachable
from regulars.connections.base.platforms import Account
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.calls import Answer

SIZE = 100  # the most that WooCommerce gives at once
OVERLAP = 10


@dataclass(frozen=True)
class Cursor:
    """``offset`` from which to ask, ``last`` the highest number that was read."""

    offset: int = 0
    last: int = 0

    @classmethod
    def read(cls, text: str) -> "Cursor":
        offset, _, last = text.partition(":")
        return cls(int(offset), int(last)) if text else cls()

    def __str__(self) -> str:
        return f"{self.offset}:{self.last}"


@dataclass(frozen=True)
class Stretch:
    """One page, the numbers in it that were on none before, and the cursor that leads on ('' at the end)."""

    answer: Answer
    fresh: frozenset[int]
    cursor: str


def walk(account: Account, path: str, cursor: str, query: Mapping[str, object], size: int = SIZE) -> Stretch:
    """The next page of a list, by rising number."""
    at = Cursor.read(cursor)
    offset, answer = _joined(at, size, lambda offset: _ask(account, path, query, offset, size))
    numbers = numbers_of(answer)
    is_end = offset + size >= answer.total if answer.total is not None else len(things_of(answer)) < size
    onward = "" if is_end else str(Cursor(offset + size - OVERLAP, max([at.last, *numbers])))
    return Stretch(answer, frozenset(number for number in numbers if number > at.last), onward)


def _ask(account: Account, path: str, query: Mapping[str, object], offset: int, size: int) -> Answer:
    asked = {**query, "orderby": "id", "order": "asc", "per_page": size}
    return calls.get(account, path, {**asked, "offset": offset} if offset else asked)


def _joined(at: Cursor, size: int, ask: Callable[[int], Answer]) -> tuple[int, Answer]:
    """The first page that tells something new and has no gap before it, and where it begins; where there is none, the one asked for.

    The shop leaves out what it cannot load, so a page may also be short, empty, or begin later than it should.
    """
    offset, tried = at.offset, []
    while True:
        answer = ask(offset)
        tried.append((offset, answer))
        numbers = numbers_of(answer)
        if offset == 0 or (numbers and min(numbers) <= at.last):
            break
        offset = max(offset - size + OVERLAP, 0)
    new = (one for one in reversed(tried) if any(number > at.last for number in numbers_of(one[1])))
    return next(new, tried[0])


def everything(account: Account, path: str) -> Iterator[Answer]:
    """All pages of a short list that belongs to one thing."""
    cursor = ""
    while True:
        stretch = walk(account, path, cursor, {})
        yield stretch.answer
        if not stretch.cursor:
            return
        cursor = stretch.cursor


def things_of(answer: Answer) -> list[Any]:
    if not isinstance(answer.said, list):
        raise Unreachable("The shop's answer is not a list.")
    return answer.said


def numbers_of(answer: Answer) -> list[int]:
    """Of those that have one: a thing without is found unreadable later, alone."""
    return [one["id"] for one in things_of(answer) if isinstance(one, dict) and isinstance(one.get("id"), int)]
