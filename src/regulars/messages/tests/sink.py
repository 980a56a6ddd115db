"""A mail server of our own that writes down what it took: one line for each mail, before it says that it took it."""

import re
import socket
from collections import Counter
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Sink:
    """Keeps mails in memory and, if given a file, the effect key of each on a line of its own."""

    def __init__(self, log: Path | None = None, port: int = 0, reply: str = "250 OK") -> None:
        self.mails: list[Message] = []
        self.raw: list[bytes] = []
        self.reply = reply
        self._log = log
        self._controller = Controller(self, hostname="127.0.0.1", port=port or free_port(), ready_timeout=10)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        raw = bytes(envelope.original_content)
        if self.reply.startswith("250"):
            self.raw.append(raw)
            self.mails.append(message_from_bytes(raw))
            if self._log is not None:
                with self._log.open("a") as file:
                    file.write(key_of(raw) + "\n")
        return self.reply

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def counts(self) -> Counter[str]:
        """How often each effect key was taken."""
        return Counter(key_of(raw) for raw in self.raw)

    def __enter__(self) -> "Sink":
        self._controller.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()


def key_of(raw: bytes) -> str:
    """Effect key in a mail's Message-ID."""
    found = re.search(rb"(?im)^message-id:\s*<([0-9a-f]{32})@", raw)
    return found[1].decode() if found else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
