"""An installation that is not safe is refused, with a sentence for each reason."""

import logging
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from pytest_django import Settings

from regulars.config import checks, cli, environment
from regulars.config.databases import settings_for
from regulars.config.management.commands.serve import is_loopback
from regulars.foundation.vault.keys import forget_cached_ring

SAFE: dict[str, Any] = {
    "SECRET_KEY": "Zk3-9f_qLw7TtBv1XhR5yNc8Ua2Jd6GsEo4Pm0iQbVxKzWlYrHeSnDgC",
    "MASTER_KEYS": "k1:" + "A" * 43 + "=",
    "DEBUG": False,
    "SECURE": True,
    "SESSION_COOKIE_SECURE": True,
    "SECURE_SSL_REDIRECT": True,
    "ALLOWED_HOSTS": ["crm.example"],
    "PUBLIC_URL": "https://crm.example",
}


@pytest.fixture
def safe(settings: Settings) -> Settings:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    forget_cached_ring()
    return settings


@pytest.mark.django_db
def test_a_safe_installation_has_no_finding(safe: Settings) -> None:
    assert checks.find_problems() == []
    checks.refuse_unsafe_installation()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "value", "begin"),
    [
        ("SECRET_KEY", environment.DEFAULT_SECRET, "REGULARS_SECRET_KEY is the default"),
        ("SECRET_KEY", "short", "REGULARS_SECRET_KEY is too short"),
        ("SECRET_KEY", "ab" * 40, "REGULARS_SECRET_KEY is too short"),
        ("MASTER_KEYS", "", "REGULARS_MASTER_KEYS is empty"),
        ("MASTER_KEYS", "nonsense", "REGULARS_MASTER_KEYS must look like"),
        ("MASTER_KEYS", "k1:QUJD", "Each key of REGULARS_MASTER_KEYS must be 32 bytes"),
        ("DEBUG", True, "REGULARS_DEBUG is on"),
        ("SESSION_COOKIE_SECURE", False, "REGULARS_SECURE is off"),
        ("SECURE_SSL_REDIRECT", False, "REGULARS_SECURE is off"),
        ("ALLOWED_HOSTS", ["*"], "REGULARS_ALLOWED_HOSTS is '*'"),
        ("PUBLIC_URL", "http://crm.example", "REGULARS_PUBLIC_URL must begin with https://"),
    ],
)
def test_each_weakness_is_one_sentence(safe: Settings, setting: str, value: object, begin: str) -> None:
    setattr(safe, setting, value)
    forget_cached_ring()
    problems = checks.find_problems()
    assert len(problems) == 1
    assert problems[0].startswith(begin)
    with pytest.raises(checks.UnsafeInstallation, match=re.escape(begin)):
        checks.refuse_unsafe_installation()


PRODUCTION = {
    "REGULARS_SECURE": "on",
    "REGULARS_SECRET_KEY": SAFE["SECRET_KEY"],
    "REGULARS_MASTER_KEYS": SAFE["MASTER_KEYS"],
    "REGULARS_PUBLIC_URL": "https://crm.example",
    "REGULARS_ALLOWED_HOSTS": "crm.example",
}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """The product's own settings, as they come out of a production environment."""
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    handlers = logging.getLogger().handlers[:]
    made = runpy.run_path(str(Path(environment.__file__).with_name("settings.py")))
    logging.getLogger().handlers[:] = handlers
    for name, value in made.items():
        if name.isupper() and name not in {"DATABASES", "INSTALLED_APPS", "HOME", "STATIC_ROOT"}:
            setattr(settings, name, value)
    forget_cached_ring()
    return settings


@pytest.mark.django_db
def test_django_finds_nothing_to_warn_of_in_production(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check", deploy=True, fail_level="WARNING")
    assert capsys.readouterr().out.splitlines() == [
        "System check identified no issues (0 silenced).",
        "This installation is ready to face the world.",
    ]


@pytest.mark.django_db
def test_the_check_says_what_is_missing_and_ends_with_code_1(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    production.DEBUG = True
    with pytest.raises(SystemExit) as ended:
        call_command("check")
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "- REGULARS_DEBUG is on and would show the code and its data to everybody: set it to off."
    ]


@pytest.mark.django_db
def test_serving_the_world_without_a_database_is_refused(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused\nwith a second line")

    monkeypatch.setattr(connections["default"], "cursor", refuse)
    with pytest.raises(checks.UnsafeInstallation) as refused:
        call_command("serve")
    assert refused.value.sentence.splitlines() == [
        "Regulars does not start like this:",
        "- The database cannot be reached (connection refused): start it, or mend DATABASE_URL.",
    ]


@pytest.mark.django_db
def test_serving_beyond_this_machine_with_the_settings_of_a_laptop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_BIND", "0.0.0.0")
    with pytest.raises(checks.UnsafeInstallation, match="REGULARS_SECRET_KEY is the default"):
        call_command("serve")


@pytest.mark.parametrize(
    ("message", "begin"),
    [
        ('connection to server on socket "x" failed: No such file or directory', "No database runs in "),
        ("FATAL: too many connections", "The embedded database in "),
    ],
)
def test_a_command_without_its_database_says_how_to_get_one(message: str, begin: str) -> None:
    assert cli.database_sentence(OperationalError(message)).startswith(begin)


@pytest.mark.django_db
def test_migrations_that_wait_are_named(safe: Settings) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'work'")
    problems = checks.find_problems()
    assert len(problems) == 1
    assert problems[0].endswith("migrations are not applied: run 'regulars migrate'.")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("crm", False)],
)
def test_what_counts_as_this_machine(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_an_address_of_the_database_is_read_with_what_stands_behind_its_question_mark() -> None:
    found = settings_for("postgresql://us%40er:p%2Fw@db.example:6432/shop?sslmode=verify-full")
    assert {name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "shop",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
    }
    assert found["OPTIONS"]["sslmode"] == "verify-full"
    assert "statement_timeout=5min" in found["OPTIONS"]["options"]
