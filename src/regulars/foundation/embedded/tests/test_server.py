"""Real servers, really killed."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from regulars.foundation.embedded.account import Account
from regulars.foundation.embedded.errors import EmbeddedFailure, OtherVersion
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import EmbeddedServer, read_version
from regulars.foundation.embedded.settling import settle


def until(holds: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def postmaster_pid(server: EmbeddedServer) -> int:
    process = server.find_postmaster()
    assert process is not None
    return int(process.pid)


def test_it_is_made_durable_closed_and_without_rights_beyond_its_own_database(server: EmbeddedServer) -> None:
    server.start()
    names = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses", "server_encoding"]
    with server.connect() as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in names]
        role = connection.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        locale = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert shown == [("on",), ("on",), ("on",), ("on",), ("",), ("UTF8",)]
    assert role == ("regulars", False)
    assert locale == ("b", "C.UTF-8")
    assert stat.S_IMODE(server.place.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.place.data.stat().st_mode) == 0o700
    process = server.find_postmaster()
    assert process is not None
    assert process.uids().effective != 0


def test_a_second_start_adopts_the_running_server_and_a_later_one_keeps_its_rows(server: EmbeddedServer) -> None:
    server.start()
    pid = postmaster_pid(server)
    with server.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    EmbeddedServer(server.place).start()
    assert postmaster_pid(server) == pid
    server.stop()
    assert server.find_postmaster() is None
    server.stop()  # nothing runs: nothing happens
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_after_a_kill_it_starts_again_with_every_commit(server: EmbeddedServer) -> None:
    server.start()
    with server.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        os.kill(postmaster_pid(server), signal.SIGKILL)
        assert until(lambda: server.find_postmaster() is None)
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_pid_file_that_names_a_stranger_is_not_believed(server: EmbeddedServer) -> None:
    server.start()
    lines = (server.place.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    stranger = str(os.getpid())  # lives, and is no server
    (server.place.data / "postmaster.pid").write_text("\n".join([stranger, *lines[1:]]))
    (server.place.socket_folder / ".s.PGSQL.5432.lock").write_text("\n".join([stranger, *lines[1:]]))
    assert server.find_postmaster() is None
    server.stop()  # must not touch the stranger
    server.start()
    assert postmaster_pid(server) != os.getpid()


def test_what_a_killed_first_start_left_is_made_anew(server: EmbeddedServer) -> None:
    half_made = server.place.data.with_name("postgres.new")
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18")
    server.start()
    assert not half_made.exists()
    with server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_database_of_another_major_version_is_refused_and_left_alone(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    version = server.place.data / "PG_VERSION"
    version.write_text("16\n")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in server.place.data.iterdir())
    with pytest.raises(OtherVersion, match=r"made by PostgreSQL 16 .* brings 18: run 'regulars upgrade-database'"):
        server.start()
    assert server.find_postmaster() is None
    assert sorted((path.name, path.stat().st_mtime_ns) for path in server.place.data.iterdir()) == before
    assert read_version(server.place.data) == 16


def test_a_server_that_is_met_while_it_stops_is_started_again(server: EmbeddedServer) -> None:
    server.start()
    first = postmaster_pid(server)
    with server.connect() as session:  # an open session delays a smart shutdown, during which no other is let in
        os.kill(first, signal.SIGTERM)
        with pytest.raises(psycopg.OperationalError), server.connect():
            pass
        ender = threading.Timer(1.0, session.close)
        ender.start()
        server.start()
        ender.join()
    assert postmaster_pid(server) != first


def test_a_socket_folder_that_somebody_else_has_made_is_refused(home: Path) -> None:
    deep = home / ("deep" * 20)
    place = EmbeddedPlace.under(deep)
    assert place.socket_folder.parent != deep
    trap = home / "trap"
    trap.mkdir(mode=0o755)
    place.socket_folder.symlink_to(trap)
    try:
        with pytest.raises(EmbeddedFailure, match="was made by somebody else"):
            settle(place, None)
        assert stat.S_IMODE(trap.stat().st_mode) == 0o755
    finally:
        place.socket_folder.unlink()


def test_it_ends_when_its_owner_is_killed(server: EmbeddedServer) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from regulars.foundation.embedded.place import EmbeddedPlace\n"
        "from regulars.foundation.embedded.server import EmbeddedServer\n"
        "server = EmbeddedServer(EmbeddedPlace.under(Path(sys.argv[1])))\n"
        "server.start()\n"
        "with server.guarded():\n"
        "    print('ready', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(server.place.data.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        pid = postmaster_pid(server)
        owner.kill()
    assert until(lambda: server.find_postmaster() is None)
    assert until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(psycopg.OperationalError):
        server.connect()


def test_for_root_a_closed_folder_gets_links_and_keeps_its_rights(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server under another account")
    elsewhere = home / "elsewhere"
    monkeypatch.setattr("regulars.foundation.embedded.settling._ELSEWHERE", elsewhere)
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    place = EmbeddedPlace.under(closed)
    real = settle(place, Account("nobody", 65534, 65534))
    assert real.data.parent.parent == elsewhere
    assert (place.data.is_symlink(), place.data.resolve()) == (True, real.data)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert settle(place, Account("nobody", 65534, 65534)) == real
