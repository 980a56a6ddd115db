"""How far the warehouse is behind, and how large it is, for Prometheus."""

from collections.abc import Iterable

from regulars.foundation import clock
from regulars.foundation.health.metrics import GAUGES, Gauge
from regulars.insight.warehouse.queries import behind, describe, lag

Rows = Iterable[tuple[tuple[str, ...], float]]


def _positions() -> Rows:
    return [((), float(lag().positions))]


def _seconds() -> Rows:
    return [((), behind(clock.now()).total_seconds())]


def _rows() -> Rows:
    return [((table["name"],), float(table["rows"])) for table in describe()]


GAUGES.register(
    "warehouse_lag_positions", Gauge("Positions of the log that the warehouse does not hold yet", _positions)
)
GAUGES.register(
    "warehouse_lag_seconds", Gauge("For how long there has been something that the warehouse lacks", _seconds)
)
GAUGES.register("warehouse_rows", Gauge("Versions of rows that the warehouse holds, by table", _rows, ("table",)))
