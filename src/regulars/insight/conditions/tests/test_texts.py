"""Letters without case and regular expressions: what engines do with them is what Python does."""

import re
from collections.abc import Callable, Sequence
from time import monotonic

import pytest
from django.db import connection

from regulars.insight.conditions.texts import expression_problem, fold, read_expression
from regulars.insight.warehouse import clickhouse, engine

# Capital letters that came after Unicode 14, of which engines know some.
_YOUNG = {
    0x1C89,
    0xA7CB,
    0xA7CC,
    0xA7CE,
    0xA7D2,
    0xA7D4,
    0xA7DA,
    0xA7DC,
    *range(0x10D50, 0x10D66),
    *range(0x16EA0, 0x16EB9),
}
_CAPITALS = [letter for letter in map(chr, range(0x20000)) if letter.lower() != letter and ord(letter) not in _YOUNG]
_TEXTS = [
    "", "a", "b", "ab", "a\nb", "b\n", "é", "éé", "ß1", "0_9", "a-b", "a]b", "a\\b", "^a$", "x\ty", "😀", "a😀b", "αβ", "a.b", "A", "\u00a0",
]  # fmt: skip
_COMMON = [
    "a", "^a", "b$", "^$", "a.b", ".", "^.$", r"\.", r"\d", r"\w", r"\s", r"\D", r"\W", r"^\S+$", "[ab]{2}", "[^a]", "^[^b]*$",
    r"[\]\\]", "[α-ω]+", "é?", "é{2}", "^😀*$", "^(a|é)+$", "(?:ab|ß)", "a-b", "[a-]b", r"[\w.]b", r"\^", "[$^]", "x|y|😀", "^a*b?$", "a{1,2}b",
]  # fmt: skip
_REFUSED = {
    "": "a part of it is empty.",
    "a|": "a part of it is empty.",
    "()": "a part of it is empty.",
    "(a": "it ends where ')' is expected.",
    "a)": "a ')' closes nothing; write \\) for the character.",
    "[a": "it ends where ']' is expected.",
    "[]": "brackets hold at least one character.",
    "[b-a]": "the range b-a is the wrong way round.",
    "[[:alpha:]]": "write \\[ for the character in brackets; classes such as [:alpha:] differ.",
    "*a": "write \\* for the character '*'; it repeats nothing here.",
    "a]": "write \\] for the character ']'; it repeats nothing here.",
    "a**": "two repetitions follow each other.",
    "a+?": "two repetitions follow each other.",
    "a{,2}": "a repetition is {2}, {2,} or {2,5}; write \\{ for the character.",
    "a{3,2}": "a repetition counts from few to many, up to 100.",
    "a{101}": "a repetition counts from few to many, up to 100.",
    "((a{100}){100}){9}": "its repetitions are too many.",
    "(?i)a": "of groups that begin with '(?' only '(?:' is common to all engines.",
    "(?=a)": "of groups that begin with '(?' only '(?:' is common to all engines.",
    "(^a)": "'^' is not repeated and stands outside of groups.",
    "^*": "'^' is not repeated and stands outside of groups.",
    r"\b": "engines do not agree on '\\b'; there are \\d, \\w, \\s and \\D, \\W, \\S.",
    r"(a)\1": "engines do not agree on '\\1'; there are \\d, \\w, \\s and \\D, \\W, \\S.",
    "\\": "it ends where a character after '\\' is expected.",
    "(" * 400 + "a" + ")" * 400: "its groups are nested deeper than 20.",
}


@pytest.mark.parametrize(("pattern", "sentence"), _REFUSED.items())
def test_what_engines_read_differently_is_refused(pattern: str, sentence: str) -> None:
    assert expression_problem(pattern) == sentence


def test_what_is_common_is_written_out() -> None:
    assert read_expression(r"^(a.|\W)é*[\d-]$").common == "^(?:a[^\n]|[^0-9A-Za-z_])[é]*[0-9\\-]$"
    assert all(expression_problem(pattern) == "" for pattern in _COMMON)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _clickhouse(expression: str, values: Sequence[str]) -> list[str]:
    sql = f"SELECT toString({expression}) AS y FROM (SELECT arrayJoin({{texts:Array(String)}}) AS x)"
    return [str(value) for value in clickhouse.run(sql, {"texts": list(values)}).column("y").to_pylist()]


def _postgres(expression: str, values: Sequence[str]) -> list[str]:
    sql = f"SELECT ({expression})::text FROM unnest(%s::text[]) WITH ORDINALITY AS u(x, n) ORDER BY n"
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(values)])
        return [row[0] for row in cursor.fetchall()]


def _duckdb(expression: str, values: Sequence[str]) -> list[str]:
    """Rows come in any order from this connection."""
    sql = f"SELECT n, ({expression})::text AS y FROM (SELECT unnest($texts) AS x, generate_subscripts($texts, 1) AS n)"
    found = {row["n"]: row["y"] for row in engine.run(sql, {"texts": list(values)}).to_pylist()}
    return [found[place] for place in sorted(found)]


_FOLDED: dict[Callable[[str, Sequence[str]], list[str]], str] = {
    _duckdb: "replace(lower(x), 'ς', 'σ')",
    _postgres: "replace(lower(x), 'ς', 'σ')",
    _clickhouse: "replaceAll(lowerUTF8(replaceAll(x, 'İ', 'i')), 'ς', 'σ')",
}


@pytest.mark.django_db
@pytest.mark.parametrize("ask", _FOLDED)
def test_every_letter_is_folded_alike(ask: Callable[[str, Sequence[str]], list[str]]) -> None:
    texts = [*_CAPITALS, "ΟΔΟΣ ΣΑΣ", "İIıi", "".join(_CAPITALS)]
    assert ask(_FOLDED[ask], texts) == [fold(text) for text in texts]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ask", "call"),
    [(_duckdb, "regexp_matches(x, {})"), (_postgres, "x ~ {}"), (_clickhouse, "match(x, {})")],
)
def test_every_expression_finds_the_same(ask: Callable[[str, Sequence[str]], list[str]], call: str) -> None:
    expressions = [read_expression(pattern) for pattern in _COMMON]
    write = _quoted if ask is _clickhouse else "'{}'".format
    calls = [f"CASE WHEN {call.format(write(one.common))} THEN '1' ELSE '0' END" for one in expressions]
    found = ask(" || ".join(calls), _TEXTS)
    assert found == ["".join(str(int(_in_python(one.common, text))) for one in expressions) for text in _TEXTS]
    assert all(one.found_in(text) == _in_python(one.common, text) for one in expressions for text in _TEXTS)


def _in_python(expression: str, text: str) -> bool:
    """By Python's own reading, whose '$' stands before a last line break too."""
    return re.search(re.sub(r"\$\Z", r"\\Z", expression), text) is not None


def test_no_text_takes_an_expression_long() -> None:
    begun = monotonic()
    assert not read_expression("^(?:a+)+b$").found_in("a" * 20_000)
    assert monotonic() - begun < 2


def test_expressions_that_were_read_are_not_kept_for_ever() -> None:
    assert read_expression.cache_info().maxsize
