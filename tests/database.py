"""The database server of a test run: embedded and forgetful, or the one that TEST_DATABASE_URL names.

Migrations run once per state of the migrations; the migrated data folder is kept under ``build/`` and copied by later runs, and each
process of a run gets a database of its own, made from the migrated one as a template.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import DATABASE, ROLE, EmbeddedServer

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "test-database"
_KEPT_SECONDS = 3600


# Truncating every table, as Django does, takes a hundred times as long: each gets new files. Only what the schema itself filled stays.
EMPTY = """
DO $$ DECLARE filled regclass; is_guarded boolean; BEGIN
FOR filled, is_guarded IN
    SELECT c.oid, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND pg_relation_size(c.oid) > 0
        AND c.relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    ORDER BY 2 DESC
LOOP
    IF is_guarded THEN EXECUTE format('TRUNCATE %s CASCADE', filled);  -- its triggers forbid what deletes, or act on it
    ELSE EXECUTE format('DELETE FROM %s', filled);
    END IF;
END LOOP;
END $$
"""


@dataclass(frozen=True)
class Database:
    """Addresses of one server's databases; ``template`` holds the migrated one. ``server`` is known where it is our own."""

    address: str  # postgresql://… of the maintenance database
    template: str
    server: EmbeddedServer | None = None

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{name}"))

    @contextmanager
    def copy(self, name: str) -> Iterator[str]:
        """A migrated database of its own, dropped at the end; gives its address."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._drop(name)
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(self.template)))
        try:
            yield self.url(name)
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        """An autovacuum worker in it belongs to the superuser and is not ours to end: it is soon done."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        for pause in (0.5, 1, 2, 4, 8):
            try:
                return self._execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                time.sleep(pause)
        return self._execute(statement)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def start_database(*, durable: bool = False) -> Iterator[Database]:
    """A server with a migrated template, for one run of the tests. Not ``durable``: it may forget what it has when it is killed."""
    named = os.environ.get("TEST_DATABASE_URL", "")
    with ExitStack() as stack:
        yield _migrated_in(named) if named else stack.enter_context(_embedded(durable))


def migrations_digest() -> str:
    """Changes whenever the migrated database would."""
    digest = hashlib.sha256(f"{os.geteuid()} {sys.version_info}".encode())
    source = ROOT / "src" / "regulars"
    for path in (
        ROOT / "requirements" / "product.txt",
        source / "config" / "modules.py",
        *sorted(source.rglob("migrations/*.py")),
    ):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def lay_migrated(home: Path) -> None:
    """Puts the kept data folder where an installation whose data folder is ``home`` has its own: there is nothing left to migrate."""
    _restore(KEPT / migrations_digest(), EmbeddedPlace.under(home).data)


@contextmanager
def _embedded(durable: bool) -> Iterator[Database]:
    home = Path(tempfile.mkdtemp(prefix="regulars-test-"))
    home.chmod(0o711)
    place = EmbeddedPlace.under(home)
    server = EmbeddedServer(place, durable=durable)
    try:
        kept = KEPT / migrations_digest()
        is_migrated = _restore(kept, place.data)
        server.start()
        with server.guarded():
            if not is_migrated:
                _migrate(_socket_address(place, DATABASE))
                server.stop()
                _keep(place.data, kept)
                server.start()
            yield Database(_socket_address(place, "postgres"), DATABASE, server)
    finally:
        server.stop(at_once=True)
        shutil.rmtree(home, ignore_errors=True)


def _socket_address(place: EmbeddedPlace, name: str) -> str:
    return f"postgresql://{ROLE}@/{name}?host={place.socket_folder}"


def _migrate(address: str) -> None:
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "regulars.config.settings"}
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the migrations fail:\n{done.stderr[-3000:]}")


def _restore(kept: Path, data: Path) -> bool:
    """Copies a kept data folder, ownership included; False where there is none."""
    if not (kept / "PG_VERSION").exists():
        return False
    done = subprocess.run(["cp", "-a", "--reflink=auto", str(kept), str(data)], check=False, capture_output=True)
    if done.returncode:  # removed meanwhile by a neighbour
        shutil.rmtree(data, ignore_errors=True)
    return done.returncode == 0


def _keep(data: Path, kept: Path) -> None:
    """Puts the migrated data folder aside in one rename; forgets those of an hour ago."""
    KEPT.mkdir(parents=True, exist_ok=True)
    fresh = KEPT / f"{kept.name}.{os.getpid()}"
    subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(fresh)], check=True)
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh)
    for old in KEPT.iterdir():
        if old != kept and time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _migrated_in(address: str) -> Database:
    """The template database in a server that we were given: made once, under a lock, for each state of the migrations."""
    name = f"regulars_template_{migrations_digest()}"
    database = Database(address, name)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            fresh = f"{name}_new"
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(fresh)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0").format(
                    sql.Identifier(fresh)
                )
            )
            _migrate(database.url(fresh))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(fresh), sql.Identifier(name))
            )
    return database


if __name__ == "__main__":
    with start_database():
        pass  # migrated and kept by now
