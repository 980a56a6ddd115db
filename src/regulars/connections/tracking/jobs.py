"""What workers read of trackers."""

from regulars.connections.tracking.recording import read
from regulars.foundation.inbox.parsers import Parser, register

KIND = "tracking"
register(Parser(KIND, "Calls of trackers", read, most_inputs=1_000, most_bytes=500_000))  # about a second's work
