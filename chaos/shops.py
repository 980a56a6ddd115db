"""A shop that sells while workers and the database die; the same for every platform, by the stand that its contract is played with.

The shop is a fake; it drops, doubles and shuffles its webhooks and answers badly. Workers are killed at every named point of pulling
and of reading, and at random. In the end the shop is looked through once more, and the record must say what the shop says.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from chaos.hands import Workers
from chaos.points import points_of
from chaos.shopscene import STANDS, Scene, set_up
from chaos.verdict import print_table
from regulars.foundation.embedded.server import EmbeddedServer

PATIENCE = 300.0  # until all is read; a busy machine takes its time
EACH_DATABASE = 10
ORDERS = 120  # that the shop has when it is connected


def run(platform: str, seed: int, kills: int, server: EmbeddedServer | None) -> bool:
    """Prints what was done and what was found. True when everything holds."""
    dice, began = random.Random(seed), time.monotonic()  # noqa: S311  kills need no secret dice
    done: Counter[str] = Counter()
    with ExitStack() as stack:
        stand = STANDS[platform]()
        stack.enter_context(stand.served())
        scene = set_up(stand, seed, ORDERS)
        workers = stack.enter_context(Workers(time.time(), "chaos.shopworking"))
        problems = _kill_at_every_point(platform, scene, workers, done)
        _kill_at_random(scene, workers, server, dice, kills, done)
        scene.calm_down()
        if not _until(scene.is_quiet, workers):
            problems.append("the workers did not come to rest")
        findings = scene.judge()
    told = ", ".join(f"{n} {what}" for what, n in (done + scene.done).items())
    sys.stdout.write(f"A shop on {platform} with seed {seed}: {told}; {time.monotonic() - began:.0f} s\n")
    sys.stdout.write(f"{print_table(findings)}\n{''.join(f'  FAIL  {problem}{chr(10)}' for problem in problems)}")
    return not problems and all(found.holds for found in findings)


def _kill_at_every_point(platform: str, scene: Scene, workers: Workers, done: Counter[str]) -> list[str]:
    """One worker dies at each named point, by itself, with work at hand. The points that were never reached."""
    problems = []
    for point in points_of(platform):
        pid = workers.spawn(point)
        until = time.monotonic() + PATIENCE / 6
        while workers.wait_for(pid, 0.3) is None and time.monotonic() < until:
            scene.sell()
        if pid in workers.ended:
            done["named points"] += 1
        else:
            problems.append(f"the point {point} was never reached")
            workers.kill(pid)
    return problems


def _kill_at_random(
    scene: Scene,
    workers: Workers,
    server: EmbeddedServer | None,
    dice: random.Random,
    kills: int,
    done: Counter[str],
) -> None:
    """So many SIGKILLs while the shop sells; the database stops at once, as in a power cut, at every tenth."""
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
            scene.see_to_webhooks()
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
