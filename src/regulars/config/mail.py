"""How mail leaves: the server named by EMAIL_URL, and what must hold before anything may leave at all."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from regulars.config import environment

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TIMEOUT_SECONDS = 10


def mail_settings() -> dict[str, Any]:
    """Django's EMAIL_ settings and ours. Raises ImproperlyConfigured for an address that is no mail server's.

    ``smtp://`` speaks plainly, ``smtp+tls://`` begins with STARTTLS, ``smtps://`` is TLS from the first byte.
    """
    parts = urlsplit(environment.read("EMAIL_URL"))
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:port (or smtp+tls://, smtps://)")
    options = dict(parse_qsl(parts.query))
    return {
        "EMAIL_BACKEND": options.get("backend", "django.core.mail.backends.smtp.EmailBackend"),
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT_SECONDS,
        "SENDING": environment.read_switch("REGULARS_SENDING"),
        "RECIPIENTS": environment.read_list("REGULARS_RECIPIENTS"),
        "COOL_OFF": parse_duration(environment.read("REGULARS_COOL_OFF")),
    }


def parse_duration(text: str) -> timedelta:
    """'90s', '30m', '24h' or '2d'. Raises ImproperlyConfigured."""
    found = re.fullmatch(r"(\d{1,5})\s*([smhd])", text.strip().lower())
    if not found:
        raise ImproperlyConfigured(f"'{text}' is not a length of time: write 90s, 30m, 24h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
