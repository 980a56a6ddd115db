"""A shop with many customers, set-wise and straight into the tables, with truly sealed names: what pages are measured
on.

Each customer has one profile, one contact card, a mail address, one key and from one to three orders (``bench.trade``). What is cached is
written by SQL for all at once; a test holds it against the product's own folds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random
from typing import Any

from django.db import connection

from bench import trade
from bench.bare import bare
from demo.people import make_people
from demo.source import Shopper
from regulars.foundation.bulk import copy_rows, execute
from regulars.foundation.sealing import Cell, new_key, seal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.vault.keys import key_ring
from regulars.messages.library import install
from regulars.record.customers.contacts import ContactCard, asked_words, search_tokens
from regulars.record.customers.operations import add_note
from regulars.record.events import log

_CHUNK = 50_000
_NOTES = 300
_COUNTRIES = ("United Kingdom", "United Kingdom", "United Kingdom", "Germany", "France", "Spain", "Greece", "Sweden")
_FILLED = (
    "customers_identity", "customers_customer", "customers_profile", "customers_customerprofile", "customers_identitylink",
    "customers_contactversion", "customers_tagentry", "vault_subjectkey", "catalog_product", "catalog_variant", "catalog_priceentry",
    "orders_order", "orders_orderline", "orders_refund", "consent_consententry", "consent_donotcontact", "customers_customercard",
    "customers_storecard", "orders_storefigures", "orders_customerfigures", "events_event",
)  # fmt: skip


@dataclass(frozen=True)
class Crowd:
    """What was made. The first customer is the one with much of all."""

    store: Store
    customers: int
    orders: int


def fill(customers: int, seed: int, at: datetime) -> Crowd:
    """Makes the shop as it is at a moment; database and key ring are those of this process."""
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@volume.example")
    store = Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    write_setting("shop.reporting_currency", "GBP", at)
    install("win-back", at)
    bound = {"count": customers, "store": store.pk, "brand": brand.pk, "at": at, "seed": seed}
    with log.transaction("import", "bench") as entries, bare(*_FILLED):
        bound["batch"] = entries.batch_id
        for statement in (*_PEOPLE, *trade.CATALOG, *trade.ORDERS, *trade.SAID):
            execute(statement, bound)
        for some in _slices(customers):
            _seal_some(some, seed, bound)
        for statement in (*_CACHED, *trade.CACHED):
            execute(statement, bound)
    with log.transaction("system", "bench") as entries, bare("workflows_run", "outbox_message"):
        for statement in trade.WRITTEN:
            execute(statement, bound | {"batch": entries.batch_id})
    for number in range(min(_NOTES, customers)):
        add_note(1, f"Note {number}", 1, at)
    return Crowd(store, customers, count_orders())


def _slices(customers: int) -> list[range]:
    return [range(start, min(start + _CHUNK, customers + 1)) for start in range(1, customers + 1, _CHUNK)]


def count_orders() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_order")
        return int(cursor.fetchone()[0])


def settle() -> None:
    """As autovacuum leaves a shop that has been running: statistics, and the map by which an index alone answers."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


_PEOPLE = (
    """INSERT INTO customers_identity (id, kind, scope, token) OVERRIDING SYSTEM VALUE
       SELECT n, 'store_customer', 'bench', decode(md5(n::text), 'hex') FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_identity (id, kind, scope, token) OVERRIDING SYSTEM VALUE
       SELECT %(count)s + n, 'email', '', decode(md5('mail' || n), 'hex') FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_customer (id, uid, created_at) OVERRIDING SYSTEM VALUE
       SELECT n, gen_random_uuid(), %(at)s - n * interval '40 seconds' FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_profile (id, store_id, named_by_id, occurred_at, batch_id) OVERRIDING SYSTEM VALUE
       SELECT n, %(store)s, n, %(at)s - n * interval '40 seconds', %(batch)s FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_customerprofile (profile_id, customer_id, from_batch_id)
       SELECT n, n, %(batch)s FROM generate_series(1, %(count)s) n""",
)
_CACHED = (
    """INSERT INTO customers_customercard (customer_id, contact_id, country, region, postal_area, language, mail_domain, tokens, tags, stores)
       SELECT c.profile_id, c.id, c.country, c.region, c.postal_area, c.language, c.mail_domain, c.tokens,
              CASE WHEN t.tag_id IS NULL THEN '{}' ELSE ARRAY[t.tag_id] END, ARRAY[%(store)s]
       FROM customers_contactversion c LEFT JOIN customers_tagentry t USING (profile_id) ORDER BY 1""",
    """INSERT INTO customers_storecard (customer_id, store_id, contact_id, country, tokens, tags)
       SELECT customer_id, %(store)s, contact_id, country, tokens, tags FROM customers_customercard ORDER BY 1""",
)
_CARD = "country, region, postal_area, language, mail_domain, tokens, words, time_zone"


def _seal_some(numbers: Sequence[int], seed: int, bound: dict[str, Any]) -> None:
    """Keys, mail addresses and contact cards of these profiles; a card's and a link's row have their profile's number."""
    keys = {number: new_key() for number in numbers}
    chance = Random(f"{seed} {numbers[0]}")  # noqa: S311
    chosen = {number: chance.choice(_pool()) for number in numbers}
    said = (bound["at"], bound["batch"])
    copy_rows("vault_subjectkey", ("subject", "master_id", "wrapped"), _wrapped(keys))
    columns = ("id", "profile_id", "card", *_CARD.split(", "), "occurred_at", "batch_id")
    copy_rows("customers_contactversion", columns, ((*row, *said) for row in _cards(keys, chosen)))
    columns = ("id", "profile_id", "identity_id", "trust", "evidence", "value", "occurred_at", "batch_id")
    copy_rows("customers_identitylink", columns, ((*row, *said) for row in _links(keys, chosen, bound["count"])))


Person = tuple[ContactCard, bytes, list[int], list[str]]


def _wrapped(keys: dict[int, bytes]) -> Iterator[Sequence[Any]]:
    ring = key_ring()
    for number, key in keys.items():
        master_id, wrapped = ring.wrap(key, number)
        yield number, master_id, wrapped


def _cards(keys: dict[int, bytes], chosen: dict[int, Person]) -> Iterator[Sequence[Any]]:
    for number, key in keys.items():
        card, plain, tokens, words = chosen[number]
        sealed = seal(key, plain, Cell("customers_contactversion", "card", number))
        clear = (card.country, "", card.postal_area, card.language, card.mail_domain)
        yield number, number, sealed, *clear, tokens, words, card.known_zone


def _links(keys: dict[int, bytes], chosen: dict[int, Person], customers: int) -> Iterator[Sequence[Any]]:
    for number, key in keys.items():
        sealed = seal(key, chosen[number][0].email.encode(), Cell("customers_identitylink", "value", number))
        yield number, number, customers + number, "confirmed", "import", sealed


@cache
def _pool() -> list[Person]:
    """Some thousands of made people, their tokens computed once."""
    at = datetime(2026, 1, 1)  # noqa: DTZ001  the demo's source knows no zone
    shoppers = [Shopper(str(n), _COUNTRIES[n % len(_COUNTRIES)], at, at) for n in range(8_000)]
    cards = [
        ContactCard(
            first_name=p.first_name, last_name=p.last_name, email=p.email, street=p.street, city=p.city,
            postal_code=p.postal_code, country=p.country, language=p.language,
        )
        for p in make_people(shoppers)
    ]  # fmt: skip
    ring = key_ring()
    return [(card, card.to_bytes(), search_tokens(card, ring), asked_words(card, ring)) for card in cards]
