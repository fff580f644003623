"""ServerMetrics: what a server tells Prometheus of itself."""

from collections.abc import Callable
from typing import Any

import prometheus_client

# upper ends of the histogram's bins
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ServerMetrics:
    """Counters of one server.

    Args:
        pending: function without arguments, the number of requests that wait or are being answered.
    """

    def __init__(self, pending: Callable[[], float]) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        own: dict[str, Any] = dict(namespace='hwgen', registry=self._registry)
        self._requests = prometheus_client.Counter(
            'requests', 'Answered requests.', ['route', 'status'], **own
        )
        self._seconds = prometheus_client.Histogram(
            'request_seconds',
            'Time from the head of a request to its answer.',
            ['route'],
            buckets=SECONDS,
            **own,
        )
        prometheus_client.Gauge(
            'pending_requests', 'Requests that wait for the model or run on it.', **own
        ).set_function(pending)
        prometheus_client.ProcessCollector(registry=self._registry)

    def count(self, route: str, status: int, seconds: float | None = None) -> None:
        """Adds an answered request. route: str; status: int, of HTTP; seconds: float, or None where no
        request was read.
        """
        self._requests.labels(route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def text(self) -> tuple[bytes, str]:
        """All of it in Prometheus' text format, bytes, and its content type, str."""
        return prometheus_client.generate_latest(self._registry), prometheus_client.CONTENT_TYPE_LATEST
