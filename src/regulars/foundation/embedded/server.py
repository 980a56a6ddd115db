"""The life of the embedded server: made once, started, adopted, stopped. No Django here.

It drives the wheel's own ``initdb`` and ``pg_ctl``. One process at a time may do so for a data folder: the caller holds its lock
(see ``supervisor``); starting checks that a pid left in ``postmaster.pid`` really is a server on this very folder.
"""

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from regulars.foundation.embedded.account import Account, find_unprivileged_account
from regulars.foundation.embedded.errors import EmbeddedFailure, OtherVersion, ProgramFailed
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.programs import MAJOR, Programs, find_programs
from regulars.foundation.embedded.settling import settle

OWNER = "postgres"  # superuser, for maintenance only
ROLE = DATABASE = "regulars"  # what the product connects as, and to
_BUILTIN_SINCE = 17  # the major version whose initdb knows locales of PostgreSQL's own
_LOG_LIMIT = 20_000_000  # bytes, then the log of the last runs is set aside once
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "min_wal_size": "512MB",  # files that are there already: making one holds up all commits
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_error_verbosity": "terse",  # DETAIL lines quote values of rows
    "log_min_error_statement": "panic",  # statements may hold personal data
    "log_timezone": "UTC",
    "timezone": "UTC",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedServer:
    """One server on one data folder. ``durable=False`` is for tests: it forgets what it has after a power cut."""

    def __init__(self, place: EmbeddedPlace, *, durable: bool = True, major: int = MAJOR) -> None:
        self.place = place
        self.durable = durable
        self.major = major

    def start(self) -> None:
        """Starts the server, makes it first where there is none, adopts it where it runs. Raises EmbeddedFailure with a sentence."""
        for _ in range(3):
            if self.find_postmaster() is None:
                self._make_if_missing()
                self._refuse_other_version()
                self._clear_after_a_crash()
                self._run_in_background()
            try:
                self._ensure_database()
                return
            except psycopg.OperationalError:  # we met it while the guard of a killed owner was stopping it
                self._wait_until_it_has_ended()
        raise EmbeddedFailure(
            f"The embedded database in {self.place.data} starts but takes no connections; see {self.place.log}."
        )

    def stop(self, *, at_once: bool = False) -> None:
        """Stops the server and waits for it; open connections are cut. Does nothing where none runs."""
        if self.find_postmaster() is None:
            return
        mode = "immediate" if at_once else "fast"
        self.programs.run("pg_ctl", ["stop", "-D", str(self._real.data), "-m", mode, "-w", "-t", "30"], seconds=40)

    def find_postmaster(self) -> psutil.Process | None:
        """The running server of this very folder; None where the pid in its file is gone or somebody else's."""
        try:
            pid = int((self.place.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process if self._is_ours(process) else None
        except (OSError, ValueError, psutil.Error):
            return None

    def connect(self, database: str = DATABASE, *, role: str = ROLE) -> psycopg.Connection[TupleRow]:
        """A connection of its own, in autocommit. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.place.socket_folder), dbname=database, user=role, autocommit=True, connect_timeout=5
        )

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Stops the server at the exit, and also when this process is killed meanwhile."""
        guard = self.programs.guard("pg_ctl", ["stop", "-D", str(self._real.data), "-m", "fast", "-s"])
        try:
            yield
        finally:
            guard.release(seconds=70)

    @cached_property
    def _account(self) -> Account | None:
        return find_unprivileged_account()

    @cached_property
    def _real(self) -> EmbeddedPlace:
        return settle(self.place, self._account)

    @cached_property
    def programs(self) -> Programs:
        """The programs of this server's version, as its account runs them."""
        return find_programs(self._account, self._real.data.parent, self.major)

    def _wait_until_it_has_ended(self) -> None:
        until = time.monotonic() + 20
        while self.find_postmaster() is not None and time.monotonic() < until:
            time.sleep(0.05)

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.name() == "postgres" and Path(process.cwd()) == self.place.data.resolve()

    def _make_if_missing(self) -> None:
        """Made beside its place and renamed into it, so that a killed first start leaves nothing half made."""
        data = self._real.data
        if (data / "PG_VERSION").exists():
            return
        fresh = data.with_name(f"{data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._account:
            self._account.own(fresh)
        arguments = ["-D", str(fresh), "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--data-checksums"]
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.major >= _BUILTIN_SINCE else []
        arguments += [*builtin, "--locale=C"]
        self.programs.run("initdb", arguments if self.durable else [*arguments, "--no-sync"], seconds=120)
        if data.exists():
            data.rmdir()
        fresh.rename(data)

    def _refuse_other_version(self) -> None:
        found = read_version(self._real.data)
        if found != self.major:
            raise OtherVersion(self.place.data, found, self.major)

    def _clear_after_a_crash(self) -> None:
        """Waits for orphans of a killed server, then removes pid files that name a process which is not a server of this folder.

        PostgreSQL itself trusts any live pid in them, and refuses to start when a stranger has got the number meanwhile.
        """
        stale = self._real.data / "postmaster.pid"
        locks = list(self._real.socket_folder.glob(".s.PGSQL.*.lock"))
        if not stale.exists() and not locks:
            return
        until = time.monotonic() + 15
        while any(self._is_readable_and_ours(process) for process in psutil.process_iter()):
            if time.monotonic() > until:
                raise EmbeddedFailure(
                    f"Processes of a killed server still work in {self.place.data}: end them, then start again."
                )
            time.sleep(0.1)
        for path in (stale, *locks):
            path.unlink(missing_ok=True)

    def _is_readable_and_ours(self, process: psutil.Process) -> bool:
        try:
            return self._is_ours(process)
        except psutil.Error:
            return False

    def _run_in_background(self) -> None:
        settings = (
            _SETTINGS
            | (_DURABLE if self.durable else _FORGETFUL)
            | {"unix_socket_directories": str(self._real.socket_folder)}
        )
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        log = self.place.log
        log.parent.mkdir(mode=0o700, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".old.log"))
        try:
            with log.open("ab") as output:  # opened by us, so that the account needs no right in the log folder
                arguments = ["start", "-D", str(self._real.data), "-o", options, "-w", "-t", "60", "-s"]
                self.programs.run("pg_ctl", arguments, seconds=70, output=output)
        except ProgramFailed as error:
            raise EmbeddedFailure(
                f"The embedded database did not start; the last lines of {log}: {_tail(log)}"
            ) from error

    def _ensure_database(self) -> None:
        with self.connect("postgres", role=OWNER) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )


def read_version(data: Path) -> int:
    """Major version of PostgreSQL that a database folder belongs to, as PostgreSQL itself records it there."""
    return int((data / "PG_VERSION").read_text())


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-4:])
