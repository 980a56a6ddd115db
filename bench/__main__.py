"""``python -m bench [MODULE ...]``: runs the bench, prints its table and writes it as JSON to ``bench-results/``."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from bench import MODULES, Figure, Scale
from bench.machine import describe_machine, describe_server
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import DATABASE, OWNER, ROLE, EmbeddedServer

_RESULTS = Path("bench-results")
_KEPT = "pages"  # the one module whose data takes longer to make than to measure


def main() -> int:
    """Exit code 1 if a module failed; the figures of the others stand all the same."""
    options = _options()
    scale = Scale(options.scale, options.seed)
    machine = describe_machine()
    _say(
        f"Regulars bench on {machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}"
    )
    _say(f"Scale {scale.factor:g}, seed {scale.seed}, Python {machine['python']}\n")
    figures: list[Figure] = []
    failed: list[str] = []
    with _server(options.keep) as (server, home):
        settings = describe_server(server)
        for name in options.modules or MODULES:
            found = _run_apart(name, scale, server, home, is_kept=bool(options.keep) and name == _KEPT)
            failed += [] if found else [name]
            figures += found
            for figure in found:
                _say(_row(figure))
    _say("\n" + "PostgreSQL: " + ", ".join(f"{name} {value}" for name, value in settings.items()))
    path = _write(figures, scale, machine, settings)
    _say(f"Written to {path}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"which ones; all: {', '.join(MODULES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the size of the architecture's table")
    parser.add_argument("--seed", type=int, default=Scale.seed)
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help=f"keep the shop of '{_KEPT}' there, and measure the one that is there",
    )
    options = parser.parse_args()
    unknown = set(options.modules) - set(MODULES)
    if unknown:
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    return options


@contextmanager
def _server(keep: Path | None) -> Iterator[tuple[EmbeddedServer, Path]]:
    """A migrated embedded server with fsync on, in a folder that is thrown away or kept."""
    with ExitStack() as stack:
        if keep:
            home = keep.resolve()
            home.mkdir(parents=True, exist_ok=True)
        else:
            folder = tempfile.TemporaryDirectory(prefix="regulars-bench-", ignore_cleanup_errors=True)
            home = Path(stack.enter_context(folder))
        home.chmod(0o711)
        server = EmbeddedServer(EmbeddedPlace.under(home))
        server.start()
        with server.guarded():
            _migrate(_environment(home))
            with server.connect("postgres", role=OWNER) as connection:
                connection.execute(sql.SQL("GRANT pg_checkpoint TO {}").format(sql.Identifier(ROLE)))
            yield server, home


def _migrate(environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "regulars", "migrate", "--verbosity", "0"], env=environment, check=True)


def _run_apart(name: str, scale: Scale, server: EmbeddedServer, home: Path, *, is_kept: bool) -> list[Figure]:
    """The figures of one module, run in a process and a database of its own; none where it failed."""
    own = home / f"of-{name}"
    own.mkdir(exist_ok=True)
    own.chmod(0o711)
    with _database(f"bench_{name}", server, is_kept=is_kept) as address:
        environment = _environment(own) | {"DATABASE_URL": address}
        if is_kept:
            _migrate(environment)
        path = own / "figures.json"
        command = [sys.executable, "-m", "bench.one", name, str(scale.factor), str(scale.seed), str(path)]
        done = subprocess.run(command, env=environment, check=False)
    return [] if done.returncode else [Figure(**row) for row in json.loads(path.read_text())]


@contextmanager
def _database(name: str, server: EmbeddedServer, *, is_kept: bool) -> Iterator[str]:
    """Address of a database of this name, a copy of the migrated one unless one was kept."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*map(sql.Identifier, (name, DATABASE, ROLE)))
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with server.connect("postgres", role=OWNER) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if there and not is_kept:
            connection.execute(drop)
        if not (there and is_kept):
            connection.execute(create)
    yield f"postgresql://{ROLE}@/{name}?host={server.place.socket_folder}"
    if not is_kept:
        with server.connect("postgres", role=OWNER) as connection:
            connection.execute(drop)


def _environment(home: Path) -> dict[str, str]:
    own = {"REGULARS_HOME": str(home), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "regulars.config.settings"}
    return dict(os.environ) | own | {"REGULARS_LOG_LEVEL": "WARNING", "REGULARS_STATEMENT_TIMEOUT": "60min"}


def _row(figure: Figure) -> str:
    limit = "" if figure.limit_value is None else f"limit {_number(figure.limit_value)}, ratio {figure.ratio or 0:.2f}"
    goal = f"goal: {figure.goal}" if figure.goal else ""
    parts = [f"{figure.name:<52} {_number(figure.value):>10} {figure.unit:<14}", limit, goal, figure.note]
    return "  ".join(part for part in parts if part)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _write(figures: list[Figure], scale: Scale, machine: dict[str, str], settings: dict[str, str]) -> Path:
    _RESULTS.mkdir(exist_ok=True)
    at = datetime.now(UTC)
    path = _RESULTS / f"{at:%Y%m%d-%H%M%S}.json"
    content = {"at": at.isoformat(), "scale": asdict(scale), "machine": machine, "postgresql": settings}
    path.write_text(json.dumps(content | {"figures": [asdict(f) for f in figures]}, indent=1))
    return path


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  the answer of a command


if __name__ == "__main__":
    sys.exit(main())
