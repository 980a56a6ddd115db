"""Members of staff from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import create_staff, reset_password
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.errors import RegularsError


class Command(BaseCommand):
    """``regulars staff create|reset --email ADDRESS``: prints a random password, once."""

    help = "Makes a member of staff, or gives one a new password. The random password is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "reset", "list"])
        parser.add_argument("--email", default="")
        parser.add_argument("--role", default=Role.OWNER.value, choices=[role.value for role in Role])
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except RegularsError as error:
            raise CommandError(error.sentence) from error

    def create(self, options: dict[str, Any]) -> None:
        member, password = create_staff(options["email"], options["role"], SYSTEM, clock.now(), name=options["name"])
        self.stdout.write(f"{member.email} signs in as {member.role} with the password {password}")

    def reset(self, options: dict[str, Any]) -> None:
        member = StaffMember.objects.filter(email=options["email"].strip().lower()).first()
        if member is None:
            raise CommandError("Nobody with this mail address works here.")
        self.stdout.write(f"{member.email} signs in with the password {reset_password(member.pk, SYSTEM, clock.now())}")

    def list(self, options: dict[str, Any]) -> None:
        for member in StaffMember.objects.order_by("email"):
            self.stdout.write(f"{member.email}  {member.role}{'' if member.is_active else '  (switched off)'}")
