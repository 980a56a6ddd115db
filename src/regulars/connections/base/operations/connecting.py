"""Beginning and ending a connection. Each step that calls the shop stands outside transactions."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from regulars.connections.base import events
from regulars.connections.base.accounts import (
    account_of,
    change_secrets,
    client_of,
    give_key,
    is_stand_in,
    keep_secrets,
    new_secret,
    outbound,
    read_secrets,
)
from regulars.connections.base.errors import BadAddress, ConnectedAlready, IsOver, NoSuchConnection, NoSuchPlatform
from regulars.connections.base.models import Connection, ConnectionState, PullKind
from regulars.connections.base.operations.pulling import begin_pull
from regulars.connections.base.platforms import PLATFORMS, Account, Platform, Shop
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import System, record
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.outbound import Forbidden
from regulars.foundation.shop.models import Store
from regulars.foundation.work.operations import enqueue
from regulars.record.events.log import transaction as log_transaction

By = Viewer | System
CHECK_JOB = "connections.check"
LONGEST = 300  # letters of an address


def get_platform(code: str) -> Platform:
    platform = PLATFORMS.get(code)
    if platform is None:
        raise NoSuchPlatform
    return platform


def shop_address(text: str) -> str:
    """A shop's address as it is kept: https, host in small letters, no slash at its end. Raises BadAddress."""
    words = text.strip().rstrip("/")
    words = words if "://" in words else f"https://{words}"
    try:
        parts = urlsplit(words)
        reachable = is_stand_in(words)
        outbound().check(words)
    except (ValueError, Forbidden) as error:
        raise BadAddress from error
    is_named = parts.hostname and re.fullmatch(r"[a-z0-9.-]+", parts.hostname) and not (parts.query or parts.fragment)
    if not is_named or len(words) > LONGEST or (parts.scheme != "https" and not reachable):
        raise BadAddress
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"


def try_credentials(platform: Platform, address: str, credentials: Mapping[str, str]) -> None:
    """Asks the shop before anything is made for it: whoever mistypes a key leaves nothing behind. Raises BadAddress, Refused,
    Unreachable, TryLater."""
    where = shop_address(address)
    platform.check(Account(0, "", 0, "", "", "", where, credentials, (), client_of(platform.code, where)))


def begin_connection(platform: str, store: Store, address: str, by: By, at: datetime) -> Connection:
    """A connection to which the shop has not agreed yet; one that was begun before and not ended is that one.

    Raises NoSuchPlatform, BadAddress, ConnectedAlready, NotAllowed. Audited.
    """
    _allow(by, store)
    get_platform(platform)
    where = shop_address(address)
    try:
        with transaction.atomic():
            row, is_new = Connection.objects.select_related("store").get_or_create(
                platform=platform, address=where, state=ConnectionState.NEW, defaults=_fresh(store, where, by, at)
            )
            if is_new:
                give_key(row)
                keep_secrets(row, read_secrets(row).renewed(new_secret(), at))
                row.save()
                record("connection.begun", by, row.public_id, {"platform": platform}, at=at)
    except IntegrityError as error:
        raise ConnectedAlready from error
    if not is_new and row.store_id != store.pk:
        _move(row, store, by)
    return row


def _move(row: Connection, store: Store, by: By) -> None:
    """Begun for another store: what the shop has handed out for that one is forgotten. Raises ConnectedAlready for a store not theirs."""
    if isinstance(by, Viewer) and not by.sees_store(row.store_id):
        raise ConnectedAlready
    row.store = store
    keep_secrets(row, read_secrets(row).holding({}))
    row.save(update_fields=["store", "sealed"])


def _fresh(store: Store, address: str, by: By, at: datetime) -> dict[str, object]:
    staff = by.staff_id if isinstance(by, Viewer) else None
    name = urlsplit(address).netloc
    return {"store": store, "name": name, "staff_id": staff, "created_at": at, "master_id": "", "wrapped_key": b""}


