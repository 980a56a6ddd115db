from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection

from regulars.foundation.clock import now
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.record.customers.models import Customer

FOLD = 2  # raised whenever cached cards or figures get another shape: whoever upgrades has them made anew


class Command(migrate.Command):
    help = "Bring the database's tables up to this version. Run it once, before web and workers start."

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")  # an index over a large table takes as long as it takes
        super().handle(*args, **options)
        is_whole = not (options["app_label"] or options["plan"] or options["check_unapplied"])
        if is_whole and read_setting("record.fold") != FOLD:
            if Customer.objects.exists():
                call_command("refold", stdout=self.stdout)
            write_setting("record.fold", FOLD, now())
