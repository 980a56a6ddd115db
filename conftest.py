"""What every test can ask for: a migrated PostgreSQL of the process's own, its address, and a data folder that is thrown away."""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

from regulars.config.databases import settings_for
from regulars.foundation.inbox.keys import forget_cached
from regulars.foundation.learning import forget
from regulars.foundation.vault.keys import forget_cached_ring
from tests.database import EMPTY, Database, start_database

_KEY = pytest.StashKey[ExitStack]()
_DATABASE = pytest.StashKey[Database]()

# How fast examples come says something of the machine and its other work, nothing of the code.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = ExitStack()


def pytest_unconfigure(config: pytest.Config) -> None:
    gc.unfreeze()  # else libraries in C++ take what is left at the end for leaks
    config.stash[_KEY].close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first: one that began last would run alone while the other workers have nothing left to do. Groups go by the end of an
    id, which pytest-xdist 3.8 writes where pytest 9.2 no longer looks for it (its issue 1386): else each is spread over all workers.
    """
    for item in items:
        if named := vars(item).get("_nodeid"):
            item._id = type(item.id).parse(named)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: collecting garbage need not look at hundreds of thousands of their objects again and again."""
    gc.collect()
    gc.freeze()


def _server(config: pytest.Config) -> Database:
    """The run's server, started when first asked for."""
    if _DATABASE not in config.stash:
        config.stash[_DATABASE] = config.stash[_KEY].enter_context(start_database())
    return config.stash[_DATABASE]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the process that directs parallel ones: they share its server."""
    server = _server(node.config)
    node.workerinput["database"] = (server.address, server.template)


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> Database:
    given = getattr(request.config, "workerinput", {}).get("database")
    return Database(*given) if given else _server(request.config)


@pytest.fixture(scope="session")
def database_url(database_server: Database) -> Iterator[str]:
    """Address of this process's own migrated database; for tests that start processes of ours, as DATABASE_URL."""
    with database_server.copy(f"test_{os.getpid()}") as address:
        yield address


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, database_url: str
) -> Iterator[None]:
    """Points Django at the process's own database; replaces pytest-django's, which would run all migrations again."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        connections["default"].close()
        connections.settings["default"].update(settings_for(database_url))
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty)
        yield
        connections["default"].close()


def _empty(case: TransactionTestCase) -> None:
    """After a test that commits: its own, in place of Django's slow ``flush``."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)


@pytest.fixture(scope="module")
def making_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """For a module whose tests all begin with the same rows: its fixture of the module's scope asks for this and makes them, and a
    fixture that each of its tests has asks for ``made_once``. What a test changes is undone after it, as ever; none may commit. Gives
    the data folder that is written to meanwhile.
    """
    home = tmp_path_factory.mktemp("home")
    block = transaction.atomic()
    block._from_testcase = True  # what must be the outermost block may stand in this, as in a test's own
    with django_db_blocker.unblock(), override_settings(HOME=home), block:
        yield home
        transaction.set_rollback(True)


@pytest.fixture
def made_once(db: None, making_once: Path, tmp_path: Path) -> Iterator[None]:
    """A copy of the data folder as it was made, for one test."""
    home = shutil.copytree(making_once, tmp_path / "made")
    with override_settings(HOME=home):
        yield


@pytest.fixture
def process_environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment for a process of ours that a test starts: this process's database, and a data folder of its own."""
    changes = {
        "DATABASE_URL": database_url,
        "REGULARS_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
    }
    return {**os.environ, **changes}


@pytest.fixture(autouse=True)
def _no_keys_left_over() -> Iterator[None]:
    """Torn down last, when a test's own data folder is gone: what is cached of its keys would open nothing of the next test's,
    and what it declared is not declared there.
    """
    yield
    forget_cached_ring()
    forget_cached()
    forget()
