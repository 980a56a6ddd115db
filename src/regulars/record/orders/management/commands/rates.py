"""Exchange rates from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.access.viewer import everything
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.models import ExchangeRate
from regulars.foundation.shop.settings import read_setting
from regulars.record.orders.operations.money import day_of_shop, import_rates, set_rates
from regulars.record.orders.rates import parse_rate


class Command(BaseCommand):
    """``regulars rates import FILE``, ``regulars rates set USD 0.79 --on 2026-01-31``, ``regulars rates list``."""

    help = (
        "Dated rates into the reporting currency. FILE is a CSV with the columns from, to, date and rate, or the European Central"
        " Bank's reference rates. The worker then works out all sums anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="the rates that there are, newest first")
        importing = actions.add_parser("import", help="the rates of a file, all or none")
        importing.add_argument("file", type=Path)
        setting = actions.add_parser("set", help="one rate: what one unit of the currency is worth from a day on")
        setting.add_argument("currency")
        setting.add_argument("rate")
        setting.add_argument("--on", default="", help="day from which it holds, such as 2026-01-31; not given: today")
        setting.add_argument("--to", default="", help="currency that it leads to; not given: the reporting currency")
        setting.add_argument("--source", default="", help="who says so")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"do_{options['action']}")(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error

    def do_import(self, options: dict[str, Any]) -> None:
        file: Path = options["file"]
        found, changed = import_rates(file.read_bytes(), file.name[:60], everything(), clock.now())
        self.stdout.write(f"{found} rates, {changed} of them new or changed.")

    def do_set(self, options: dict[str, Any]) -> None:
        at = clock.now()
        to = options["to"] or read_setting("shop.reporting_currency")
        on = options["on"] or day_of_shop(at).isoformat()
        rate = parse_rate(options["currency"], to, on, options["rate"], options["source"])
        changed = set_rates([rate], everything(), at)
        self.stdout.write("Set." if changed else "It was so already.")

    def do_list(self, options: dict[str, Any]) -> None:
        for rate in ExchangeRate.objects.order_by("-on", "currency", "reporting_currency")[:1000]:
            line = f"{rate.on}  1 {rate.currency} = {rate.rate.normalize():f} {rate.reporting_currency}  {rate.source}"
            self.stdout.write(line.rstrip())
