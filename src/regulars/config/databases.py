"""How Django reaches PostgreSQL: the server named by DATABASE_URL, or the embedded one in the data folder."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from regulars.config import environment
from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import DATABASE, ROLE

# A server that went away without a word is noticed within a minute.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def database_settings() -> dict[str, Any]:
    """Django's settings for the one database. Raises ImproperlyConfigured for an address that is not PostgreSQL's."""
    url = environment.read("DATABASE_URL")
    if url:
        return settings_for(url)
    place = EmbeddedPlace.under(environment.home())
    return _common() | {"NAME": DATABASE, "USER": ROLE, "PASSWORD": "", "HOST": str(place.socket_folder), "PORT": ""}


def settings_for(url: str) -> dict[str, Any]:
    """Django's settings for a libpq address; what stands behind its question mark (sslmode, host …) goes to libpq."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    options = dict(parse_qsl(parts.query))
    common = _common()
    host, port = options.pop("host", ""), options.pop("port", "")
    return common | {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or host,
        "PORT": str(parts.port or port),
        "OPTIONS": common["OPTIONS"] | options,
    }


def _common() -> dict[str, Any]:
    limits = {
        "statement_timeout": environment.read("REGULARS_STATEMENT_TIMEOUT"),
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
    }
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "options": options, **_KEEPALIVES},
    }
