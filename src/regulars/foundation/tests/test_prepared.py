"""Statements that are planned once, on a connection that others use too."""

import pytest
from django.db import connection

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.prepared import run, texts
from regulars.foundation.shop.models import Setting

_ADD = "INSERT INTO shop_setting (name, value, changed_at) SELECT name, '1', now() FROM unnest(%(names)b::text[]) AS w(name)"


def add(*names: str) -> int:
    return run(_ADD, {"names": texts(names)})


@pytest.mark.django_db
def test_only_it_is_prepared_and_no_other_statement_stays_in_memory() -> None:
    assert add("a", "b") + add("c") == 3
    fetch("SELECT %s", ["somebody's name"])
    [(statement, runs)] = fetch("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements", [])
    assert (statement.partition(" (")[0], runs) == ("INSERT INTO shop_setting", 2)
    assert not connection.connection._prepared._counts


@pytest.mark.django_db(transaction=True)
def test_what_a_pooler_forgot_is_sent_whole() -> None:
    add("a")
    execute("DEALLOCATE ALL", [])
    assert add("b", "c") == 2
    assert sorted(Setting.objects.filter(name__in="abc").values_list("name", flat=True)) == ["a", "b", "c"]
