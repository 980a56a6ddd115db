from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from regulars.config import environment, services
from regulars.foundation.supervisor.ports import require_free_port
from regulars.foundation.supervisor.supervisor import supervise, wait_for_http


class Command(BaseCommand):
    help = "Start everything on this machine: the embedded database unless DATABASE_URL is set, migrations, web and workers; Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=1, help="worker processes (1)")

    def handle(self, *args: Any, workers: int, **options: Any) -> None:
        home = environment.home()
        bind, port = environment.read("REGULARS_BIND"), environment.read_port()
        require_free_port(bind, port)
        address = f"http://{bind}:{port}"
        with supervise(home, services.embedded_server()) as supervisor:
            call_command("migrate", verbosity=0)
            connection.close()
            supervisor.keep(services.web())
            for number in range(1, workers + 1):
                supervisor.keep(services.worker(f"worker-{number}" if workers > 1 else "worker"))
            if wait_for_http(f"{address}/healthz", 30):
                self._say(f"Regulars runs at {address} (data in {home}; Ctrl-C ends it)")
            else:
                self._say(f"The web server does not answer yet; it says why in {home / 'log' / 'web.log'}")
            supervisor.wait()
            self._say("Stopping ...")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
