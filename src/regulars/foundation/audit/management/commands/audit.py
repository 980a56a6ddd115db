"""The audit chain from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.audit.queries import verify_chain, write_anchor


class Command(BaseCommand):
    """``regulars audit verify|anchor``."""

    help = "verify: checks every entry of the audit chain and names the first bad one. anchor: writes its head down outside the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["verify", "anchor"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "anchor":
            anchor = write_anchor(clock.now())
            self.stdout.write(f"head {anchor.sequence} {anchor.mac}" if anchor else "nothing new")
            return
        verdict = verify_chain()
        if verdict.bad_sequence:
            raise CommandError(
                f"Entry {verdict.bad_sequence} of the audit chain {verdict.reason}; {verdict.count} entries before it hold."
            )
        write_anchor(clock.now())
        self.stdout.write(f"{verdict.count} entries, all as they were written")
