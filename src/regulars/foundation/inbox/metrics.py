"""What waits in the inbox and what is in quarantine, for Prometheus."""

from collections.abc import Iterable

from regulars.foundation import clock
from regulars.foundation.health.metrics import GAUGES, Gauge
from regulars.foundation.inbox.queries import list_waiting

Rows = Iterable[tuple[tuple[str, ...], float]]


def _waiting() -> Rows:
    return [((one.kind,), float(one.received)) for one in list_waiting()]


def _quarantined() -> Rows:
    return [((one.kind,), float(one.quarantined)) for one in list_waiting()]


def _age() -> Rows:
    at = clock.now()
    return [((one.kind,), (at - one.oldest).total_seconds() if one.oldest else 0.0) for one in list_waiting()]


GAUGES.register("inbox_waiting", Gauge("Inputs that are stored and not read yet, by kind", _waiting, ("kind",)))
GAUGES.register("inbox_quarantined", Gauge("Inputs that could not be read, by kind", _quarantined, ("kind",)))
GAUGES.register("inbox_oldest_seconds", Gauge("Age of the oldest input that is not read yet", _age, ("kind",)))
