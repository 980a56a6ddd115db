"""The same set of facts, links and decisions makes the same people, in whatever order it arrives."""

import random
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.record.customers.rules import (
    MOST_PROFILES,
    WIDEST,
    Case,
    Decision,
    Identity,
    People,
    Profile,
    Reason,
    components,
    guess_look,
    is_placeholder,
    is_placeholder_id,
    is_placeholder_number,
)
from regulars.record.customers.rules.names import may_be_one, words_of

AT = datetime(2026, 11, 1, tzinfo=UTC)
PROFILES = range(1, 8)
NAMES = [words_of(name) for name in ("", "Ann Lee", "A. Lee", "Bob Lee", "Ann Smith")]


def profile(number: int, **more: object) -> Profile:
    return Profile(number, (5, "", bytes([number]), 0), **more)  # type: ignore[arg-type]


def identity(number: int, *profiles: int, is_device: bool = False) -> Identity:
    return Identity(number, (int(is_device), "", bytes([number]), 0), frozenset(profiles), is_device)


sides = st.frozensets(st.sampled_from(PROFILES), min_size=1, max_size=3)
decisions = st.lists(
    st.builds(
        lambda day, one, others: Decision(AT + timedelta(days=day), one, others - one),
        st.integers(0, 3),
        sides,
        st.one_of(st.just(frozenset[int]()), sides),
    ),
    max_size=4,
)
known = st.tuples(
    *(
        st.builds(
            profile,
            st.just(number),
            store=st.sampled_from([1, 2, None]),
            is_visitor=st.booleans(),
            has_orders=st.booleans(),
            names=st.frozensets(st.sampled_from(NAMES), max_size=2),
        )
        for number in PROFILES
    )
)
identities = st.tuples(
    *(
        st.builds(
            lambda n, some: identity(n, *some, is_device=n > 104),
            st.just(number),
            st.frozensets(st.sampled_from(PROFILES), min_size=1, max_size=4),
        )
        for number in range(101, 108)
    )
)
few = st.integers(1, 4)


def renumbered(
    facts: Iterable[Profile], links: Iterable[Identity], said: Iterable[Decision], numbers: dict[int, int]
) -> tuple[list[Profile], list[Identity], list[Decision]]:
    """The same facts as they would be had everything arrived in another order: other numbers, the same keys."""

    def moved(some: Iterable[int]) -> frozenset[int]:
        return frozenset(numbers[one] for one in some)

    return (
        [replace(p, id=numbers[p.id]) for p in facts],
        [replace(i, id=numbers[i.id], profiles=moved(i.profiles)) for i in links],
        [Decision(d.at, moved(d.one), moved(d.others)) for d in said],
    )


@given(known, identities, decisions, few, st.randoms(use_true_random=False))
def test_order_numbers_and_repetition_do_not_matter(
    facts: Collection[Profile],
    links: Collection[Identity],
    said: Collection[Decision],
    most: int,
    dice: random.Random,
) -> None:
    before = components(facts, links, said, most)
    numbers = dict(zip([*PROFILES, *range(101, 108)], dice.sample(range(1000), 14), strict=True))
    moved, moved_links, moved_said = renumbered(facts, links, [*said, *said], numbers)
    for some in (moved, moved_links, moved_said):
        dice.shuffle(some)
    after = components(moved, moved_links, moved_said, most)
    assert {frozenset(numbers[p] for p in part) for part in before.parts} == set(after.parts)
    assert sorted(p for part in before.parts for p in part) == list(PROFILES)
    assert _waiting(before, numbers) == _waiting(after, {n: n for n in range(1000)})


def _waiting(people: People, numbers: dict[int, int]) -> set[tuple[frozenset[frozenset[int]], int, str]]:
    home = {p: frozenset(numbers[q] for q in part) for part in people.parts for p in part}
    return {(frozenset((home[c.low], home[c.high])), numbers[c.identity], c.reason) for c in people.cases}


