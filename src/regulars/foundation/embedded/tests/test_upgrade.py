import shutil
from collections.abc import Iterator

import pytest

from regulars.foundation.embedded import upgrade as module
from regulars.foundation.embedded.errors import EmbeddedFailure, OtherVersion
from regulars.foundation.embedded.server import EmbeddedServer, read_version
from regulars.foundation.embedded.upgrade import UpgradeFailed, upgrade


@pytest.fixture
def old(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A stopped server of the older version, with rows."""
    old = EmbeddedServer(server.place, major=16)
    old.start()
    with old.connect() as connection:
        connection.execute("CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY, word text, at timestamptz)")
        connection.execute(
            "INSERT INTO kept (word, at) SELECT 'wörd ' || n, '2026-01-01Z' FROM generate_series(1, 500) n"
        )
    old.stop()
    yield old
    old.stop(at_once=True)


def test_every_row_arrives_and_the_old_folder_is_kept(server: EmbeddedServer, old: EmbeddedServer) -> None:
    with pytest.raises(OtherVersion):
        server.start()
    done = upgrade(server.place)
    assert done is not None
    assert (done.found, done.rows) == (16, 500)
    assert read_version(done.kept) == 16
    assert read_version(server.place.data) == 18
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT count(*), min(word), max(id) FROM kept").fetchone() == (500, "wörd 1", 500)
        assert connection.execute("INSERT INTO kept (word) VALUES ('new') RETURNING id").fetchone() == (501,)
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'").fetchone()
        assert owner == ("regulars",)
    server.stop()
    assert upgrade(server.place) is None
    names = sorted(path.name for path in server.place.data.parent.iterdir())
    assert names == ["log", "postgres", "postgres-16", "socket"]


def test_a_failure_leaves_the_old_database_where_it_was(
    server: EmbeddedServer, old: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "_restore", lambda new, dump: {})
        with pytest.raises(UpgradeFailed):
            upgrade(server.place)
    assert read_version(server.place.data) == 16
    done = upgrade(server.place)
    assert done is not None
    assert done.rows == 500


def test_a_kill_in_the_middle_is_undone_by_the_next_run(server: EmbeddedServer, old: EmbeddedServer) -> None:
    real = server.place.data.resolve()
    real.rename(real.with_name("postgres.moving"))
    server.start()  # the new one, still empty
    server.stop()
    done = upgrade(server.place)
    assert done is not None
    assert done.rows == 500


def test_a_version_that_we_do_not_bring_is_one_sentence_that_says_how(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.place.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedFailure, match=r"brings no PostgreSQL 15\. Dump the database with the version"):
        upgrade(server.place)
    assert read_version(server.place.data) == 15
    shutil.rmtree(server.place.data)
    with pytest.raises(EmbeddedFailure, match="There is no database"):
        upgrade(server.place)
