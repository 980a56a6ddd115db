"""Asking a shop at once for things that a webhook told in part only: an order's payments, the lines of a refund.

Nothing hangs on it. Whatever goes wrong, and whatever comes in too thick to be asked for one by one, the next look at the shop brings.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from regulars.connections.base.accounts import account_of
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.platforms import PLATFORMS, Wanted, Why
from regulars.connections.base.readings import KIND, PATH, path_of
from regulars.foundation.errors import RegularsError
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.work.operations import enqueue

logger = structlog.get_logger(__name__)
Clock = Callable[[], datetime]
ASK_JOB = "connections.ask"
PATIENCE = timedelta(seconds=5)  # in which a shop tells one thing several times: it is asked for once
MOST_AT_ONCE = 20  # of what is read together; a shop with more to tell is not asked for each


def ask_for_things(row: Connection, wanted: Collection[Wanted], at: datetime) -> None:
    """In the transaction of whoever read that they are wanted."""
    if len(wanted) > MOST_AT_ONCE:
        return
    for one in wanted:
        once = f"ask:{row.pk}:{one.topic}:{one.key}"
        place = {"connection_id": row.pk, "topic": one.topic, "key": one.key}
        enqueue(ASK_JOB, lock=f"ask:{row.pk}", once=once, at=at + PATIENCE, **place)


def ask_on(connection_id: int, topic: str, key: str, clock: Clock) -> None:
    """Fetches one thing into the inbox, where it is read as on a page."""
    row = Connection.objects.select_related("store").filter(pk=connection_id).first()
    if row is None or row.state != ConnectionState.ACTIVE:
        return
    try:
        body = PLATFORMS[row.platform].fetch_one(account_of(row, clock()), topic, key)
    except RegularsError as error:
        logger.info("one thing could not be asked for", connection=row.pk, topic=topic, why=type(error).__name__)
        return
    if body:
        headers = {PATH: path_of(Why.RECONCILE, topic)}
        receive([Arrival(row.source, KIND, body, headers, row.store_id)], clock())