@given(known, identities, decisions, few)
def test_who_has_nothing_to_do_with_others_does_not_change_them(
    facts: Collection[Profile], links: Collection[Identity], said: Collection[Decision], most: int
) -> None:
    """So that it is enough to look at those who are connected with what is new."""
    stranger = replace(profile(99), has_orders=True, names=frozenset(NAMES))
    alone, joined = components(facts, links, said, most), components([stranger, *facts], links, said, most)
    assert (joined.parts, joined.cases) == ([*alone.parts, frozenset({99})], alone.cases)


@given(known, identities, decisions, few)
def test_what_staff_said_last_holds_and_guards_let_nobody_through(
    facts: Collection[Profile], links: Collection[Identity], said: list[Decision], most: int
) -> None:
    last = Decision(AT + timedelta(days=9), frozenset({1, 2}), frozenset({3}))
    people = components(facts, links, [*said, last], most)
    home = {p: part for part in people.parts for p in part}
    assert home[3] not in (home[1], home[2])
    unsaid = components(facts, links, (), most)
    for part in unsaid.parts:
        buyers = [p.names for p in facts if p.id in part and p.has_orders and any(p.names)]
        assert all(any(may_be_one(x, y) for x in a for y in b if x and y) for a in buyers for b in buyers)
        for store in (1, 2, None):
            assert sum(p.id in part and p.store == store and not p.is_visitor for p in facts) <= most


def parts(people: People) -> list[set[int]]:
    return [set(part) for part in people.parts]


def test_two_with_orders_and_different_names_wait_for_staff() -> None:
    ann = profile(1, has_orders=True, names=frozenset({words_of("Ann Lee")}))
    bob = profile(2, has_orders=True, names=frozenset({words_of("Bob Lee")}))
    mail = identity(50, 1, 2)
    assert components([ann, bob], [mail]) == People([frozenset({1}), frozenset({2})], [Case(1, 2, 50, Reason.NAMES)])
    for other in (replace(bob, has_orders=False), replace(bob, names=frozenset()), replace(bob, names=ann.names)):
        assert components([ann, other], [mail]) == People([frozenset({1, 2})])
    assert parts(components([ann, bob], [mail], [Decision(AT, frozenset({1, 2}))])) == [{1, 2}]
    apart = components([ann, bob], [mail], [Decision(AT, frozenset({1}), frozenset({2}))])
    assert (parts(apart), apart.cases) == ([{1}, {2}], [])


def test_who_may_be_either_of_two_is_neither_until_staff_say_so() -> None:
    ann = profile(1, has_orders=True, names=frozenset({words_of("Ann Lee")}))
    bob = profile(2, has_orders=True, names=frozenset({words_of("Bob Lee")}))
    nameless, other_ann = profile(3), profile(4, names=frozenset({words_of("Lee, Ann")}))
    people = components([ann, bob, nameless, other_ann], [identity(50, 1, 2, 3, 4)])
    assert parts(people) == [{1, 4}, {2}, {3}]
    assert people.cases == [
        Case(1, 2, 50, Reason.NAMES),
        Case(1, 3, 50, Reason.EITHER),
        Case(2, 3, 50, Reason.EITHER),
    ]


def test_a_person_with_too_many_profiles_of_one_store_waits_and_stores_do_not_add_up() -> None:
    crowd = [profile(n, store=1) for n in range(1, 12)]
    half, rest = identity(50, *range(1, 7)), identity(51, *range(6, 12))
    people = components(crowd, [half, rest])
    assert [len(part) for part in people.parts] == [6, 1, 1, 1, 1, 1]
    assert {case.reason for case in people.cases} == {Reason.SIZE}
    spread = [replace(p, store=p.id % 3) for p in crowd]
    assert len(components(spread, [half, rest]).parts) == 1
    everywhere = [profile(n, store=n) for n in range(1, 40)]
    assert len(components(everywhere, [identity(50, *range(1, 40))]).parts) == 1  # one mail, known in 39 stores


