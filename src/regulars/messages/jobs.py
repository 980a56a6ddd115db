"""The loop that sends what is due, in every worker at once."""

import os
import socket
from datetime import datetime

from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.messages.sending.driving import send_batch

OWNER = f"{socket.gethostname()}:{os.getpid()}"


def send_due(stop: Stop, at: datetime) -> bool:
    """At most twenty due messages."""
    return send_batch(OWNER, at) > 0


LOOPS.register("messages.send", Loop(send_due, "Sends the messages that are due", idle_seconds=1.0))
