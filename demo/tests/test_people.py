"""The made people: believable, the same again, and nobody who could be reached."""

from collections import Counter
from datetime import datetime

import pytest

from demo.goods import category_of, make_goods
from demo.people import COUNTRIES, Person, make_people
from demo.source import Article, Shopper
from demo.tests import ledgers

pytestmark = ledgers.of_the_ledger


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return make_people(ledgers.whole().shoppers())


def test_no_address_can_be_delivered_to(people: list[Person]) -> None:
    assert all(p.email.isascii() and p.email.endswith(".example") for p in people)
    assert len({p.email for p in people}) == len(people) == 4_372


def test_most_have_consented_some_have_refused_and_of_some_nothing_is_known(people: list[Person]) -> None:
    shares = {state: count / len(people) for state, count in Counter(p.consent for p in people).items()}

    assert 0.70 < shares["granted"] < 0.80
    assert 0.05 < shares["denied"] < 0.12
    assert 0.12 < shares[""] < 0.22
    assert all(p.consent_method and p.consent_at >= p.first_at for p in people if p.consent)


def test_names_fit_the_country(people: list[Person]) -> None:
    of = {country: [p for p in people if p.country == country] for country in ("GR", "BH", "DE", "GB")}

    assert all("\u0370" <= p.first_name[0] <= "\u1fff" for p in of["GR"])
    assert all("\u0600" <= p.first_name[0] <= "\u06ff" for p in of["BH"])
    assert any("ü" in p.last_name for p in of["DE"])
    assert len({(p.first_name, p.last_name) for p in of["GB"]}) > 3_000


def test_every_country_of_the_ledger_has_a_pool() -> None:
    at = datetime(2011, 1, 1)  # noqa: DTZ001  the ledger's own time
    names = [*COUNTRIES, "Unspecified", "European Community"]
    made = make_people([Shopper(str(n), name, at, at) for n, name in enumerate(names)])

    assert len(made) == len(names) == 38
    assert all(p.first_name and p.last_name and p.city for p in made)


def test_a_person_follows_from_the_seed_and_the_number_alone(people: list[Person]) -> None:
    by_number = {p.number: p for p in people}
    part = make_people(ledgers.part().shoppers())

    assert part
    assert all(by_number[p.number].last_name == p.last_name and by_number[p.number].consent == p.consent for p in part)
    assert make_people(ledgers.part().shoppers()) == part


def test_services_are_not_goods() -> None:
    goods = make_goods(
        [Article("POST", "POSTAGE", "18.00", 5), Article("22423", "REGENCY CAKESTAND 3 TIER", "12.75", 100)]
    )

    assert [g.code for g in goods] == ["22423"]
    assert category_of(goods[0].title) == "Kitchen > Baking"
    assert 0 < goods[0].cost < 12
