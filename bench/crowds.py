"""A warehouse of any size, written straight as its files: customers, their orders and what they did, the same again for the same seed.

Few customers do most (their number is drawn with the square of a share), one in five has a second profile, and two years pass. Columns
that conditions of the bench do not ask are null, as they are for most events of a shop.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bench import Scale
from bench.volume import connect
from regulars.foundation.warehouse_tables import OPEN, WAREHOUSE_TABLES, ColumnType
from regulars.insight.warehouse import files
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import Pinned, pinned
from regulars.record.events import log

CUSTOMERS, ORDERS, EVENTS = 1_000_000, 5_000_000, 20_000_000
DAYS = 730
AS_OF = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
_BEGIN = AS_OF - timedelta(days=DAYS)
_SECOND_PROFILES = 5  # one customer in so many has two
_TYPES = {
    ColumnType.BIGINT: "BIGINT",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.NUMBER: "DECIMAL(18, 6)",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}
_COUNTRIES = "['DE', 'DE', 'DE', 'DE', 'AT', 'CH', 'FR', 'GB', 'NL', NULL]"
_VIEWS = ", ".join(["'product.viewed'"] * 4)
_KINDS = f"[{_VIEWS}, 'page.viewed', 'page.viewed', 'cart.changed', 'product.searched']"


def make_crowd(scale: Scale) -> Pinned:
    """The files of a shop of this size, and the manifest that names them."""
    customers, orders, events = scale.of(CUSTOMERS), scale.of(ORDERS), scale.of(EVENTS)
    made = _Making(customers, scale.seed)
    at = datetime.now(UTC)
    with log.transaction("system", "bench") as transaction:
        transaction.append()
    rows = [
        made.write("customer_profiles", customers + customers // _SECOND_PROFILES, made.profiles(), at),
        made.write("orders", orders, made.orders(orders), at),
        made.write("events", events, made.events(events), at),
        made.write("contacts", customers, made.contacts(), at),
        made.write("consents", customers, made.consents(), at),
    ]
    return pinned(WarehouseSnapshot.objects.create(position=1, files=[row.pk for row in rows], published_at=at))


class _Making:
    """SQL of rows; ``n`` counts them from 1."""

    def __init__(self, customers: int, seed: int) -> None:
        self._customers, self._seed = customers, seed

    def write(self, table: str, rows: int, columns: Mapping[str, str], at: datetime) -> WarehouseFile:
        """One file of a table, its rows in the order of their keys, which is that of time."""
        path = files.folder() / f"{table}.parquet"
        said = ", ".join(
            f'CAST({columns.get(column.name, "NULL")} AS {_TYPES[column.type]}) AS "{column.name}"'
            for column in WAREHOUSE_TABLES[table].columns
        )
        known = f"1::BIGINT AS known_from, {OPEN}::BIGINT AS known_until"
        with connect() as connection:
            query = f"SELECT {said}, {known} FROM range(1, {rows} + 1) t(n)"
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        size = path.stat().st_size
        return WarehouseFile.objects.create(
            table=table, kind="rows", name=path.name, rows=rows, size=size, is_open=True, written_at=at
        )

    def profiles(self) -> dict[str, str]:
        return {
            "profile_id": "n",
            "customer_id": f"CASE WHEN n <= {self._customers} THEN n ELSE (n - {self._customers}) * {_SECOND_PROFILES} END",
        }

    def orders(self, count: int) -> dict[str, str]:
        total = f"500 + floor(pow({self._share(2)}, 3) * 40000)"
        return {
            "order_id": "n",
            "profile_id": self._profile(1),
            "store_id": "1",
            "placed_at": self._moment(count),
            "currency": "'EUR'",
            "total_minor": total,
            "total": total,
            "subtotal": total,
            "gross": f"{total} + floor({self._share(3)} * 500)",
            "discount": f"CASE WHEN {self._share(4)} < 0.2 THEN 300 ELSE 0 END",
            "line_count": f"1 + floor({self._share(5)} * 6)",
            "counts": f"{self._share(6)} > 0.02",
            "store": "'main'",
            "channel": f"(['web', 'web', 'app', 'pos'])[1 + floor({self._share(7)} * 4)::INT]",
            "status": "'completed'",
            "country": f"({_COUNTRIES})[1 + floor({self._share(8)} * 9)::INT]",
        }

    def events(self, count: int) -> dict[str, str]:
        return {
            "event_id": "n",
            "profile_id": self._profile(11),
            "at": self._moment(count),
            "kind": f"({_KINDS})[1 + floor({self._share(12)} * 8)::INT]",
            "is_history": "false",
            "value": f"round({self._share(13)} * 200, 2)",
            "product_id": f"'P' || floor(pow({self._share(14)}, 2) * 5000)::INT",
            "category": f"'C' || floor(pow({self._share(15)}, 2) * 40)::INT",
        }

    def contacts(self) -> dict[str, str]:
        return {
            "contact_id": "n",
            "profile_id": "n",
            "at": self._moment(self._customers),
            "country": f"({_COUNTRIES})[1 + floor({self._share(21)} * 10)::INT]",
            "language": "'de'",
            "is_device": "false",
        }

    def consents(self) -> dict[str, str]:
        return {
            "consent_id": "n",
            "profile_id": f"1 + floor({self._share(31)} * {self._customers})",
            "at": self._moment(self._customers),
            "address_id": "n % 700000",
            "state": f"CASE WHEN {self._share(32)} < 0.6 THEN 'granted' ELSE 'denied' END",
            "brand": "'Shop'",
            "channel": "'email'",
            "topic": "'news'",
        }

    def _share(self, salt: int) -> str:
        """From 0 up to 1, by chance."""
        return f"((hash(n, {self._seed}, {salt}) >> 11) / 9007199254740992.0)"

    def _profile(self, salt: int) -> str:
        """Of few people most; of those with two profiles either."""
        customer = f"1 + floor(pow({self._share(salt)}, 2) * {self._customers})::BIGINT"
        second = f"{self._customers} + ({customer}) // {_SECOND_PROFILES}"
        return f"CASE WHEN ({customer}) % {_SECOND_PROFILES} = 0 AND n % 3 = 0 THEN {second} ELSE {customer} END"

    def _moment(self, count: int) -> str:
        """In order, evenly over two years; a few after the moment that is asked of."""
        step = DAYS * 86_400_000_000 // max(count, 1)
        return f"TIMESTAMP '{_BEGIN:%Y-%m-%d %H:%M:%S}' + to_microseconds(n * {step} + (hash(n, {self._seed}, 99) % 1000000)::BIGINT)"
