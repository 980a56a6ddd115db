"""``python -m chaos [--seed N] [--kills 200] [--part intake] [--short]``. Exit code 0 when everything holds."""

import argparse
import os
import secrets
import sys
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import django

from regulars.messages.tests.sink import Sink, free_port
from tests.database import start_database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="draws the same kills again")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--part", choices=("workflows", "intake"), help="only this part; both otherwise")
    parser.add_argument("--short", action="store_true", help="fewer stops, no poisoned run: the form of the test suite")
    parser.add_argument(
        "--database",
        default="",
        help="address of a migrated, empty database; empty: one of our own, whose server is killed too",
    )
    given = parser.parse_args()
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-chaos-"))
        sink = stack.enter_context(Sink(Path(home) / "taken", free_port()))
        server = None
        if not given.database:
            database = stack.enter_context(start_database(durable=True))
            server, given.database = database.server, stack.enter_context(database.copy("chaos"))
        _set_environment(home, given.database, sink.port)
        django.setup()
        found = True
        if given.part != "intake":
            found &= import_module("chaos.run").run(given.seed, given.kills, sink, server, is_short=given.short)
        if given.part != "workflows" and not given.short:
            found &= import_module("chaos.intake").run(given.seed, given.kills // 10, server)
    return 0 if found else 1


def _set_environment(home: str, database: str, port: int) -> None:
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
            "REGULARS_HOME": home,
            "DATABASE_URL": database,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "REGULARS_SENDING": "on",
            "REGULARS_COOL_OFF": "0s",
            "REGULARS_LOG_LEVEL": "ERROR",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
