"""An installation that is not safe is refused, with a sentence for each reason."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from regulars.config import checks, environment
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


def run(*arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    changes["DJANGO_SETTINGS_MODULE"] = "regulars.config.settings"
    return subprocess.run(
        [sys.executable, "-m", "regulars", *arguments],
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {
    "REGULARS_SECURE": "on",
    "REGULARS_SECRET_KEY": SAFE["SECRET_KEY"],
    "REGULARS_MASTER_KEYS": SAFE["MASTER_KEYS"],
    "REGULARS_PUBLIC_URL": "https://crm.example",
    "REGULARS_ALLOWED_HOSTS": "crm.example",
}


def test_django_finds_nothing_to_warn_of_in_production() -> None:
    done = run("check", "--code", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout


def test_serving_the_world_without_a_database_is_refused(tmp_path: Path) -> None:
    done = run("serve", REGULARS_HOME=str(tmp_path), DATABASE_URL="postgresql://u@127.0.0.1:1/none", **PRODUCTION)
    assert done.returncode == 1
    assert done.stderr.startswith("Regulars does not start like this:\n- The database cannot be reached (")
    assert len(done.stderr.splitlines()) == 2


def test_serving_beyond_this_machine_with_the_settings_of_a_laptop_is_refused(tmp_path: Path) -> None:
    done = run("serve", REGULARS_HOME=str(tmp_path), REGULARS_BIND="0.0.0.0", PORT="18199")
    assert done.returncode == 1
    assert "REGULARS_SECRET_KEY is the default" in done.stderr


def test_the_check_says_what_is_missing_and_ends_with_code_1(database_url: str) -> None:
    done = run("check", DATABASE_URL=database_url, **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("This installation is ready to face the world.\n")
    done = run("check", DATABASE_URL=database_url, **{**PRODUCTION, "REGULARS_DEBUG": "on"})
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "- REGULARS_DEBUG is on and would show the code and its data to everybody: set it to off."
    ]


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
