"""What Prometheus reads: gauges that modules register in their ``metrics.py`` door, and what this process counts itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from regulars.foundation.health.queries import measure_database_seconds
from regulars.foundation.registry import Registry

REQUESTS = Counter("regulars_http_requests", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("regulars_http_request_seconds", "Time to answer a request", ["route"])


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """By route, never by address: an address may hold an id or a search for a person."""
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


@dataclass(frozen=True)
class Gauge:
    """``read`` gives (label values, value) rows with one query; no label may hold anything personal."""

    meaning: str
    read: Callable[[], Iterable[tuple[tuple[str, ...], float]]]
    labels: tuple[str, ...] = field(default=())


GAUGES: Registry[Gauge] = Registry("gauge")


class HouseCollector(Collector):
    """Reads the registered gauges when Prometheus asks; none where the database is away."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing ahead of time: else registering would ask the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        seconds = measure_database_seconds()
        up = GaugeMetricFamily("regulars_database_up", "1 while the database answers")
        up.add_metric([], 0 if seconds is None else 1)
        yield up
        for name, gauge in GAUGES.items() if seconds is not None else []:
            family = GaugeMetricFamily(f"regulars_{name}", gauge.meaning, labels=gauge.labels)
            for labels, value in gauge.read():
                family.add_metric(list(labels), value)
            yield family
