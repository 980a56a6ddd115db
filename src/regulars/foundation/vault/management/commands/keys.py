"""The key ring from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rotation import RingComesFromOutside, add_master_key, rewrap_all


class Command(BaseCommand):
    """``regulars keys rotate``."""

    help = "rotate: makes a new master key (or takes the first of REGULARS_MASTER_KEYS) and wraps all personal keys under it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["rotate", "list"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "rotate":
            self.rotate()
        for place, (key_id, _) in enumerate(key_ring().keys):
            self.stdout.write(f"{key_id}{'  seals' if place == 0 else '  opens'}")

    def rotate(self) -> None:
        try:
            add_master_key()
        except RingComesFromOutside as known:
            if len(key_ring().keys) == 1:
                self.stdout.write(known.sentence)
                return
        counts = rewrap_all()
        record("keys.rotated", SYSTEM, "", counts, at=clock.now())
        self.stdout.write("wrapped again: " + ", ".join(f"{count} of {name}" for name, count in counts.items()))
