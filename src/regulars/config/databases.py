"""How Django reaches PostgreSQL: the server named by DATABASE_URL, or the embedded one in the data folder."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from regulars.config import environment
from regulars.foundation.embedded.place import EmbeddedPlace


def database_settings() -> dict[str, Any]:
    """Django's settings for the one database. Raises ImproperlyConfigured for an address that is not PostgreSQL's."""
    url = environment.read("DATABASE_URL")
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }
    if not url:
        place = EmbeddedPlace.under(environment.home())
        return common | {"NAME": "regulars", "USER": "regulars", "HOST": str(place.socket_folder), "PORT": ""}
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    return common | {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
