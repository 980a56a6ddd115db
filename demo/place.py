"""Where a demo runs: its folder, its ports, and the settings that keep its mail in the house."""

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regulars.foundation.errors import RegularsError

_LOCAL = "127.0.0.1"


class PortTaken(RegularsError):
    """The port that was asked for cannot be had."""

    code = "port-taken"
    status = 409


@dataclass(frozen=True)
class Place:
    """One demo's data folder and ports; ``catcher_port`` shows the caught mail, ``smtp_port`` takes it, ``shop_port`` is the web shop's."""

    home: Path
    port: int
    smtp_port: int
    catcher_port: int
    shop_port: int

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def catcher_address(self) -> str:
        return f"http://localhost:{self.catcher_port}"

    @property
    def shop_address(self) -> str:
        return f"http://localhost:{self.shop_port}"

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """What every process of the demo sees. Mail goes to the catcher only, whatever the caller's environment says."""
        return dict(outer) | {
            "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
            "REGULARS_HOME": str(self.home),
            "PORT": str(self.port),
            "REGULARS_PUBLIC_URL": outer.get("REGULARS_PUBLIC_URL") or self.address,
            "EMAIL_URL": f"smtp://{_LOCAL}:{self.smtp_port}",
            "REGULARS_SENDING": "on",
            "REGULARS_COOL_OFF": "0s",
            "REGULARS_RECIPIENTS": "*.example",
            "REGULARS_STATEMENT_TIMEOUT": "5min",
        }


def find_place(outer: Mapping[str, str]) -> Place:
    """The folder that REGULARS_HOME names (else .regulars here) and free ports. Raises PortTaken for a PORT that is not free."""
    home = Path(outer.get("REGULARS_HOME") or ".regulars").expanduser().resolve()
    port = _wanted_port(outer["PORT"]) if outer.get("PORT") else free_port(range(8000, 8100))
    smtp = free_port(range(1025, 1125), {port})
    catcher = free_port(range(8025, 8125), {port, smtp})
    return Place(home, port, smtp, catcher, free_port(range(8125, 8225), {port, smtp, catcher}))


def _wanted_port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise PortTaken(f"PORT must be a number from 1 to 65535, not '{text[:20]}'.")
    if not _is_free(int(text)):
        raise PortTaken(f"Another program listens on port {text}: set PORT to another number, or leave it unset.")
    return int(text)


def free_port(wanted: Iterable[int], taken: Iterable[int] = ()) -> int:
    """First of the wanted ports on which nobody listens, else any free one."""
    apart = set(taken)
    return next((port for port in wanted if port not in apart and _is_free(port)), 0) or _any_free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOCAL, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOCAL, 0))
        return int(probe.getsockname()[1])


def present_environment() -> Mapping[str, str]:
    """The caller's environment; the demo reads it here only."""
    return os.environ
