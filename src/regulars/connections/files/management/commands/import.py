"""``regulars import orders|customers|products|consent FILE``, and what can be done with an import: resume, undo, rejects."""

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.connections.files.layouts import LAYOUTS
from regulars.connections.files.layouts.base import Kind
from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import, stage_import, undo_import
from regulars.connections.files.options import Options
from regulars.connections.files.queries import reject_rows
from regulars.foundation import clock
from regulars.foundation.errors import RegularsError
from regulars.foundation.ids import from_public, to_public
from regulars.foundation.pages.export import csv_lines
from regulars.foundation.shop.models import Store

_LAYOUTS = [name for name, layout in LAYOUTS.items() if layout.kind != Kind.LIST]
_ACTIONS = ("resume", "undo", "rejects")


class Command(BaseCommand):
    help = "Imports a file of orders, customers, products or consent; the same file again changes nothing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "kind",
            choices=[*(kind for kind in Kind if kind != Kind.LIST), *_ACTIONS],
            help="what the file is about; or, with the id of an import: 'resume' goes on with one that was interrupted, 'undo' takes it back, "
            "'rejects' prints the rows that it skipped or altered as CSV",
        )
        parser.add_argument("file", help="CSV or TSV, also compressed with gzip; for an action the id imp_…")
        parser.add_argument("--store", default="", help="code of the store (default: the only one)")
        parser.add_argument("--layout", default="", help=f"one of {', '.join(_LAYOUTS)} (default: recognised)")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="which column holds a field; may be given often",
        )
        parser.add_argument("--currency", default="", help="of amounts without one (default: the store's)")
        parser.add_argument("--time-zone", default="", help="of times without one (default: the store's)")
        parser.add_argument("--encoding", default="", help="default: detected")
        parser.add_argument("--separator", default="", help="comma, semicolon, tab or pipe (default: detected)")
        parser.add_argument("--decimal", default="", choices=["", "comma", "point"], help="default: detected")
        parser.add_argument("--date-order", default="", choices=["", "ymd", "dmy", "mdy"], help="default: detected")
        parser.add_argument("--shift-weeks", type=int, default=0, help="move every date by so many weeks")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"undo": self._undo, "rejects": self._print_rejects}.get(options["kind"], self._import)(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error

    def _import(self, options: dict[str, Any]) -> None:
        row = self._named(options) if options["kind"] == "resume" else self._staged(options)
        public_id = to_public(Import.PREFIX, row.uid)
        self._say_how_it_is_read(row, options)
        try:
            done = apply_import(row.pk, clock.now, self._show_progress)
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted; 'regulars import resume {public_id}' goes on where it stopped") from error
        self._end_progress()
        self.stdout.write(f"{public_id}: {done.sentence}")
        if any(done.counts.get(f"rows_{what}") for what in ("altered", "skipped")):
            self.stdout.write(f"Rows and reasons: regulars import rejects {public_id}")

    def _undo(self, options: dict[str, Any]) -> None:
        row = undo_import(self._named(options).pk, clock.now, self._show_undo)
        self._end_progress()
        self.stdout.write(f"{to_public(Import.PREFIX, row.uid)}: {row.sentence}")

    def _print_rejects(self, options: dict[str, Any]) -> None:
        for line in csv_lines(*reject_rows(self._named(options))):
            self.stdout.write(line, ending="")

    def _staged(self, options: dict[str, Any]) -> Import:
        path = Path(options["file"])
        with path.open("rb") as file:
            return stage_import(
                file,
                kind=Kind(options["kind"]),
                file_name=path.name,
                store=self._store(options["store"]),
                at=clock.now(),
                options=self._choices(options),
            )

    def _named(self, options: dict[str, Any]) -> Import:
        row = Import.objects.filter(uid=from_public(Import.PREFIX, options["file"])).first()
        if row is None:
            raise CommandError(f"There is no import {options['file']}")
        return row

    def _store(self, code: str) -> Store:
        stores = list(Store.objects.filter(code=code) if code else Store.objects.all()[:2])
        if len(stores) == 1:
            return stores[0]
        known = ", ".join(Store.objects.values_list("code", flat=True))
        if not known:
            raise CommandError("There is no store yet: make one with 'regulars store create'")
        raise CommandError(f"Say with --store which store the file is from; the stores are: {known}")

    def _choices(self, options: dict[str, Any]) -> Options:
        pairs = [pair.partition("=") for pair in options["map"]]
        if any(not sign for _, sign, _ in pairs):
            raise CommandError("--map looks like number=Invoice: our field, then the file's column")
        names = ("layout", "currency", "time_zone", "encoding", "separator", "decimal", "date_order", "shift_weeks")
        return Options(
            mapping={field.strip(): column.strip() for field, _, column in pairs},
            **{name: options[name] for name in names},
        )

    def _say_how_it_is_read(self, row: Import, options: dict[str, Any]) -> None:
        """The id first: whoever is interrupted needs it to go on."""
        form = row.format
        decimal = "comma" if form["decimal_comma"] else "point"
        separator = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}[form["separator"]]
        said = form["evidence"]
        rows = "1 row" if row.row_count == 1 else f"{row.row_count:,} rows"
        self.stdout.write(
            f"{to_public(Import.PREFIX, row.uid)}: {Path(options['file']).name}, {rows}, {LAYOUTS[row.layout].title}, "
            f"{form['encoding']} ({said['encoding']}), separated by {separator}, decimal {decimal} ({said['decimal']}), "
            f"dates {form['date_order']} ({said['dates']})"
        )
        self.stdout.flush()

    def _show_progress(self, row: Import) -> None:
        if sys.stderr.isatty():
            done = sum(row.counts.get(f"rows_{what}", 0) for what in ("taken", "altered", "skipped"))
            self.stderr.write(f"\r{done:,} of {row.row_count:,} rows", ending="")

    def _show_undo(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done:,} of {total:,} batches taken back", ending="")

    def _end_progress(self) -> None:
        if sys.stderr.isatty():
            self.stderr.write("")
