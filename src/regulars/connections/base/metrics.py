"""How connected shops stand, for Prometheus."""

from collections.abc import Iterable

from django.db.models import Count

from regulars.connections.base.models import Connection, ConnectionState, PlatformRequest, Tell, TellState
from regulars.foundation.health.metrics import GAUGES, Gauge

Rows = Iterable[tuple[tuple[str, ...], float]]


def _connections() -> Rows:
    rows = Connection.objects.exclude(state=ConnectionState.OVER).values_list("platform", "state")
    return [((platform, state), float(count)) for platform, state, count in rows.annotate(count=Count("id")).order_by()]


def _tells() -> Rows:
    return [((), float(Tell.objects.filter(state=TellState.WAITING).count()))]


def _requests() -> Rows:
    return [((), float(PlatformRequest.objects.filter(done_at=None).count()))]


GAUGES.register("connections", Gauge("Connected shops, by platform and state", _connections, ("platform", "state")))
GAUGES.register("connections_tells_waiting", Gauge("Consents that shops are still to be told", _tells))
GAUGES.register("connections_requests_open", Gauge("What platforms ask in people's names and is not done", _requests))
