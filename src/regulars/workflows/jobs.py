"""The loop that advances runs, in every worker at once."""

import os
import socket
from datetime import datetime

from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.workflows.runs.driving import step_runs

OWNER = f"{socket.gethostname()}:{os.getpid()}"


def advance_runs(stop: Stop, at: datetime) -> bool:
    """One batch of due runs."""
    return step_runs(OWNER, at) > 0


LOOPS.register("workflows.runs", Loop(advance_runs, "Advances the runs of workflows that are due", idle_seconds=1.0))
