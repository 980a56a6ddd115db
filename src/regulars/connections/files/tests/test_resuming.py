"""An import whose process is killed goes on where it stood: nothing is lost and nothing comes twice."""

import base64
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from regulars.foundation.ids import to_public
from tests.database import Database

ORDERS = 4_000
LINES = 4
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


@pytest.fixture
def database(database_server: Database) -> Iterator[str]:
    with database_server.copy(f"resume_{os.getpid()}") as address:
        yield address


@pytest.fixture
def file(tmp_path: Path) -> Path:
    dice = random.Random(7)
    rows = []
    for number in range(ORDERS):
        for line in range(LINES):
            date = "not a date" if number % 100 == 7 else "2011-01-01 10:00:00"
            code = dice.choice(("A1", "A2", "A3"))
            rows.append(
                f"{number},{code},Thing {line},{dice.randint(1, 9)},{date},{dice.randint(100, 999)}e-2,{number % 300},France\n"
            )
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "".join(rows))
    return path


def run(database: str, home: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "REGULARS_HOME": str(home),
        "REGULARS_MASTER_KEYS": f"k1:{base64.b64encode(b'k' * 32).decode()}",
        "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
    }
    with (home.parent / "said.txt").open("ab") as said:
        return subprocess.Popen([sys.executable, "-m", "django", *arguments], env=environment, stdout=said, stderr=said)


def prepare(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO shop_brand (name, from_name, from_address, postal_address, website) VALUES ('b', 'b', 'b@shop.example', '', '')"
        )
        connection.execute(
            "INSERT INTO shop_store (uid, code, name, brand_id, time_zone, currency)"
            " SELECT gen_random_uuid(), 'uk', 'UK', id, 'Europe/London', 'GBP' FROM shop_brand"
        )


def progress(database: str) -> tuple[str, int]:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT state, units_applied FROM files_import").fetchone()
        return (row[0], row[1]) if row else ("", 0)


def facts(database: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        return [
            connection.execute(statement).fetchone() or ()
            for statement in (
                "SELECT count(*), sum(total_minor) FROM orders_order",
                "SELECT count(*), sum(total_minor), sum(quantity) FROM orders_orderline WHERE until_batch_id IS NULL",
                "SELECT count(*), sum(order_count), sum(spent_minor) FROM orders_customerfigures",
                "SELECT count(*) FROM events_event WHERE kind = 'order.placed'",
                "SELECT sum(row_count) FROM files_rejectedrows",
                "SELECT counts->>'rows_taken', counts->>'rows_skipped', counts->>'orders_created', state FROM files_import",
            )
        ]


@pytest.mark.slow
def test_a_killed_import_is_continued_and_ends_as_if_nothing_had_been(
    database: str, database_server: Database, file: Path, tmp_path: Path
) -> None:
    prepare(database)
    process = run(database, tmp_path / "home", "import", "orders", str(file))
    interrupted = seen = 0
    state = ""
    while interrupted < 2 and state != "done":
        wait_for_progress(database, seen, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        state, seen = progress(database)
        if state != "done":
            interrupted += 1
            process = run(database, tmp_path / "another machine", "import", "resume", public_id(database))
    assert state == "done" or process.wait(120) == 0, (tmp_path / "said.txt").read_text()
    assert interrupted >= 1
    with database_server.copy(f"whole_{os.getpid()}") as other:
        prepare(other)
        whole = run(other, tmp_path / "other", "import", "orders", str(file))
        assert whole.wait(120) == 0, (tmp_path / "said.txt").read_text()
        assert facts(database) == facts(other)
    assert facts(database)[0][0] == ORDERS - ORDERS // 100
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM inbox_frame").fetchone() == (0,)


def wait_for_progress(database: str, seen: int, process: "subprocess.Popen[bytes]") -> None:
    """Until another batch has committed, or the process has ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None and progress(database)[1] <= seen:
        time.sleep(0.01)


def public_id(database: str) -> str:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT uid FROM files_import").fetchone()
    assert row
    return to_public("imp", UUID(str(row[0])))
