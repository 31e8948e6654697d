"""What the server counts, as Prometheus reads it; names follow its conventions."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Counts:
    """All that is counted, in a registry of its own."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.registry = own
        self.requests = Counter("mlops_requests", "Requests answered.", ["path", "method", "status"], registry=own)
        self.seconds = Histogram(
            "mlops_request_seconds", "How long requests took.", ["path"], buckets=_SECONDS, registry=own
        )
        self.under_way = Gauge("mlops_requests_under_way", "Requests that are being answered.", registry=own)
        self.rows = Counter("mlops_rows", "Rows predicted.", ["model"], registry=own)
        self.model = Gauge("mlops_model_info", "1 for the version that answers.", ["model", "asked"], registry=own)
        self.loaded = Gauge("mlops_model_loaded_timestamp_seconds", "When it was loaded.", registry=own)
        self.stale = Gauge("mlops_model_stale", "1 while the version asked for cannot be loaded.", registry=own)
        self.failures = Counter("mlops_model_load_failures", "Versions that could not be loaded.", registry=own)
        self.logged = Counter("mlops_logged_rows", "Rows written to the request log.", registry=own)
        self.dropped = Counter("mlops_log_dropped_rows", "Rows the request log could not take.", registry=own)

    def answered(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(path, method, str(status)).inc()
        self.seconds.labels(path).observe(seconds)

    def now_answers(self, model: str, asked: str) -> None:
        """Say which version answers from now on."""
        self.model.clear()
        self.model.labels(model, asked).set(1)
        self.loaded.set_to_current_time()

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
