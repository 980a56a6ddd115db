"""The command ``regulars``: the commands of every module, and Django's own behind ``regulars help``."""

import os
import sys
import textwrap

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import OperationalError

from regulars import __version__
from regulars.config import environment
from regulars.foundation.errors import RegularsError

_RUNNING = ("start", "serve", "worker", "migrate", "check", "upgrade-database")


def main() -> None:
    """Runs one command; a failure that we expect ends with its sentence and exit code 1, not with a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.config.settings")
    arguments = (
        [sys.argv[1].replace("-", "_") if sys.argv[1][:1] != "-" else sys.argv[1], *sys.argv[2:]]
        if len(sys.argv) > 1
        else []
    )
    try:
        if arguments in ([], ["help"], ["--help"], ["-h"]):
            _print_overview()
        elif arguments in (["--version"], ["version"]):
            _say(__version__)
        else:
            execute_from_command_line(["regulars", *arguments])
    except RegularsError as error:
        sys.exit(_complain(error.sentence))
    except ImproperlyConfigured as error:
        sys.exit(_complain(str(error)))
    except OperationalError as error:
        sys.exit(_complain(database_sentence(error)))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read us (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def database_sentence(error: OperationalError) -> str:
    """What a person reads when a command cannot use its database."""
    if environment.read("DATABASE_URL"):
        return f"The database that DATABASE_URL names did not do it: {str(error).splitlines()[0]}"
    if "No such file" in str(error) or "refused" in str(error):
        return f"No database runs in {environment.home()}: start it with 'regulars start' or 'make demo', or set DATABASE_URL."
    return f"The embedded database in {environment.home()} did not do it: {str(error).splitlines()[0]}"


def _print_overview() -> None:
    django.setup()
    ours = {name.replace("_", "-"): app for name, app in get_commands().items() if str(app).startswith("regulars.")}
    _say(f"Regulars {__version__}: the CRM and workflow engine for online shops.\n")
    _say("regulars COMMAND [options]; 'regulars COMMAND --help' says more.")
    _print_group("Running it", {name: ours[name] for name in _RUNNING if name in ours})
    _print_group("Working with it", {name: app for name, app in sorted(ours.items()) if name not in _RUNNING})
    _say(
        "\nSettings come from the environment: see docs/settings.md. Django's own commands work too (regulars shell, dbshell ...)."
    )


def _print_group(title: str, commands: dict[str, object]) -> None:
    _say(f"\n{title}")
    for name, app in commands.items():
        loaded = load_command_class(app, name.replace("-", "_")) if isinstance(app, str) else app
        meaning = loaded.help if isinstance(loaded, BaseCommand) else ""
        _say(textwrap.fill(" ".join(meaning.split()), 100, initial_indent=f"  {name:<18} ", subsequent_indent=" " * 21))


def _say(text: str) -> None:
    print(text)  # noqa: T201  the answer of a command


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1
