"""The bench's shop is what the product would have made of the same facts."""

from datetime import UTC, datetime

import pytest

from bench.crowd import fill
from regulars.record.customers.operations.cards import verify_cards
from regulars.record.customers.queries import read_cards
from regulars.record.orders.models import CustomerFigures
from regulars.record.orders.operations import verify_figures

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_what_is_cached_is_what_the_facts_come_to() -> None:
    crowd = fill(60, 7, AT)

    assert crowd.orders == 60 * 2 + 2_000
    assert (verify_cards(), verify_figures()) == ([], [])
    assert CustomerFigures.objects.get(customer=1).order_count > 1_900
    assert all(card.email for card in read_cards(range(1, 61)).values())
