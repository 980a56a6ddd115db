"""What must hold before an installation may face the world. Each finding is a sentence that says what to do."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from regulars.config import environment
from regulars.foundation.errors import RegularsError
from regulars.foundation.vault.keys import key_ring

_SHORTEST_SECRET = 50  # characters, as Django's security.W009 has it


class UnsafeInstallation(RegularsError):
    """This installation must not face the world as it is."""

    code = "unsafe-installation"
    status = 503


def refuse_unsafe_installation() -> None:
    """Raises UnsafeInstallation with every finding."""
    problems = find_problems()
    if problems:
        raise UnsafeInstallation(
            "Regulars does not start like this:\n" + "\n".join(f"- {problem}" for problem in problems)
        )


def find_problems() -> list[str]:
    return [*_of_secrets(), *_of_the_browser(), *_of_the_database()]


def _of_secrets() -> Iterator[str]:
    if settings.SECRET_KEY == environment.DEFAULT_SECRET:
        yield "REGULARS_SECRET_KEY is the default that everybody knows: set it to at least 50 random characters."
    elif len(settings.SECRET_KEY) < _SHORTEST_SECRET or len(set(settings.SECRET_KEY)) < 5:
        yield "REGULARS_SECRET_KEY is too short to be safe: set it to at least 50 random characters."
    if not settings.MASTER_KEYS:
        yield "REGULARS_MASTER_KEYS is empty, so the keys of all personal data would lie beside the data: set it, and keep a copy elsewhere."
        return
    try:
        key_ring()
    except ImproperlyConfigured as error:
        yield f"{error}."


def _of_the_browser() -> Iterator[str]:
    if settings.DEBUG:
        yield "REGULARS_DEBUG is on and would show the code and its data to everybody: set it to off."
    if not settings.SESSION_COOKIE_SECURE or not settings.SECURE_SSL_REDIRECT:
        yield "REGULARS_SECURE is off, so sign-ins could be overheard: set it to on and put HTTPS in front."
    if "*" in settings.ALLOWED_HOSTS:
        yield "REGULARS_ALLOWED_HOSTS is '*': name the hosts that this installation answers to."
    if settings.SECURE and not settings.PUBLIC_URL.startswith("https://"):
        yield "REGULARS_PUBLIC_URL must begin with https:// while REGULARS_SECURE is on: links in mails are made from it."


def _of_the_database() -> Iterator[str]:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield f"The database cannot be reached ({str(error).splitlines()[0]}): start it, or mend DATABASE_URL."
        return
    if waiting:
        yield f"{len(waiting)} migrations are not applied: run 'regulars migrate'."
