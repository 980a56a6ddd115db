"""What people may ask for, from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import RegularsError
from regulars.record.customers.archive import to_zip
from regulars.record.customers.operations.erasure import erase_customer, export_subject, replay_erasures
from regulars.record.customers.queries import get_customer


class Command(BaseCommand):
    """``regulars privacy export|erase CUSTOMER`` and ``regulars privacy replay``."""

    help = (
        "export: everything about one person as a ZIP. erase: forgets one person. replay: erases again after a restore."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["export", "erase", "replay"])
        parser.add_argument("customer", nargs="?", default="", help="public id: cus_…")
        parser.add_argument("--to", default="", help="where the ZIP is written; default: <customer>.zip here")
        parser.add_argument("--yes", action="store_true", help="erase without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def export(self, options: dict[str, Any]) -> None:
        customer = get_customer(options["customer"])
        path = Path(options["to"] or f"{options['customer']}.zip")
        path.touch(mode=0o600)
        path.write_bytes(to_zip(export_subject(customer.pk, SYSTEM, clock.now())))
        self.stdout.write(f"written to {path}")

    def erase(self, options: dict[str, Any]) -> None:
        customer = get_customer(options["customer"])
        if not options["yes"] and input("This cannot be undone. Type 'erase' to go on: ") != "erase":
            raise CommandError("Nothing was erased.")
        erasure = erase_customer(customer.pk, SYSTEM, clock.now())
        self.stdout.write(
            f"erased: {sum(erasure.touched.values())} rows in {len(erasure.touched)} tables; orders and totals stay"
        )

    def replay(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{replay_erasures(SYSTEM, clock.now())} people erased again")
