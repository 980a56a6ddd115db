import sys
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import check

from regulars.config.checks import find_problems


class Command(check.Command):
    help = "Say whether this installation may face the world: secrets, debug, cookies, keys, database, migrations. Exit code 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--code", action="store_true", help="only Django's checks of the code, as developers want them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        only_code = options.pop("code") or args or options["tags"] or options["list_tags"]
        if only_code or options["deploy"]:
            super().handle(*args, **options)
        else:
            self.check()
        if only_code:
            return
        problems = find_problems()
        for problem in problems:
            self.stderr.write(f"- {problem}")
        if problems:
            sys.exit(1)
        self.stdout.write("This installation is ready to face the world.")
