"""How mail leaves: the server that EMAIL_URL names."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from regulars.config import environment

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over. ``backend`` is Django's for SMTP, or one of Anymail's (``?backend=...``)."""

    backend: str
    host: str
    port: int
    user: str
    password: str
    starts_tls: bool
    is_tls: bool


def mail_settings() -> MailServer:
    """What EMAIL_URL says: ``smtp://`` speaks plainly, ``smtp+tls://`` begins with STARTTLS, ``smtps://`` is TLS from the first byte.

    Raises ImproperlyConfigured for an address that is no mail server's.
    """
    parts = urlsplit(environment.read("EMAIL_URL"))
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:port (or smtp+tls://, smtps://)")
    return MailServer(
        backend=dict(parse_qsl(parts.query)).get("backend", SMTP),
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starts_tls=parts.scheme == "smtp+tls",
        is_tls=parts.scheme == "smtps",
    )


def parse_duration(text: str) -> timedelta:
    """'90s', '30m', '24h' or '2d'. Raises ImproperlyConfigured."""
    found = re.fullmatch(r"(\d{1,5})\s*([smhd])", text.strip().lower())
    if not found:
        raise ImproperlyConfigured(f"'{text}' is not a length of time: write 90s, 30m, 24h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
