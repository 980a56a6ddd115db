from typing import Any

from django.core.management.base import BaseCommand

from regulars.config import environment
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.upgrade import upgrade
from regulars.foundation.supervisor.processes import only_one


class Command(BaseCommand):
    help = "Move the embedded database to the PostgreSQL that this version brings, when 'regulars start' asks for it; the old one is kept."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if environment.read("DATABASE_URL"):
            self.stdout.write("DATABASE_URL names a server of your own: upgrade it as PostgreSQL's documentation says.")
            return
        home = environment.home()
        with only_one(home):
            done = upgrade(EmbeddedPlace.under(home))
        if done is None:
            self.stdout.write("The database has the right version already: nothing to do.")
            return
        self.stdout.write(
            f"Moved {done.rows:,} rows from PostgreSQL {done.found}. The old database is kept in {done.kept}: "
            "delete it once you have seen that all is well."
        )
