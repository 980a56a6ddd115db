"""Short forms of ``python -m chaos``, and that no named crash point is left out of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaos.__main__ import KILLS
from chaos.points import STRUCK, declared, points_of
from tests.database import Database

ROOT = Path(__file__).resolve().parent.parent
SEED, MOST_KILLS = "20111209", "5"


def played(*arguments: str) -> tuple[int, str]:
    """The exit code, 0 where everything holds, and what was said."""
    command = [sys.executable, "-m", "chaos", "--short", "--seed", SEED, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr[-3000:]


def test_every_named_point_is_struck_by_a_part() -> None:
    """Give a new one to a part in ``chaos/points.py``; the part fails where it does not reach it."""
    struck = {name for part in STRUCK for name in points_of(part)}
    assert len(declared()) > 15
    assert sorted(declared() - struck) == []
    assert STRUCK.keys() == KILLS.keys()


@pytest.mark.slow
def test_nothing_is_lost_or_sent_twice(database_server: Database) -> None:
    """Every named point of runs and messages, two stops past the lease, some random kills."""
    with database_server.copy("chaos_short") as address:
        code, said = played("--part", "workflows", "--kills", MOST_KILLS, "--database", address)
    assert code == 0, said


@pytest.mark.slow
def test_while_the_database_is_away_or_full_nobody_is_thanked() -> None:
    """Bar 12: the server really stopped, its power cut, its disk full; 503 and nothing else, and nothing lost that was thanked for."""
    code, said = played("--part", "outage")
    assert code == 0, said
