"""Stores from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.operations import create_store


class Command(BaseCommand):
    """``regulars store create CODE --email ADDRESS --currency GBP``: before the first import."""

    help = (
        "Makes a store and the brand that it writes as, or lists them. Everything that is imported belongs to a store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="the stores that there are")
        creating = actions.add_parser("create", help="one more store")
        creating.add_argument("code", help="short name in addresses and commands, such as uk")
        creating.add_argument("--name", default="", help="as people read it; not given: the code")
        creating.add_argument("--brand", default="", help="under whose name it writes; not given: the store's own")
        creating.add_argument("--email", required=True, help="address that its mail is from")
        creating.add_argument("--currency", required=True, help="of its amounts, such as GBP")
        creating.add_argument("--time-zone", default="UTC", help="such as Europe/London")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def create(self, options: dict[str, Any]) -> None:
        given = {name: options[name] for name in ("code", "email", "currency", "time_zone", "brand")}
        store = create_store(name=options["name"] or options["code"], by=SYSTEM, at=clock.now(), **given)
        self.stdout.write(f"Store {store.code} is there: import into it with --store {store.code}.")

    def list(self, options: dict[str, Any]) -> None:
        for store in Store.objects.select_related("brand").order_by("code"):
            self.stdout.write(f"{store.code}  {store.name}  {store.currency}  {store.time_zone}  {store.brand.name}")
