"""Tokens of the API from the command line."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.access.models import ApiToken
from regulars.foundation.access.tokens import create_token, list_tokens, revoke_token
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.models import Store


class Command(BaseCommand):
    """``regulars token create --name N --scope S``: prints the token, once."""

    help = "Makes, lists or revokes tokens of the API. A new token is printed once; only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "list", "revoke"])
        parser.add_argument("--name", default="", help="what the token is for; to revoke: its prefix")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="customers:read and the like, or read, write, all; may be repeated",
        )
        parser.add_argument("--store", default="", help="code of the one store that the token is for")
        parser.add_argument("--days", type=int, default=0, help="how long it is good for; 0: until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def create(self, options: dict[str, Any]) -> None:
        at = clock.now()
        store = Store.objects.filter(code=options["store"]).first() if options["store"] else None
        if options["store"] and store is None:
            raise CommandError(f"There is no store '{options['store']}'.")
        expires_at = at + timedelta(days=options["days"]) if options["days"] > 0 else None
        _, text = create_token(
            options["name"], options["scope"], SYSTEM, at, store_id=store.pk if store else None, expires_at=expires_at
        )
        self.stdout.write(text)

    def list(self, options: dict[str, Any]) -> None:
        for token in list_tokens():
            state = "revoked" if token.revoked_at else "in use"
            self.stdout.write(f"{token.prefix}  {token.name}  {','.join(token.scopes)}  {state}")

    def revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.filter(prefix=options["name"]).first()
        if token is None:
            raise CommandError("There is no token with this prefix: see 'regulars token list'.")
        revoke_token(token.pk, SYSTEM, clock.now())
        self.stdout.write(f"{token.name} is revoked")
