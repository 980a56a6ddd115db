"""The ledger, read once in a process: it takes two seconds."""

from functools import cache

from demo.source import Ledger


@cache
def whole() -> Ledger:
    return Ledger.read()


@cache
def part() -> Ledger:
    return Ledger.read(3_000)
