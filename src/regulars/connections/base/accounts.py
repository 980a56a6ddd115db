"""The credentials of a connection: sealed in the database, in clear only where they are used."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from regulars.connections.base.client import Client, Pace, limits
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.platforms import Account
from regulars.foundation.outbound import Outbound
from regulars.foundation.sealing import Cell, KeyRing, new_key, seal, unseal
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rotation import WRAPPED

OVERLAP = timedelta(hours=2)  # for which the secret before still signs: the platforms' own queues take up to one hour


@dataclass(frozen=True)
class Secrets:
    """What a connection keeps sealed. ``signing`` is the present secret of its webhooks, ``former`` the one before, good until a moment."""

    credentials: dict[str, str] = field(default_factory=dict)
    signing: str = ""
    former: str = ""
    former_until: str = ""  # ISO 8601

    def valid(self, at: datetime) -> tuple[str, ...]:
        is_former_good = self.former and at < datetime.fromisoformat(self.former_until)
        return tuple(one for one in (self.signing, self.former if is_former_good else "") if one)

    def renewed(self, signing: str, at: datetime) -> "Secrets":
        """The same with a new secret; the one that was keeps its force for a while."""
        return Secrets(self.credentials, signing, self.signing, (at + OVERLAP).isoformat())

    def holding(self, credentials: Mapping[str, str]) -> "Secrets":
        """The same with other credentials."""
        return replace(self, credentials=dict(credentials))


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def give_key(row: Connection) -> None:
    """A key of its own for a connection that has just got its number."""
    row.master_id, row.wrapped_key = key_ring().wrap(new_key(), _subject(row.pk))


def keep_secrets(row: Connection, kept: Secrets) -> None:
    row.sealed = seal(_key(row), json.dumps(asdict(kept)).encode(), _cell(row))


def read_secrets(row: Connection) -> Secrets:
    return Secrets(**json.loads(unseal(_key(row), bytes(row.sealed), _cell(row)))) if row.sealed else Secrets()


def change_secrets(connection_id: int, change: Callable[[Secrets], Secrets]) -> None:
    """Keeps what ``change`` makes of the secrets as they stand, under the row's lock: whoever changes others of them at the same moment
    (a token that is renewed while an installation begins) loses nothing. One that has ended keeps none."""
    with transaction.atomic():
        working = Connection.objects.select_for_update().exclude(state=ConnectionState.OVER)
        if row := working.filter(pk=connection_id).first():
            keep_secrets(row, change(read_secrets(row)))
            row.save(update_fields=["sealed"])


def account_of(row: Connection, at: datetime, credentials: Mapping[str, str] | None = None) -> Account:
    """The connection as its platform needs it; ``credentials`` are those that are being tried instead of those kept."""
    kept = read_secrets(row)
    return Account(
        row.pk or 0,
        row.public_id,
        row.store_id,
        row.store.code,
        str(row.about.get("currency") or row.store.currency),
        row.store.time_zone,
        row.address,
        kept.credentials if credentials is None else credentials,
        kept.valid(at),
        client_of(row.platform, row.address),
    )


@lru_cache(maxsize=200)
def client_of(platform: str, address: str) -> Client:
    """One in a process for each shop, so that its pace is kept whoever calls."""
    return Client(outbound(), Pace())


def is_stand_in(address: str) -> bool:
    """Whether whoever runs this installation has named this address as one that may be called: a stand-in for trying things out."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port or 443}" in settings.REACHABLE


def outbound() -> Outbound:
    """Shops are called by https at public addresses; ``REGULARS_REACHABLE`` names others (a shop in the same network, a stand-in)."""
    allow = frozenset((host, int(port)) for host, _, port in (one.rpartition(":") for one in settings.REACHABLE))
    schemes = frozenset({"https", "http"}) if allow else frozenset({"https"})
    return Outbound(schemes=schemes, limits=limits(), allow=allow)


def _key(row: Connection) -> bytes:
    return key_ring().unwrap(row.master_id, bytes(row.wrapped_key), _subject(row.pk))


def _cell(row: Connection) -> Cell:
    return Cell("connections_connection", "sealed", row.pk)


def _subject(number: int) -> int:
    """What the wrapped key is bound to: far below zero, where neither profiles nor the inbox's days are."""
    return -(1 << 40) - number


def _rewrap(ring: KeyRing) -> int:
    rows = Connection.objects.exclude(master_id=ring.current_id)
    for row in rows:
        key = ring.unwrap(row.master_id, bytes(row.wrapped_key), _subject(row.pk))
        row.master_id, row.wrapped_key = ring.wrap(key, _subject(row.pk))
        row.save(update_fields=["master_id", "wrapped_key"])
    return len(rows)


WRAPPED.register("connections", _rewrap)
