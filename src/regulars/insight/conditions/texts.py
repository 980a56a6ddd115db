"""Text as every engine reads it alike: letters without case, and the regular expressions that all of them have. Pure.

Checked against DuckDB, PostgreSQL and ClickHouse by tests/test_texts.py; docs/conditions.md says the rules in words.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import pyarrow as pa
import pyarrow.compute as pc

_MOST_REPEATS = 100
_DEEPEST = 20  # groups
_MOST_COST = 1000  # RE2's own limit for repeats of repeats
_SPECIAL = frozenset(".^$*+?()[]{}|\\")
_KINDS = {"d": "0-9", "w": "0-9A-Za-z_", "s": " \t\n\r\f\v"}


def fold(text: str) -> str:
    """Every letter by its simple lower case, one code point for one; both small sigmas are one, since engines lower the last of a word
    differently.
    """
    return "".join(_fold_letter(letter) for letter in text)


@cache
def _fold_letter(letter: str) -> str:
    return letter.lower()[0].replace("ς", "σ")


class UncommonExpression(Exception):
    """A regular expression that engines read differently, or not at all. The text is a sentence for who wrote it."""


@dataclass(frozen=True)
class Expression:
    """A regular expression of the common kind. ``common`` is written so that RE2 and PostgreSQL read it alike."""

    common: str

    def found_in(self, text: str) -> bool:
        """By Arrow's RE2, whose time grows with the text: Python's own may go back and forth without end over what a stranger typed."""
        return bool(pc.match_substring_regex(pa.scalar(text), self.common).as_py())


@lru_cache(1000)
def read_expression(pattern: str) -> Expression:
    """Raises UncommonExpression."""
    return Expression(_Reader(pattern).read())


def expression_problem(pattern: str) -> str:
    """Why not every engine reads this regular expression alike, as a sentence; '' where all do."""
    try:
        read_expression(pattern)
    except UncommonExpression as problem:
        return str(problem)
    return ""


class _Reader:
    """Reads an expression and writes it anew without anything that needs an engine's own opinion. Cost is how many characters it expects,
    repeats counted.
    """

    def __init__(self, pattern: str) -> None:
        self._rest = list(reversed(pattern))
        self._depth = 0

    def read(self) -> str:
        text, cost = self._branches()
        if self._rest:
            raise UncommonExpression("a ')' closes nothing; write \\) for the character.")
        if cost > _MOST_COST:
            raise UncommonExpression("its repetitions are too many.")
        return text

    def _peek(self) -> str:
        return self._rest[-1] if self._rest else ""

    def _take(self, what: str = "") -> str:
        if not self._rest:
            raise UncommonExpression(f"it ends where {what or 'more'} is expected.")
        return self._rest.pop()

    def _branches(self) -> tuple[str, int]:
        branches = [self._branch()]
        while self._peek() == "|":
            self._take()
            branches.append(self._branch())
        return "|".join(text for text, _ in branches), sum(cost for _, cost in branches)

    def _branch(self) -> tuple[str, int]:
        pieces = []
        while self._peek() not in ("", "|", ")"):
            pieces.append(self._piece())
        if not pieces:
            raise UncommonExpression("a part of it is empty.")
        return "".join(text for text, _ in pieces), sum(cost for _, cost in pieces)

    def _piece(self) -> tuple[str, int]:
        first = self._take()
        if first in "^$":
            if self._depth or (self._peek() and self._peek() in "*+?{"):
                raise UncommonExpression(f"'{first}' is not repeated and stands outside of groups.")
            return first, 0
        text, cost = self._atom(first)
        repeat, times = self._repeat()
        if repeat and not text.isascii() and len(text) == 1:
            text = f"[{text}]"  # ClickHouse looks for a character's bytes one by one before it asks RE2
        return text + repeat, cost * times

    def _atom(self, first: str) -> tuple[str, int]:
        match first:
            case ".":
                return "[^\n]", 1
            case "(":
                return self._group()
            case "[":
                return self._characters(), 1
            case "\\":
                kind = self._take("a character after '\\'")
                if kind.lower() in _KINDS:
                    return f"[{'^' if kind.isupper() else ''}{_KINDS[kind.lower()]}]", 1
                return _literal(_escaped(kind)), 1
            case "*" | "+" | "?" | "{" | "}" | "]":
                raise UncommonExpression(f"write \\{first} for the character '{first}'; it repeats nothing here.")
            case _:
                return first, 1

    def _group(self) -> tuple[str, int]:
        if self._peek() == "?":
            self._take()
            if self._take("':'") != ":":
                raise UncommonExpression("of groups that begin with '(?' only '(?:' is common to all engines.")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UncommonExpression(f"its groups are nested deeper than {_DEEPEST}.")
        text, cost = self._branches()
        self._depth -= 1
        self._take("')'")
        return f"(?:{text})", cost

    def _repeat(self) -> tuple[str, int]:
        sign = self._peek()
        if not sign or sign not in "*+?{":
            return "", 1
        text, times = self._take(), 1
        if sign == "{":
            text, times = self._bounds()
        if self._peek() and self._peek() in "*+?{":
            raise UncommonExpression("two repetitions follow each other.")
        return text, times

    def _bounds(self) -> tuple[str, int]:
        inside = ""
        while self._peek() not in ("", "}"):
            inside += self._take()
        self._take("'}'")
        found = re.fullmatch(r"([0-9]{1,3})(?:(,)([0-9]{1,3})?)?", inside)
        if not found:
            raise UncommonExpression("a repetition is {2}, {2,} or {2,5}; write \\{ for the character.")
        low, high = int(found[1]), int(found[3] or found[1])
        if not low <= high <= _MOST_REPEATS or high == 0:
            raise UncommonExpression(f"a repetition counts from few to many, up to {_MOST_REPEATS}.")
        return "{" + inside + "}", high

    def _characters(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self._take()
        inside = ""
        while (letter := self._take("']'")) != "]":
            inside += self._kind_or_range(letter)
        if not inside:
            raise UncommonExpression("brackets hold at least one character.")
        return f"[{'^' if negated else ''}{inside}]"

    def _kind_or_range(self, first: str) -> str:
        if first == "\\" and self._peek() in _KINDS:
            return _KINDS[self._take()]
        low = self._one(first)
        if self._peek() != "-" or self._rest[-2:-1] == ["]"]:
            return _in_brackets(low)
        self._take()
        high = self._one(self._take("the end of a range"))
        if low > high:
            raise UncommonExpression(f"the range {low}-{high} is the wrong way round.")
        return f"{_in_brackets(low)}-{_in_brackets(high)}"

    def _one(self, letter: str) -> str:
        if letter == "[":
            raise UncommonExpression("write \\[ for the character in brackets; classes such as [:alpha:] differ.")
        return _escaped(self._take("a character after '\\'")) if letter == "\\" else letter


def _escaped(letter: str) -> str:
    if letter.isalnum() or not letter.isascii() or not letter.isprintable():
        raise UncommonExpression(f"engines do not agree on '\\{letter}'; there are \\d, \\w, \\s and \\D, \\W, \\S.")
    return letter


def _literal(letter: str) -> str:
    return f"\\{letter}" if letter in _SPECIAL else letter


def _in_brackets(letter: str) -> str:
    return f"\\{letter}" if letter in "\\]^-[" else letter
