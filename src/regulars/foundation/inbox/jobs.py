"""The loops of the inbox: reading what came in, and forgetting it when its time is over. What workers can carry out for its list."""

from regulars.foundation.inbox.operations import keep_up
from regulars.foundation.inbox.reading import read_few, read_waiting
from regulars.foundation.inbox.views import INBOX
from regulars.foundation.pages import bulk
from regulars.foundation.work.loops import LOOPS, Loop

LOOPS.register("inbox.read", Loop(read_waiting, "Reads what came in from outside", idle_seconds=0.3))
LOOPS.register("inbox.few", Loop(read_few, "Reads sources of which little waits, beside the others", idle_seconds=0.15))
LOOPS.register(
    "inbox.upkeep",
    Loop(
        keep_up,
        "Makes the inbox's days ahead of time and drops old ones with their keys",
        idle_seconds=3600,
        is_exclusive=True,
    ),
)
bulk.register(INBOX)
