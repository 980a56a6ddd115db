"""A shop that sells while workers and the database die: ``python -m chaos.shops [--seed N] [--kills 60]``. Exit code 0 when all holds.

The shop is a fake; it drops, doubles and shuffles its webhooks and answers badly. Workers are killed at every named point of pulling
and of the inbox, and at random. In the end the shop is looked through once more, and the record must say what the shop says.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import django

from chaos.hands import Workers
from chaos.shopclock import ShopClock
from fakes.disturbing import Disturbance
from fakes.woocommerce import FakeWooCommerce, Shop
from regulars.foundation.embedded.server import EmbeddedServer
from tests.database import start_database

if TYPE_CHECKING:
    from chaos.shopscene import Scene

PATIENCE = 120.0
EACH_DATABASE = 15


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos.shops", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="draws the same kills again")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--orders", type=int, default=300, help="that the shop has when it is connected")
    given = parser.parse_args()
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="regulars-chaos-"))
        shop = stack.enter_context(FakeWooCommerce(Shop(clock=ShopClock(), disturbance=Disturbance(given.seed))))
        database = stack.enter_context(start_database(durable=True))
        _set_environment(home, stack.enter_context(database.copy("chaos")), shop)
        django.setup()
        scene: Scene = import_module("chaos.shopscene").set_up(shop, given.seed, given.orders)
        workers = stack.enter_context(Workers(time.time(), "chaos.shopworking"))
        return 0 if _play(scene, workers, database.server, given.seed, given.kills) else 1


def _set_environment(home: str, database: str, shop: FakeWooCommerce) -> None:
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
            "REGULARS_HOME": str(Path(home)),
            "DATABASE_URL": database,
            "REGULARS_REACHABLE": shop.address.partition("://")[2],
            "REGULARS_LOG_LEVEL": "CRITICAL",
        }
    )


def _play(scene: "Scene", workers: Workers, server: EmbeddedServer | None, seed: int, kills: int) -> bool:
    """Prints what was done and what was found. True when everything holds."""
    dice, began = random.Random(seed), time.monotonic()  # noqa: S311  kills need no secret dice
    done: Counter[str] = Counter()
    problems = _kill_at_every_point(scene, workers, done)
    _kill_at_random(scene, workers, server, dice, kills, done)
    scene.calm_down()
    _keep_two(workers)
    if not _until(scene.is_quiet, workers):
        problems.append("the workers did not come to rest")
    findings = scene.judge()
    told = ", ".join(f"{n} {what}" for what, n in (done + scene.done).items())
    sys.stdout.write(f"Shop chaos with seed {seed}: {told}; {time.monotonic() - began:.0f} s\n")
    for rule, found, holds in findings:
        sys.stdout.write(f"  {'ok  ' if holds else 'FAIL'}  {rule}  {found}\n")
    for problem in problems:
        sys.stdout.write(f"  FAIL  {problem}\n")
    return not problems and all(holds for *_, holds in findings)


def _kill_at_every_point(scene: "Scene", workers: Workers, done: Counter[str]) -> list[str]:
    """One worker dies at each named point, by itself, with work at hand. The points that were never reached."""
    problems = []
    for point in scene.points():
        pid = workers.spawn(point)
        until = time.monotonic() + PATIENCE / 3
        while workers.wait_for(pid, 0.3) is None and time.monotonic() < until:
            scene.sell()
        if pid in workers.ended:
            done["named points"] += 1
        else:
            problems.append(f"the point {point} was never reached")
            workers.kill(pid)
    return problems


def _kill_at_random(
    scene: "Scene",
    workers: Workers,
    server: EmbeddedServer | None,
    dice: random.Random,
    kills: int,
    done: Counter[str],
) -> None:
    """So many SIGKILLs while the shop sells; the database stops at once, as in a power cut, at every fifteenth."""
    for turn in range(1, kills + 1):
        alive = _keep_two(workers)
        scene.sell()
        time.sleep(dice.uniform(0.05, 0.4))
        workers.kill(dice.choice(alive))
        done["random kills"] += 1
        if turn % EACH_DATABASE == 0 and server:
            server.stop(at_once=True)
            scene.sell()  # and is told 503
            time.sleep(dice.uniform(0, 1.5))
            server.start()
            done["kills of the database"] += 1


def _keep_two(workers: Workers) -> list[int]:
    workers.listen(0)
    while len(workers.alive) < 2:
        workers.spawn()
    return sorted(workers.alive)


def _until(holds: Callable[[], bool], workers: Workers) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        _keep_two(workers)
        if holds():
            return True
        time.sleep(0.2)
    return False


if __name__ == "__main__":
    sys.exit(main())