def complete_connection(
    row: Connection, credentials: Mapping[str, str], by: By, at: datetime, *, signing: str = ""
) -> Shop:
    """Tries the credentials at the shop, keeps them, and starts: webhooks first, so that nothing falls between, then all history.

    ``signing``: the secret of the webhooks where the platform and not we choose it. Raises Refused, Unreachable, TryLater. Audited.
    Event: connection.made.
    """
    _allow(by, row.store)
    platform = get_platform(row.platform)
    shop = platform.check(account_of(row, at, credentials))
    signing = signing or credentials.get(platform.signing, "")
    with transaction.atomic():
        row = Connection.objects.select_for_update().select_related("store").get(pk=row.pk)
        if row.state == ConnectionState.OVER:
            raise IsOver
        is_first = row.state == ConnectionState.NEW
        kept = read_secrets(row)
        kept = kept.renewed(signing, at) if signing and signing != kept.signing else kept
        keep_secrets(row, kept.holding(credentials))
        row.name, row.state, row.problem, row.failing_since = shop.name[:120], ConnectionState.ACTIVE, "", None
        row.about = {
            "version": shop.version,
            "currency": shop.currency,
            "scopes": list(shop.scopes),
            "missing": [str(one) for one in shop.missing],
        }
        row.save()
        enqueue(CHECK_JOB, lock=f"connection:{row.pk}", once=f"check:{row.pk}", connection_id=row.pk)
        if is_first:
            with log_transaction(row.platform, row.public_id) as log:
                log.append(events.made(row.pk, row.platform, at))
            begin_pull(row, PullKind.HISTORY, at, row.staff_id)
        record("connection.made", by, row.public_id, {"platform": row.platform}, at=at)
    return shop


def renew_secret(row: Connection, by: By, at: datetime, *, signing: str = "") -> None:
    """A new secret for its webhooks; the one before stays good for two hours. Audited."""
    _allow(by, row.store)
    with transaction.atomic():
        change_secrets(row.pk, lambda kept: kept.renewed(signing or new_secret(), at))
        enqueue(CHECK_JOB, lock=f"connection:{row.pk}", once=f"check:{row.pk}", connection_id=row.pk)
        record("connection.secret_renewed", by, row.public_id, {}, at=at)


def end_connection(row: Connection, by: By, at: datetime) -> None:
    """Ends it, and forgets its credentials; what it told stays, and so does the secret by which is known what the platform asks in
    customers' names, if it asks (``Platform.lasting``). With the credentials its webhooks are taken away before this
    (``checking.take_webhooks_away``), which the shop may not answer. Audited. Event: connection.ended.
    """
    _allow(by, row.store)
    with log_transaction(row.platform, row.public_id) as log:
        working = Connection.objects.select_for_update().exclude(state=ConnectionState.OVER)
        ended = working.filter(pk=row.pk).first()
        if ended is None:
            return
        kept = read_secrets(ended).holding({})
        ended.state, ended.sealed, ended.problem = ConnectionState.OVER, b"", ""
        if get_platform(row.platform).lasting:
            keep_secrets(ended, kept)
        ended.save(update_fields=["state", "sealed", "problem"])
        log.append(events.ended(row.pk, row.platform, at))
        record("connection.ended", by, row.public_id, {"platform": row.platform}, at=at)


def get_connection(public_id: str, viewer: Viewer) -> Connection:
    """Raises NoSuchConnection, also for one of a store that the viewer does not see."""
    row = find_connection(public_id)
    if row is None or not viewer.sees_store(row.store_id):
        raise NoSuchConnection
    return row


def find_connected(platform: str, address: str, store: str, viewer: Viewer) -> Connection | None:
    """The connection of the shop at this address that is given another key, if it is of the store of this code ('new': of any that the
    viewer sees). Raises BadAddress."""
    connected = Connection.objects.select_related("store").filter(platform=platform, address=shop_address(address))
    row = connected.filter(state__in=(ConnectionState.ACTIVE, ConnectionState.FAILING)).first()
    is_meant = row is not None and viewer.sees_store(row.store_id) and store in ("new", row.store.code)
    return row if is_meant else None


def find_connection(public_id: str) -> Connection | None:
    """By its public id, whatever its state."""
    try:
        uid = from_public(Connection.PREFIX, public_id)
    except NotFound:
        return None
    return Connection.objects.select_related("store__brand").filter(uid=uid).first()


def _allow(by: By, store: Store) -> None:
    if isinstance(by, Viewer):
        by.require("connections.manage")
        if not by.sees_store(store.pk):
            raise NoSuchConnection
