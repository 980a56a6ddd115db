import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from regulars.foundation.work.worker import run_worker

_NICENESS = 5  # whoever waits for a page or for our thanks goes first


class Command(BaseCommand):
    help = "Run one worker: event readers, workflows, messages and background jobs. Any number may run, on any number of machines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="LOOP",
            help="run only this loop ('jobs' for background jobs); repeatable",
        )

    def handle(self, *args: Any, only: list[str], **options: Any) -> None:
        os.nice(_NICENESS)
        if not run_worker(frozenset(only)):
            sys.exit(1)
