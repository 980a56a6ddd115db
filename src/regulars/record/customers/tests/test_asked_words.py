"""Tokens by which conditions ask for contact data: made when it is stored, and of what stood there before."""

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection

from regulars.foundation.relations import LIST_MARK
from regulars.foundation.sealing import CannotOpen, KeyRing
from regulars.foundation.vault import keys
from regulars.foundation.vault.words import open_word, seal_word
from regulars.record.customers.contacts import ASKED, ContactCard, asked_words, word_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import ContactVersion, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import words_of_nobody_else
from regulars.record.events.log import transaction

RING = KeyRing((("k1", b"1" * 32),))
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
CARD = ContactCard(first_name="Zoë", last_name="O'Hara-Schmidt", phone="+4930901820", city="Köln", country="DE")


def tokens(card: ContactCard, field: str, ring: KeyRing = RING) -> list[str]:
    return [one for one in asked_words(card, ring)[ASKED.index(field)].split(LIST_MARK) if one]


def test_a_field_has_a_token_of_the_whole_and_of_each_begin() -> None:
    whole, *begins = tokens(CARD, "first_name")
    assert whole == word_token("first_name", " ZOE ", False, RING)
    assert begins == [word_token("first_name", begin, True, RING) for begin in ("zo", "zoë")]
    assert len(tokens(CARD, "last_name")) == 1 + 7
    assert len(tokens(CARD, "full_name")) == 1 + 7
    assert tokens(CARD, "phone")[0] == word_token("phone", "+49 (30) 90-1820", False, RING)
    assert (tokens(CARD, "email"), tokens(ContactCard(city="-"), "city")) == (
        [],
        [word_token("city", "-", False, RING)],
    )


def test_the_same_word_has_another_token_in_another_field_and_under_another_key() -> None:
    other = KeyRing((("k2", b"2" * 32),))
    found = {word_token(field, "anna", False, ring) for field in ("first_name", "last_name") for ring in (RING, other)}
    assert len(found) == 4
    assert {len(one) for one in found} == {8}


def test_a_sealed_word_is_the_same_each_time_and_opened_by_its_key_only() -> None:
    assert seal_word("Anna") == seal_word("Anna") != seal_word("Änna")
    assert open_word(seal_word("Änna")) == "Änna"
    for broken in ("", "Anna", seal_word("Anna")[:-4], "bm9uc2Vuc2U="):
        with pytest.raises(CannotOpen):
            open_word(broken)


def make(*cards: ContactCard) -> list[int]:
    said = [
        PersonInput((IdentityInput(IdentityKind.EMAIL, f"p{n}@shop.example"),), AT, contact=card)
        for n, card in enumerate(cards)
    ]
    with transaction("import") as log:
        return ensure_profiles(said, log)


@pytest.mark.django_db
def test_contact_data_of_before_gets_its_tokens_and_zones() -> None:
    make(CARD, ContactCard(first_name="Bo", time_zone="Asia/Tokyo"), ContactCard(company="Acme"))
    stored = ContactVersion.objects.order_by("id").values_list("words", "time_zone")
    before = list(stored)
    assert before[0] == (asked_words(CARD, keys.key_ring()), "Europe/Berlin")
    assert before[1][1] == "Asia/Tokyo"
    ContactVersion.objects.update(words=[], time_zone="")
    module = import_module("regulars.record.customers.migrations.0008_words_of_before")
    module.fill(None, SimpleNamespace(connection=connection))
    assert list(stored.all()) == before


@pytest.mark.django_db
def test_words_of_nobody_else() -> None:
    first, _ = make(CARD, ContactCard(first_name="zoe", city="Bonn"))
    ring = keys.key_ring()
    alone = word_token("city", "Köln", False, ring)
    both, nobodys = word_token("first_name", "Zoë", False, ring), word_token("city", "Bonn", False, ring)
    assert words_of_nobody_else([first], {alone, both, nobodys}) == {alone}
    assert words_of_nobody_else([first], set()) == set()
