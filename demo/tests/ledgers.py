"""The ledger, read once, by one process of a run: it takes two seconds and some hundred megabytes."""

from functools import cache

import pytest

from demo.source import Ledger

of_the_ledger = pytest.mark.xdist_group("ledger")


@cache
def whole() -> Ledger:
    return Ledger.read()


@cache
def part() -> Ledger:
    return Ledger.read(3_000)
