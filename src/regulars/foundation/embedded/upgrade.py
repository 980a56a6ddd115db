"""Moves a data folder to the major version of PostgreSQL that this version of Regulars brings: dumped, restored, counted, the old one kept."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from regulars.foundation.embedded.errors import EmbeddedFailure
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.programs import MAJOR
from regulars.foundation.embedded.server import DATABASE, OWNER, ROLE, EmbeddedServer, read_version

_LONGEST_SECONDS = 6 * 3600.0


class UpgradeFailed(EmbeddedFailure):
    """The database could not be moved; the old one is where it was, unchanged."""


@dataclass(frozen=True)
class Upgraded:
    """From which version, how many rows, and where the old database is kept until somebody deletes it."""

    found: int
    rows: int
    kept: Path


def upgrade(place: EmbeddedPlace) -> Upgraded | None:
    """Moves the database; None where it has our version already. The caller holds the data folder's lock.

    The old folder is renamed, never changed; after a failure or a kill the next run puts it back and begins anew. Raises EmbeddedFailure.
    """
    _put_back(place)
    if not (place.data / "PG_VERSION").exists():
        raise EmbeddedFailure(f"There is no database in {place.data}.")
    found = read_version(place.data)
    if found == MAJOR:
        return None
    real = place.data.resolve()
    dump = real.with_name("upgrade.dump")
    counts = _dump(EmbeddedServer(place, major=found), dump, real)
    kept = real.with_name(f"{real.name}-{found}")
    real.rename(real.with_name(f"{real.name}.moving"))
    try:
        if _restore(EmbeddedServer(place), dump) != counts:
            raise UpgradeFailed(
                "The new database does not hold the same rows as the old one; the old one is unchanged."
            )
    except EmbeddedFailure:
        _put_back(place)
        raise
    real.with_name(f"{real.name}.moving").rename(kept)
    shutil.rmtree(dump)
    return Upgraded(found, sum(counts.values()), kept)


def _put_back(place: EmbeddedPlace) -> None:
    """Undoes an upgrade that did not come to its end."""
    real = place.data.resolve()
    moving = real.with_name(f"{real.name}.moving")
    if moving.exists():
        EmbeddedServer(place).stop(at_once=True)
        shutil.rmtree(real, ignore_errors=True)
        moving.rename(real)


def _dump(old: EmbeddedServer, dump: Path, real: Path) -> dict[str, int]:
    shutil.rmtree(dump, ignore_errors=True)
    old.start()
    with old.guarded():
        counts = count_rows(old)
        newest = EmbeddedServer(old.place).programs  # a newer pg_dump reads older servers, not the other way round
        where = ["-h", str(old.place.socket_folder.resolve()), "-U", OWNER, "-d", DATABASE]
        target = real / "upgrade.dump"  # inside the database folder: the one place where its account may write
        shutil.rmtree(target, ignore_errors=True)
        newest.run("pg_dump", [*where, "-Fd", "-Z", "1", "-f", str(target)], seconds=_LONGEST_SECONDS)
    target.rename(dump)
    return counts


def _restore(new: EmbeddedServer, dump: Path) -> dict[str, int]:
    new.start()
    with new.guarded():
        where = ["-h", str(new.place.socket_folder.resolve()), "-U", ROLE, "-d", DATABASE]
        arguments = [*where, "--no-owner", "--exit-on-error", "--single-transaction", str(dump)]
        new.programs.run("pg_restore", arguments, seconds=_LONGEST_SECONDS)
        return count_rows(new)


def count_rows(server: EmbeddedServer) -> dict[str, int]:
    """Exact number of rows of every table of ours."""
    tables = "SELECT schemaname, relname FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'pg_%' ORDER BY schemaname, relname"
    counts = {}
    with server.connect(role=OWNER) as connection:
        for schema, name in connection.execute(tables).fetchall():
            found = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
            ).fetchone()
            counts[f"{schema}.{name}"] = found[0] if found else 0
    return counts
