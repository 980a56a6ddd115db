"""Seeing to the webhooks of a shop: made where missing, revived where the shop switched them off, and the alarm about it."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings

from regulars.connections.base.accounts import account_of, read_secrets
from regulars.connections.base.client import TryLater
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import CHECK_JOB
from regulars.connections.base.operations.pulling import note_failure, note_success
from regulars.connections.base.platforms import PLATFORMS, Refused
from regulars.foundation.errors import RegularsError
from regulars.foundation.work.operations import enqueue

Clock = Callable[[], datetime]
AGAIN = timedelta(minutes=5)
PATIENCE = timedelta(hours=2)  # with a shop that asks us to wait: a page of maintenance may do so for ever


def hook_address(row: Connection) -> str:
    """Where the shop sends to: the connection's own address, which no other shop knows."""
    return f"{settings.PUBLIC_URL}/hooks/{row.platform}/{row.public_id}"


def check_webhooks(connection_id: int, clock: Clock) -> None:
    """One look at a connection's webhooks; what cannot be done now is tried again."""
    row = Connection.objects.select_related("store").filter(pk=connection_id).first()
    if row is None or row.state not in (ConnectionState.ACTIVE, ConnectionState.FAILING):
        return
    try:
        report = PLATFORMS[row.platform].ensure_webhooks(account_of(row, clock()), hook_address(row))
    except RegularsError as error:
        _put_off(row, error, clock())
        return
    note_success(row)
    kept = {key: value for key, value in row.webhooks.items() if key.startswith("last_")}
    told = asdict(report) | kept
    if report.revived or (report.made and row.webhooks.get("wanted")):
        told["last_mended_at"], told["last_mended"] = clock().isoformat(), report.revived + report.made
    Connection.objects.filter(pk=row.pk).update(webhooks=told, checked_at=clock())


def _put_off(row: Connection, error: RegularsError, at: datetime) -> None:
    """Who asks us to wait is no failing shop, unless for hours; one that refuses is looked at again when the next look is due."""
    wait = timedelta(seconds=error.seconds) if isinstance(error, TryLater) else None
    if wait is None:
        Connection.objects.filter(pk=row.pk).update(checked_at=at)
    if wait is None or at - (row.checked_at or row.created_at) > PATIENCE:
        note_failure(row, error.sentence, at)
    if not isinstance(error, Refused):
        again = at + (AGAIN if wait is None else wait)
        enqueue(CHECK_JOB, lock=f"connection:{row.pk}", once=f"check:{row.pk}", at=again, connection_id=row.pk)


def take_webhooks_away(row: Connection, at: datetime) -> str:
    """Asks the shop to send nothing more; before its credentials are forgotten. Why it could not be done, in a sentence; '' where it was."""
    if not read_secrets(row).credentials:
        return ""
    try:
        PLATFORMS[row.platform].remove_webhooks(account_of(row, at), hook_address(row))
    except RegularsError as error:
        return error.sentence
    return ""