def test_a_shared_identity_joins_nobody_and_asks_nobody() -> None:
    crowd = [profile(n, store=1) for n in range(MOST_PROFILES + 1)]
    people = components(crowd, [identity(50, *range(MOST_PROFILES + 1))])
    assert (len(people.parts), people.cases) == (MOST_PROFILES + 1, [])
    assert len(components(crowd, [identity(50, *range(MOST_PROFILES))]).parts) == 2
    many = [Profile(n, (5, "", n.to_bytes(2), 0), store=n) for n in range(WIDEST + 1)]
    assert len(components(many, [identity(50, *range(WIDEST + 1))]).parts) == WIDEST + 1


def test_visitors_of_many_devices_do_not_make_a_person_large() -> None:
    devices = [identity(100 + n, 1, n, is_device=True) for n in range(2, 40)]
    facts = [profile(1, store=1), *(profile(n, store=1, is_visitor=True) for n in range(2, 40))]
    assert len(components(facts, [identity(50, 1), *devices]).parts) == 1


def test_a_device_joins_who_used_it_alone_and_nobody_once_two_did() -> None:
    ann, bob, visitor = profile(1), profile(2), profile(3, is_visitor=True)
    one, two = identity(7, 1), identity(8, 2)

    def people(*links: Identity, said: Collection[Decision] = ()) -> list[set[int]]:
        return parts(components([ann, bob, visitor], links, said))

    both = identity(50, 1, 2, 3, is_device=True)
    assert people(one, two, identity(50, 1, 3, is_device=True)) == [{1, 3}, {2}]
    assert people(one, two, both) == [{1}, {2}, {3}]
    # a mail address that both confirmed, or staff, say that they are one: then it was one person's device after all
    assert people(one, two, both, identity(9, 1, 2)) == [{1, 2, 3}]
    assert people(one, two, both, said=[Decision(AT, frozenset({1, 2}))]) == [{1, 2, 3}]


def test_a_visitor_ties_two_devices_together_and_whoever_used_either_is_of_both() -> None:
    """An alias on a shared device must not lead from one person to the other."""
    facts = [profile(1), profile(2), profile(3, is_visitor=True)]
    first, second = identity(50, 1, 3, is_device=True), identity(51, 2, 3, is_device=True)
    assert parts(components(facts, [first, second])) == [{1}, {2}, {3}]
    assert parts(components(facts, [first, identity(51, 3, is_device=True)])) == [{1, 3}, {2}]


def test_a_visitor_who_left_an_address_is_somebody_and_is_not_who_signs_in_after_them() -> None:
    """Ann leaves her address on a device, which leads to her; Bob signs in on it."""
    ann, bob, visitor = profile(1), profile(2), profile(3, is_visitor=True)
    device, hers = identity(50, 2, 3, is_device=True), identity(9, 1, 3)
    assert parts(components([ann, bob, visitor], [identity(7, 1), identity(8, 2), hers, device])) == [{1, 3}, {2}]
    alone = identity(9, 3)
    assert parts(components([ann, bob, visitor], [identity(7, 1), identity(8, 2), alone, device])) == [{1}, {2}, {3}]


def test_of_decisions_on_one_pair_the_latest_counts_and_of_two_at_one_moment_the_one_that_keeps_apart() -> None:
    facts, mail = [profile(1), profile(2)], identity(50, 1, 2)
    same, apart = Decision(AT, frozenset({1, 2})), Decision(AT, frozenset({1}), frozenset({2}))
    later = replace(same, at=AT + timedelta(days=1))
    assert parts(components(facts, [mail], [same, apart])) == [{1}, {2}]
    assert parts(components(facts, [mail], [later, apart])) == [{1, 2}]
    assert parts(components(facts, [mail], [later, replace(apart, at=AT + timedelta(days=2))])) == [{1}, {2}]


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("Ann Lee", "LEE, Ann", True),
        ("José Müller", "jose muller", True),
        ("A. Lee", "Ann Lee", True),
        ("A. L.", "Ann Lee", True),
        ("Ann Marie Lee", "Ann Lee", True),
        ("Dr. Ann Lee", "Mrs Ann Lee", True),
        ("Ann", "Ann Lee", True),
        ("", "Ann Lee", True),
        ("Strauß", "Strauss", True),
        ("Ann Lee", "Bob Lee", False),
        ("Ann Lee", "Ann Smith", False),
        ("A. Lee", "Bob Lee", False),
        ("Ann Ann", "Ann Lee", False),
        ("Μαρία Παππά", "ΠΑΠΠΑ Μαρια", True),
        ("محمد علي", "علي محمد", True),
    ],
)
def test_names_that_can_be_one_persons(one: str, other: str, fits: bool) -> None:
    assert may_be_one(words_of(one), words_of(other)) is fits
    assert may_be_one(words_of(other), words_of(one)) is fits


