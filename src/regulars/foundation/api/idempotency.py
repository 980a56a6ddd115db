"""``Idempotency-Key``: the same request again gets the same reply and changes nothing
(draft-ietf-httpapi-idempotency-key-header).
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from regulars.foundation import clock
from regulars.foundation.access.models import IdempotentReply
from regulars.foundation.api.access import caller
from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import Cell, seal, unseal
from regulars.foundation.vault.keys import key_ring

KEPT = timedelta(hours=24)
LONGEST_WORK = timedelta(minutes=1)  # after it, whoever began is taken for dead and the request may begin again
Route = TypeVar("Route", bound=Callable[..., Any])


class KeyUsedOtherwise(InvalidInput):
    """This Idempotency-Key came before with another body: use a new key for a new request."""

    code = "idempotency-key-reused"
    status = 422


class StillAtWork(Conflict):
    """A request with this Idempotency-Key is still at work: ask again in a moment."""

    code = "idempotency-key-in-use"


class BadKey(InvalidInput):
    """An Idempotency-Key has 1 to 200 visible characters."""

    code = "bad-idempotency-key"


def idempotent(route: Route) -> Route:
    """For a route that writes, in one transaction, and returns ``(status, schema)``. Without the header it runs as it is;
    what others made fail is begun again.

    Errors are not kept: a request that was refused changed nothing and may be sent again, mended, under its key.
    """

    @wraps(route)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        given = request.headers.get("Idempotency-Key")
        if given is None:
            return _respond(*retried(route)(request, *args, **kwargs))
        return _once(_Key.of(request, given), clock.now(), lambda: route(request, *args, **kwargs))

    return cast("Route", kept)


class _Key:
    """The row's key, the hash of the body, and the secret under which the reply is sealed: only who knows the key can
    open it.
    """

    def __init__(self, text: str, body: bytes) -> None:
        ring = key_ring()
        self.row = ring.token("idempotency key", text)
        self.body = ring.token("idempotent body", body.hex(), 32)
        self.secret = ring.token("idempotent reply", text, 32)

    @classmethod
    def of(cls, request: HttpRequest, given: str) -> "_Key":
        if not 1 <= len(given) <= 200 or not given.isprintable():
            raise BadKey
        return cls(f"{caller(request).actor} {request.method} {request.path} {given}", request.body)


def _once(key: _Key, at: datetime, run: Callable[[], tuple[int, Schema]]) -> HttpResponse:
    if not _begin(key, at):
        return _replay(key, at)
    try:
        return _completed(key, run)
    except BaseException:
        _forget(key)
        raise


@retried
def _completed(key: _Key, run: Callable[[], tuple[int, Schema]]) -> HttpResponse:
    """What is written and what is answered in one transaction: whoever dies in between has written nothing."""
    with transaction.atomic():
        response = _respond(*run())
        sealed = seal(key.secret, response.content, _CELL)
        IdempotentReply.objects.filter(key=key.row).update(status=response.status_code, body=sealed)
    return response


def _forget(key: _Key) -> None:
    IdempotentReply.objects.filter(key=key.row, status=None).delete()


_CELL = Cell("access_idempotentreply", "body", 0)


def _begin(key: _Key, at: datetime) -> bool:
    """True for whoever is first, also after an old reply was forgotten or its maker died."""
    IdempotentReply.objects.filter(key=key.row, created_at__lt=at - KEPT).delete()
    row = IdempotentReply(key=key.row, request_hash=key.body, created_at=at)
    IdempotentReply.objects.bulk_create([row], ignore_conflicts=True)
    mine = IdempotentReply.objects.filter(key=key.row, request_hash=key.body, status=None)
    is_mine = mine.filter(created_at=at).exists()
    return is_mine or bool(mine.filter(created_at__lt=at - LONGEST_WORK).update(created_at=at))


def _replay(key: _Key, at: datetime) -> HttpResponse:
    row = IdempotentReply.objects.filter(key=key.row).first()
    if row is None or (row.status is None and bytes(row.request_hash) == key.body):
        raise StillAtWork
    if bytes(row.request_hash) != key.body:
        raise KeyUsedOtherwise
    body = unseal(key.secret, bytes(row.body or b""), _CELL)
    return HttpResponse(
        body, status=row.status, content_type="application/json", headers={"Idempotent-Replayed": "true"}
    )


def _respond(status: int, payload: Schema) -> HttpResponse:
    content = json.dumps(payload.model_dump(), cls=NinjaJSONEncoder)
    return HttpResponse(content, status=status, content_type="application/json; charset=utf-8")


def forget_old_replies(at: datetime) -> int:
    """Removes replies older than a day."""
    return IdempotentReply.objects.filter(created_at__lt=at - KEPT).delete()[0]
