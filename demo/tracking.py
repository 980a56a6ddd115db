"""The demo's web shop as the installation knows it: its keys, its address, and how soon a cart counts as left behind."""

import json
import os
from datetime import datetime
from pathlib import Path

from django.conf import settings

from demo.shop import ensure_shop
from regulars.connections.tracking.keys import create_key, find_key
from regulars.connections.tracking.models import KeyKind
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Store


def connect_web_shop(address: str, at: datetime) -> None:
    """Keys for its pages and its till, kept beside the demo's data; done again, it makes no others."""
    store = ensure_shop(at)
    store.brand.website = address
    store.brand.save(update_fields=["website"])
    _ensure_keys(store, Path(settings.HOME) / "demo" / "tracking-keys", at)


def _ensure_keys(store: Store, kept: Path, at: datetime) -> None:
    """A key's text is shown once, and only its hash is in the database: so the shop has to keep it, and only its owner may read it."""
    known = json.loads(kept.read_text()) if kept.exists() else {}
    if all(kind in known and find_key(known[kind]) for kind in KeyKind.values):
        return
    made = {kind: create_key(f"Web shop, {kind}", kind, store.pk, SYSTEM, at)[1] for kind in KeyKind.values}
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file)
