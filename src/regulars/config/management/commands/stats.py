"""What is there."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from regulars.foundation.doors import load_doors


class Command(BaseCommand):
    """``regulars stats [--json]``: every module's own figures, from its door ``stats.py``."""

    help = "Counts of what is there: people, orders, products, events, revenue, messages, runs, rows skipped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        figures: dict[str, Any] = {}
        for door in load_doors("stats"):
            figures |= door.stats()
        if options["json"]:
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in value.items()) or "none"
    return f"{value:,}"
