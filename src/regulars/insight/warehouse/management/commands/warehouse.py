"""The warehouse from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.errors import RegularsError
from regulars.insight.warehouse import operations, queries


class Command(BaseCommand):
    """``regulars warehouse sync|compact|rebuild|prune|status|manifest``."""

    help = (
        "Keeps the warehouse: append what is new, make few files of many, write it anew, delete what is old; say how it is,"
        " or print the files of the newest snapshot as JSON, for other tools."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["sync", "compact", "rebuild", "prune", "status", "manifest"])

    def handle(self, *args: Any, **options: Any) -> None:
        at = clock.now()
        if options["action"] == "manifest":
            self.stdout.write(json.dumps(queries.manifest(), indent=2))
            return
        try:
            if options["action"] == "prune":
                self.stdout.write(f"{operations.prune(at)} files deleted")
            elif options["action"] != "status":
                getattr(operations, options["action"])(at)
        except RegularsError as error:
            raise CommandError(error.sentence) from error
        self._describe()

    def _describe(self) -> None:
        for table in queries.describe():
            self.stdout.write(f"{table['name']}: {table['rows']} rows in {table['files']} files, {table['size']} bytes")
        self.stdout.write(f"behind the record by {queries.lag().positions} positions of the log")
