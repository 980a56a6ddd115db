"""Where shops send their webhooks. A delivery is checked over its raw bytes, stored, committed, thanked; nothing else happens here."""

from prometheus_client import Counter

from regulars.connections.base.accounts import account_of, read_secrets
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import find_connection
from regulars.connections.base.platforms import PLATFORMS, BadSignature, Why
from regulars.connections.base.readings import KIND, PATH, path_of
from regulars.foundation import clock
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.inbox.straight import Answer, Sent, straight

LARGEST = 5_000_000  # bytes; the largest that a platform is known to send is a tenth of it
REFUSED = Counter("regulars_webhooks_refused", "Webhooks with a wrong signature", ["platform"])


@straight("shops send what happens in them, each delivery signed")
def take(sent: Sent, platform: str, public_id: str) -> Answer:
    """200 once it is stored, or was before; 401 with a wrong signature, 404 without such a connection, 413, and 503 while the database is
    away. Never 429: a shop that is turned away may give up. An ended connection answers 410, so that the shop stops sending; but what it
    asks in customers' names is taken, for what it told is still here.
    """
    if sent.method != "POST":
        return _answer(405, "Send it by POST.", Allow="POST")
    row = find_connection(public_id)
    if row is None or row.platform != platform or platform not in PLATFORMS:
        return _answer(404, "There is no such connection.")
    if row.state == ConnectionState.OVER and not read_secrets(row).signing:
        return _ended()
    body = sent.body(LARGEST)
    return _answer(413, "This is too large.") if body is None else _take(row, sent.headers(), body)


def _take(row: Connection, headers: dict[str, str], body: bytes) -> Answer:
    at, platform = clock.now(), PLATFORMS[row.platform]
    try:
        delivery = platform.authenticate(account_of(row, at), headers, body)
    except BadSignature as error:
        REFUSED.labels(row.platform).inc()
        return _answer(401, error.sentence)
    if delivery is None:
        return _answer(200, "")
    if row.state == ConnectionState.OVER and delivery.topic not in platform.lasting:
        return _ended()
    kept = {PATH: path_of(Why.WEBHOOK, delivery.topic)} | headers
    receive([Arrival(row.source, KIND, body, kept, row.store_id, own_id=delivery.own_id)], at)
    return _answer(200, "")


def _ended() -> Answer:
    return _answer(410, "This connection has ended.")


def _answer(status: int, sentence: str, **headers: str) -> Answer:
    return Answer(status, sentence.encode(), headers=headers)
