"""``python -m chaos [--seed N] [--part intake] [--kills 200] [--short]``: all parts in turn, or one. Exit code 0 when everything holds."""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import django

from chaos.points import declared, points_of
from regulars.messages.tests.sink import Sink, free_port
from tests.database import start_database

KILLS = {"workflows": 200, "intake": 20, "woocommerce": 20, "shopify": 20, "outage": 0, "insight": 0}  # at random


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="draws the same kills again")
    parser.add_argument("--part", choices=tuple(KILLS), help="only this one")
    parser.add_argument("--kills", type=int, help="at random, of the part named")
    parser.add_argument("--short", action="store_true", help="the form of the test suite")
    parser.add_argument(
        "--database",
        default="",
        help="of the part 'workflows': address of a migrated, empty database; empty: one of our own, whose server is killed too",
    )
    given = parser.parse_args()
    return 0 if (_play(given) if given.part else _play_all(given.seed)) else 1


def _play_all(seed: int) -> bool:
    """Each part in a process and with a database of its own."""
    began = time.monotonic()
    failed = [part for part in KILLS if subprocess.call(_command(part, seed))]
    struck = {name for part in KILLS if part not in failed for name in points_of(part)}
    missed = sorted(declared() - struck)
    told = f"{len(struck)} of {len(declared())} named points were struck; {time.monotonic() - began:.0f} s"
    sys.stdout.write(f"{told}\n{''.join(f'  FAIL  {name}{chr(10)}' for name in [*failed, *missed])}")
    return not failed and not missed


def _command(part: str, seed: int) -> list[str]:
    return [sys.executable, "-m", "chaos", "--part", part, "--seed", str(seed)]


def _play(given: argparse.Namespace) -> bool:
    kills = KILLS[given.part] if given.kills is None else given.kills
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-chaos-"))
        sink = stack.enter_context(Sink(Path(home) / "taken", free_port()))
        server = None
        if not given.database:
            database = stack.enter_context(start_database(durable=True))
            server, given.database = database.server, stack.enter_context(database.copy("chaos"))
        _set_environment(home, given.database, sink.port)
        django.setup()
        if given.part == "workflows":
            return bool(import_module("chaos.run").run(given.seed, kills, sink, server, is_short=given.short))
        if given.part in ("woocommerce", "shopify"):
            return bool(import_module("chaos.shops").run(given.part, given.seed, kills, server))
        return bool(import_module(f"chaos.{given.part}").run(given.seed, kills, server))


def _set_environment(home: str, database: str, port: int) -> None:
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
            "REGULARS_HOME": home,
            "DATABASE_URL": database,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "REGULARS_SENDING": "on",
            "REGULARS_COOL_OFF": "0s",
            "REGULARS_LOG_LEVEL": "CRITICAL",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
