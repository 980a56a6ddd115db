"""The short form of ``python -m chaos``: every named point, two stops past the lease, some random kills."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.database import Database

ROOT = Path(__file__).resolve().parent.parent
SEED, KILLS = "20111209", "12"


@pytest.mark.slow
def test_nothing_is_lost_or_sent_twice(database_server: Database) -> None:
    with database_server.copy("chaos_short") as address:
        command = [sys.executable, "-m", "chaos", "--short", "--seed", SEED, "--kills", KILLS, "--database", address]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
