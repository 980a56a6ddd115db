import ipaddress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from regulars.config import environment
from regulars.config.checks import refuse_unsafe_installation
from regulars.config.static import gather_static_files
from regulars.foundation.supervisor.ports import require_free_port

_REQUEST_LIMIT = "15s"  # a page that takes longer is a defect; the worker has its own, longer limit


class Command(BaseCommand):
    help = "Run the web server on REGULARS_BIND and PORT; refuses an unsafe installation, as 'regulars check' does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=1, help="web processes (1)")
        parser.add_argument(
            "--threads", type=int, default=16, help="requests that each process serves at once (16, at least 3)"
        )

    def handle(self, *args: Any, processes: int, threads: int, **options: Any) -> None:
        bind, port = environment.read("REGULARS_BIND"), environment.read_port()
        if settings.SECURE or (not settings.DEBUG and not is_loopback(bind)):
            refuse_unsafe_installation()
        require_free_port(bind, port)
        if not settings.DEBUG:
            gather_static_files()
        environment.set_default("REGULARS_STATEMENT_TIMEOUT", _REQUEST_LIMIT)  # for the processes that serve
        Server(
            "regulars.config.wsgi:application",
            address=bind,
            port=port,
            interface=Interfaces.WSGI,
            # One connection of HTTP/2 brings a hundred half bodies and stays busy by itself: see inbox/bodies.py. Proxies speak it to browsers.
            http=HTTPModes.http1,
            workers=processes,
            blocking_threads=max(threads, 3),
            respawn_failed_workers=True,
            workers_kill_timeout=10,
            log_access=False,
        ).serve()


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
