"""``regulars verify``: every cached fold against the facts that it was made from."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation.doors import load_doors


class Command(BaseCommand):
    help = "Compares every cached figure with the facts behind it"

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with exit code 1 and the differences where there are any."""
        found = [sentence for door in load_doors("verify") for sentence in door.differences()]
        if found:
            raise CommandError("\n".join([*found[:100], f"{len(found)} differences"]))
        self.stdout.write("Every cached figure is what its facts come to.")