@pytest.mark.parametrize(
    "address",
    [
        "none@shop.example",
        "no-reply@shop.example",
        "No.Email@x.de",
        "noreply+17@x.de",
        "test@example.com",
        "ann@example.org",
        "ann@mail.example.co.uk",
        "ann@host.invalid",
        "xxxxx@x.de",
        "abc@marketplace.amazon.co.uk",
        "abc@members.ebay.de",
        "abc@relay.walmart.com",
        "abc@customer.otto.market",
        "a.b.123@otto.magnalister.com",
        "abc@verkopen.bol.com",
        "abc+12@user.allegromail.pl",
        "abc@pc.fw.rakuten.ne.jp",
        "abc@scs.tiktokw.us",
        "abc@decathlon.notification.mirakl.net",
        "test12@x.de",
        "a@a.com",
        "keine@keine.de",
        "brak@brak.pl",
        "niemand@niemand.de",
        "net-pochty@x.ru",
        "keine-email@x.de",
        "sin.correo@x.es",
        "pas-de-mail@x.fr",
        "nao_tem@x.br",
        "Não.Informado@x.br",
        "sememail@x.com.br",
        "senzamail@x.it",
        "geenmail@x.nl",
        "brakmaila@x.pl",
        "Okänd@x.se",
        "mailyok@x.com.tr",
        "нет@x.рф",
        "なし@x.jp",
        "없음@x.kr",
    ],
)
def test_addresses_that_identify_nobody(address: str) -> None:
    assert is_placeholder(address)


@pytest.mark.parametrize(
    "address",
    [
        "ann@shop.example",
        "info@shop.example",
        "dtx7@privaterelay.appleid.com",
        "x1y2@mozmail.com",
        "ann@amazon.com",
        "jj@x.de",
        "nonette@x.de",
        "testa.rossa@x.it",
        "semmel@x.de",
        "brak@x.pl",
        "abc@x.com",
        "emil@emil.de",
        "noel.mail@x.fr",
        "anon@x.co.th",
        "niemand@x.co.za",
        "noone@x.ie",
        "netmail@x.se",
    ],
)
def test_addresses_that_are_somebodys(address: str) -> None:
    assert not is_placeholder(address)


def test_numbers_and_ids_that_identify_nobody() -> None:
    assert all(
        map(
            is_placeholder_number,
            [
                "0000000000",
                "123456789",
                "987654321",
                "1111111",
                "5000000000",
                "0123456789",
                "612345678",
                "7123456789",
                "11999999999",
            ],
        )
    )
    assert not any(map(is_placeholder_number, ["2079460000", "15112345678", "6502530000"]))
    assert all(map(is_placeholder_id, ["0", "undefined", "NULL", "[object Object]", "guest", " anonymous "]))
    assert not any(map(is_placeholder_id, ["17850", "1111", "ann", "10"]))


@pytest.mark.parametrize(
    ("name", "value", "look"),
    [
        ("newsletter", True, "yes or no"),
        ("visits", 3, "number"),
        ("second_mail", "a@b.example", "mail address"),
        ("mobile", "+44 20 7946 0000", "phone number"),
        ("birthday", "1980-02-29", "birthday"),
        ("since", "2020-01-01", "date"),
        ("shirt_size", "extra large", "code"),
        ("remark", "likes tea", "free text"),
    ],
)
def test_what_a_property_seems_to_hold(name: str, value: object, look: str) -> None:
    assert guess_look(name, value) == look
