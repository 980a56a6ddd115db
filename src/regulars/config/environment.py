"""Every setting that the environment can change, in one table: name, default, meaning.

``docs/settings.md`` is made from this table, and a test fails when they differ. Nothing else in the
product reads ``os.environ``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

DEFAULT_SECRET = "not-a-secret-only-for-a-laptop"  # noqa: S105  regulars check refuses it


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, what it is when unset, and what it means."""

    name: str
    default: str
    meaning: str


VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        Variable("REGULARS_HOME", ".regulars", "Folder for everything that Regulars keeps on disk."),
        Variable("DATABASE_URL", "", "postgresql://user:password@host/name; empty: the embedded server."),
        Variable("PORT", "8000", "Port that the web server listens on."),
        Variable("REGULARS_BIND", "127.0.0.1", "Address that the web server listens on."),
        Variable("REGULARS_SECRET_KEY", DEFAULT_SECRET, "Signs sessions and forms; at least 50 random characters."),
        Variable(
            "REGULARS_MASTER_KEYS",
            "",
            "Key ring 'id:base64,...' that wraps every personal key; the first seals, all open.",
        ),
        Variable(
            "REGULARS_ALLOWED_HOSTS", "localhost,127.0.0.1", "Host names that the web server answers to, by commas."
        ),
        Variable("REGULARS_PUBLIC_URL", "", "Address under which shoppers and staff reach this installation."),
        Variable("REGULARS_DEBUG", "off", "on: show tracebacks in the browser. Never in production."),
        Variable("REGULARS_SECURE", "off", "on: cookies and redirects insist on HTTPS. Always in production."),
        Variable("REGULARS_SENDING", "off", "on: messages may leave. off: they are kept as 'held'."),
        Variable(
            "REGULARS_RECIPIENTS", "", "Allowlist: addresses or *@domain that may be written to; empty: everybody."
        ),
        Variable("REGULARS_COOL_OFF", "24h", "Time between switching sending on and the first message that leaves."),
        Variable("EMAIL_URL", "smtp://127.0.0.1:1025", "Where mail is handed over: smtp://user:password@host:port."),
        Variable(
            "REGULARS_REACHABLE",
            "",
            "Shops that connections may call although they are not public: host:port, by commas; http is allowed there.",
        ),
        Variable("REGULARS_METRICS_TOKEN", "", "Bearer token for /metrics; empty: only from the machine itself."),
        Variable(
            "REGULARS_STATEMENT_TIMEOUT",
            "5min",
            "Longest that one database statement may take; the web server allows 15s.",
        ),
        Variable("REGULARS_CRASH_AT", "", "For the crash tests only: the named point at which the process dies."),
        Variable("REGULARS_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    )
}


def read(name: str) -> str:
    """Value of a declared variable; a KeyError for one that is not in the table is a defect."""
    return os.environ.get(name) or VARIABLES[name].default


def read_switch(name: str) -> bool:
    return read(name).lower() in {"on", "1", "true", "yes"}


def read_port() -> int:
    """PORT as a number. Raises ImproperlyConfigured."""
    text = read("PORT")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ImproperlyConfigured(f"PORT must be a number from 1 to 65535, not '{text}'")
    return int(text)


def read_list(name: str) -> list[str]:
    return [part.strip() for part in read(name).split(",") if part.strip()]


def set_default(name: str, value: str) -> None:
    """Sets a declared variable for this process and its children, unless whoever started us has set it."""
    os.environ.setdefault(VARIABLES[name].name, value)


def for_child(**changes: str) -> dict[str, str]:
    """The environment for a process that we start: ours, with changes to declared variables."""
    unknown = changes.keys() - VARIABLES.keys()
    if unknown:
        raise KeyError(f"not declared: {', '.join(sorted(unknown))}")
    return {**os.environ, **changes}


def home() -> Path:
    """Absolute data folder."""
    return Path(read("REGULARS_HOME")).expanduser().resolve()
