from typing import Any

from django.core.management.commands import migrate
from django.db import connection


class Command(migrate.Command):
    help = "Bring the database's tables up to this version. Run it once, before web and workers start."

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")  # an index over a large table takes as long as it takes
        super().handle(*args, **options)
