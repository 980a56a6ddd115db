"""A shop with many customers, set-wise and straight into the tables, with truly sealed names: what pages are measured
on.

Each customer has one profile, one contact card, one key and from one to three orders; what is cached is folded by SQL
from these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from django.db import connection

from demo.people import make_people
from demo.source import Shopper
from regulars.foundation.bulk import copy_rows, execute
from regulars.foundation.sealing import Cell, new_key, seal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.vault.keys import key_ring
from regulars.record.customers.contacts import ContactCard, search_tokens
from regulars.record.customers.operations import refresh_cards
from regulars.record.events import log
from regulars.record.orders.operations.figures import refresh_figures

AT = datetime(2026, 11, 1, tzinfo=UTC)
_CHUNK = 50_000
_COUNTRIES = ("United Kingdom", "United Kingdom", "United Kingdom", "Germany", "France", "Spain", "Greece", "Sweden")


@dataclass(frozen=True)
class Crowd:
    """What was made."""

    store: Store
    customers: int
    orders: int


def fill(customers: int, seed: int) -> Crowd:
    """Makes the shop; database and key ring are those of this process."""
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@volume.example")
    store = Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    write_setting("shop.reporting_currency", "GBP", AT)
    with log.transaction("import", "bench") as entries:
        bound = {"count": customers, "store": store.pk, "batch": entries.batch_id, "at": AT, "seed": seed}
        for statement in _PEOPLE:
            execute(statement, bound)
        for start in range(1, customers + 1, _CHUNK):
            _seal_some(range(start, min(start + _CHUNK, customers + 1)), seed, entries.batch_id)
        for statement in _ORDERS:
            execute(statement, bound)
        for start in range(1, customers + 1, _CHUNK):
            some = range(start, min(start + _CHUNK, customers + 1))
            refresh_cards(some)
            refresh_figures(some)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_order")
        orders = int(cursor.fetchone()[0])
        cursor.execute("ANALYZE")
    return Crowd(store, customers, orders)


_PEOPLE = (
    """INSERT INTO customers_identity (id, kind, scope, token) OVERRIDING SYSTEM VALUE
       SELECT n, 'store_customer', 'bench', decode(md5(n::text), 'hex') FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_customer (id, uid, created_at) OVERRIDING SYSTEM VALUE
       SELECT n, gen_random_uuid(), %(at)s - n * interval '40 seconds' FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_profile (id, store_id, named_by_id, occurred_at, batch_id) OVERRIDING SYSTEM VALUE
       SELECT n, %(store)s, n, %(at)s - n * interval '40 seconds', %(batch)s FROM generate_series(1, %(count)s) n""",
    """INSERT INTO customers_customerprofile (profile_id, customer_id, from_batch_id)
       SELECT n, n, %(batch)s FROM generate_series(1, %(count)s) n""",
)
_CARD = "country, region, postal_area, language, mail_domain, tokens"
_ORDERS = (
    """INSERT INTO orders_order (uid, store_id, number, external_id, profile_id, channel, placed_at, currency,
    subtotal_minor, discount_minor, shipping_minor, tax_minor, tax_included, total_minor, status, payment_status,
    fulfilment_status, country, discount_codes, line_count, digest, batch_id)
       SELECT gen_random_uuid(), %(store)s, 'B' || n || '-' || k, '', n, 'web',
              %(at)s - ((hashint8extended(n * 3 + k, %(seed)s) & 31535999) || ' seconds')::interval, 'GBP', amount, 0,
              0, 0, true, amount, 'completed', 'paid', 'fulfilled', 'GB', '', 1, decode(md5(n || '-' || k), 'hex'),
              %(batch)s FROM generate_series(1, %(count)s) n, generate_series(1, 1 + n %% 3) k,
            LATERAL (SELECT 500 + (hashint8extended(n * 7 + k, %(seed)s) & 16383) AS amount) a""",
)


def _seal_some(numbers: Sequence[int], seed: int, batch_id: int) -> None:
    """Keys and contact cards of these profiles; a card's row has its profile's number."""
    keys = {number: new_key() for number in numbers}
    copy_rows("vault_subjectkey", ("subject", "master_id", "wrapped"), _wrapped(keys))
    columns = ("id", "profile_id", "card", *_CARD.split(", "), "occurred_at", "batch_id")
    copy_rows("customers_contactversion", columns, _cards(keys, Random(f"{seed} {numbers[0]}"), batch_id))  # noqa: S311


def _wrapped(keys: dict[int, bytes]) -> Iterator[Sequence[Any]]:
    ring = key_ring()
    for number, key in keys.items():
        master_id, wrapped = ring.wrap(key, number)
        yield number, master_id, wrapped


def _cards(keys: dict[int, bytes], chance: Random, batch_id: int) -> Iterator[Sequence[Any]]:
    for number, key in keys.items():
        card, plain, tokens = chance.choice(_pool())
        sealed = seal(key, plain, Cell("customers_contactversion", "card", number))
        yield (
            number,
            number,
            sealed,
            card.country,
            "",
            card.postal_area,
            card.language,
            card.mail_domain,
            tokens,
            AT,
            batch_id,
        )


@cache
def _pool() -> list[tuple[ContactCard, bytes, list[int]]]:
    """Some thousands of made people, their tokens computed once."""
    at = AT.replace(tzinfo=None)
    shoppers = [Shopper(str(n), _COUNTRIES[n % len(_COUNTRIES)], at, at) for n in range(8_000)]
    cards = [
        ContactCard(
            first_name=p.first_name, last_name=p.last_name, email=p.email, street=p.street, city=p.city,
            postal_code=p.postal_code, country=p.country, language=p.language,
        )
        for p in make_people(shoppers)
    ]  # fmt: skip
    return [(card, card.to_bytes(), search_tokens(card, key_ring())) for card in cards]
