"""Named crash points: where a test may let the process die as if the power had failed (docs/workflows.md).

``crash_point("runs.claimed")`` does nothing unless REGULARS_CRASH_AT names that point; then the process ends at once, without clean-up.
``name:3`` dies when the point is passed for the third time; ``name/stop`` stops there (SIGSTOP) instead, once, until somebody lets it go on.
"""

import os
import signal
from collections import Counter

from django.conf import settings

from regulars.foundation.registry import Registry

KILLED = 137  # as a shell reports SIGKILL
CRASH_POINTS: Registry[str] = Registry("crash point")
_passed: Counter[str] = Counter()


def declare(name: str, meaning: str) -> str:
    """Registers a point, so that the crash test finds every one of them. Gives the name back for a module constant."""
    CRASH_POINTS.register(name, meaning)
    return name


def crash_point(name: str) -> None:
    wanted = settings.CRASH_AT
    if not wanted:
        return
    point, _, stops = wanted.partition("/")
    point, _, count = point.partition(":")
    if point != name:
        return
    _passed[name] += 1
    if stops and _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGSTOP)
    elif not stops and _passed[name] >= int(count or 1):
        os._exit(KILLED)
