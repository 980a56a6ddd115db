"""What is written as a whole is read back as it was."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DataError

from regulars.foundation.bulk import fetch

_WORDS = [
    "",
    "NULL",
    "null",
    "plain",
    'a "b"',
    "back\\slash",
    "\\",
    "{x,y}",
    " spaced ",
    "tab\t\nline",
    "é\u2003\U0001f600",
    "''",
    "$1%s",
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("type_name", "items"),
    [
        ("bigint", [0, -1, 2**62, -(2**63)]),
        ("numeric", [10**30, -5]),
        ("text", _WORDS),
        ("text", ["one"]),
        ("bytea", [b"", b"\x00\\\"'", bytes(range(256))]),
        ("boolean", [True, False]),
        ("bigint", [1, None, 3]),
        ("text", [None, "x,y"]),
        ("bytea", [None, b"x", None]),
        ("timestamptz", [datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]),
        ("timestamptz", [None, datetime(2026, 11, 1, 12, tzinfo=timezone(timedelta(hours=-3)))]),
        ("int", []),
        ("text", []),
    ],
)
def test_a_list_comes_back_as_it_went(type_name: str, items: list[Any]) -> None:
    [(found, count)] = fetch(f"SELECT x, cardinality(x) FROM (SELECT %s::{type_name}[] AS x) AS said", [items])
    assert found == items
    assert count == len(items)


@pytest.mark.django_db
@pytest.mark.parametrize("items", [["a\0b"], ["\0", ""], ["", "\0"]])
def test_text_with_nul_is_refused(items: list[str]) -> None:
    with pytest.raises(DataError, match="NUL"):
        fetch("SELECT %s::text[]", [items])
