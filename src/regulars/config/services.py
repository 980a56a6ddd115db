"""The processes of one installation, as the supervisor starts them."""

import sys
from collections.abc import Sequence

from regulars.config import environment
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import EmbeddedServer
from regulars.foundation.supervisor.processes import Service


def command(name: str, arguments: Sequence[str], **changes: str) -> Service:
    """A command of ours as a process of its own; ``changes`` are to declared environment variables."""
    return Service(name, [sys.executable, "-m", "regulars", *arguments], environment.for_child(**changes))


def web(**changes: str) -> Service:
    return command("web", ["serve"], **changes)


def worker(name: str = "worker", **changes: str) -> Service:
    return command(name, ["worker"], **changes)


def migrate(**changes: str) -> Service:
    return command("migrate", ["migrate", "--verbosity", "0"], **changes)


def embedded_server() -> EmbeddedServer | None:
    """The server of our data folder; None where DATABASE_URL names another."""
    if environment.read("DATABASE_URL"):
        return None
    return EmbeddedServer(EmbeddedPlace.under(environment.home()))
