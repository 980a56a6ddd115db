"""Keys of trackers from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.connections.tracking.keys import create_key, revoke_key
from regulars.connections.tracking.models import KeyKind, TrackingKey
from regulars.connections.tracking.queries import get_store
from regulars.foundation import clock
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import RegularsError


class Command(BaseCommand):
    """``regulars tracking-key create --name N --kind browser --store CODE``: prints the key, once."""

    help = "Makes, lists or revokes write keys of trackers. A new key is printed once; only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "list", "revoke"])
        parser.add_argument("--name", default="", help="what the key is for; to revoke: its prefix")
        parser.add_argument(
            "--kind",
            default=KeyKind.BROWSER.value,
            choices=[kind.value for kind in KeyKind],
            help="browser keys are public and only claim; server keys are secret and confirm",
        )
        parser.add_argument("--store", default="", help="code of the store that the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def create(self, options: dict[str, Any]) -> None:
        store = get_store(options["store"], everything())
        _, text = create_key(options["name"], options["kind"], store.pk, SYSTEM, clock.now())
        self.stdout.write(text)

    def list(self, options: dict[str, Any]) -> None:
        for key in TrackingKey.objects.select_related("store").order_by("pk"):
            state = "revoked" if key.revoked_at else "in use"
            self.stdout.write(f"{key.prefix}  {key.name}  {key.kind}  {key.store.code}  {state}")

    def revoke(self, options: dict[str, Any]) -> None:
        key = TrackingKey.objects.filter(prefix=options["name"]).first()
        if key is None:
            raise CommandError("There is no key with this prefix: see 'regulars tracking-key list'.")
        revoke_key(key.pk, SYSTEM, clock.now())
        self.stdout.write(f"{key.name} is revoked")
