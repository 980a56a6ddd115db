"""Sequences: any choice of rows may make them; what is absent is absent between its neighbours, or until the end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from regulars.insight.conditions.tests.asking import NOW, is_in, someone, thing
from regulars.insight.conditions.windows import TICK

START = NOW - timedelta(days=10)


def rows(said: str) -> list[dict[str, Any]]:
    """``a0 b2``: a thing called a at the start, and one called b two hours later."""
    return [thing(START + timedelta(hours=float(word[1:])), word=word[0]) for word in said.split()]


def sequence(said: str, hours: int, **more: Any) -> dict[str, Any]:
    """``a !b c``: a, then not b, then c."""
    steps = [
        {"of": "things", "where": [{"field": "word", "op": "is", "value": word[-1]}], "absent": word[0] == "!"}
        for word in said.split()
    ]
    return {"sequence": steps, "within": {"hours": hours}} | more


@pytest.mark.parametrize(
    ("steps", "hours", "happened", "holds"),
    [
        ("a b", 5, "a0 b4", True),
        ("a b", 5, "b0 a4", False),
        ("a b", 5, "a0 b5", False),
        ("a b", 5, "a0 b0", False),
        ("a b", 5, "a0 a3 b6", True),
        ("a a", 5, "a0", False),
        ("a a", 5, "a0 a1", True),
        ("a b c", 5, "a0 b1 c2", True),
        ("a b c", 5, "a0 b3 c6", False),
        ("a b c", 5, "a0 a2 b3 c6", True),
        ("a !b c", 5, "a0 c2", True),
        ("a !b c", 5, "a0 b1 c2", False),
        ("a !b c", 5, "a0 b1 a2 c3", True),
        ("a !b c", 5, "a0 c1 b2 c3", True),
        ("a !b c", 5, "a0 b0 c2 b2", True),
        ("a !b !d c", 5, "a0 d1 c2", False),
        ("a !b c !d", 5, "a0 c1 d4", False),
        ("a !b c !d", 5, "a0 c1 d2 c3", True),
        ("a !b c !d", 5, "a0 c1 d5", True),
        ("a !b", 5, "a0", True),
        ("a !b", 5, "a0 b4", False),
        ("a !b", 5, "a0 b5", True),
        ("a !b", 5, "a0 b0", True),
        ("a !b", 5, "b-1 a0", True),
        ("a !b", 5, "a0 b1 a2", True),
        ("a !a", 5, "a0 a1", True),
        ("a !a c", 5, "a0 a1 c2", True),
        ("a !a c", 2, "a0 a1 c4", False),
    ],
)
def test_what_makes_a_sequence(steps: str, hours: int, happened: str, holds: bool) -> None:
    assert is_in(sequence(steps, hours), someone(things=rows(happened))) == holds


@pytest.mark.parametrize(("at", "holds"), [(NOW - timedelta(hours=5), True), (NOW - timedelta(hours=5) + TICK, False)])
def test_the_time_of_an_absent_end_must_have_passed(at: datetime, holds: bool) -> None:
    assert is_in(sequence("a !b", 5), someone(things=[thing(at, word="a")])) == holds


def test_only_rows_in_the_window_are_looked_at() -> None:
    day = START.date().isoformat()
    her = someone(things=rows("a0 b20"))
    assert is_in(sequence("a b", 48), her)
    assert not is_in(sequence("a b", 48, window={"last": {"days": 1}}), her)
    after = (START + timedelta(hours=10)).isoformat()
    assert is_in(sequence("a !b", 48, window={"before": after}), her)
    assert not is_in(sequence("a !b", 48, window={"after": day}), her)


def test_a_long_search_in_vain_ends() -> None:
    """Of 40 rows there are four million choices of six; none of them leads to the last step."""
    her = someone(things=rows(" ".join(f"a{place}" for place in range(40))))
    assert not is_in(sequence("a a a a a a b", 100), her)
    assert is_in(sequence("a a a a a a !b a", 100), her)
