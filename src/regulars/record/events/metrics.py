"""How far the log's readers are behind, for Prometheus."""

from collections.abc import Iterable

from regulars.foundation.health.metrics import GAUGES, Gauge
from regulars.record.events.models import ParkedEvent
from regulars.record.events.readers import lag


def _lag() -> Iterable[tuple[tuple[str, ...], float]]:
    return [((reader,), float(behind)) for reader, behind in lag().items()]


def _parked() -> Iterable[tuple[tuple[str, ...], float]]:
    return [((), float(ParkedEvent.objects.filter(replayed_at=None).count()))]


GAUGES.register("log_lag_events", Gauge("Events that a reader of the log has not seen yet, at most", _lag, ("reader",)))
GAUGES.register("log_parked_events", Gauge("Events set aside because their reader failed on them", _parked))
