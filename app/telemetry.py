"""Let the running service be seen.

Structured logs with allow-listed fields, and Prometheus metrics.
"""

import logging
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from math import nan
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ALLOWED_FIELDS: Final = frozenset(
    {
        "event", "level", "timestamp", "logger", "link_id", "job", "job_id",
        "delivery_id", "system", "side", "kind", "record_id", "method", "route",
        "status", "milliseconds", "code", "reason", "outcome", "count", "attempts",
        "seconds", "request_id", "run_id", "draft_id", "change", "error", "traceback",
        "address", "pid", "version", "worker",
    }
)  # fmt: skip
"""The only fields a log line may carry; everything else is dropped before it is written."""

_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)


@dataclass(frozen=True)
class Metrics:
    """Hold one process's counters; labels are few and never ids."""

    registry: CollectorRegistry
    accepted: Counter
    calls: Counter
    call_seconds: Histogram
    changes: Counter
    lag_seconds: Histogram
    requests: Histogram
    drafts: Counter
    erased: Counter
    violations: Counter
    pending: Gauge
    parked: Gauge
    oldest_pending_seconds: Gauge
    links: Gauge
    _series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = field(default_factory=dict)

    def observe_call(self, system: str, method: str, outcome: str, seconds: float) -> None:
        """Count one call to another system."""
        series = self._series.get((system, method, outcome))
        if series is None:  # the library's own look for a series costs more than counting
            series = self.calls.labels(system, method, outcome), self.call_seconds.labels(system)
            self._series[system, method, outcome] = series
        series[0].inc()
        series[1].observe(seconds)

    def forget_links(self) -> None:
        """Say of the gauges over all links that nobody knows them now."""
        for gauge in (self.pending, self.parked, self.oldest_pending_seconds):
            gauge.set(nan)


def create_metrics() -> Metrics:
    """Register the series of one process in a registry of its own."""
    own = CollectorRegistry()

    def histogram(name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=_BUCKETS, registry=own)

    return Metrics(
        registry=own,
        accepted=Counter("tc_webhooks", "Deliveries", ["system", "outcome"], registry=own),
        calls=Counter(
            "tc_outgoing_calls", "Calls out", ["system", "method", "outcome"], registry=own
        ),
        call_seconds=histogram("tc_outgoing_call_seconds", "Duration of calls out", "system"),
        changes=Counter("tc_changes", "Changes looked at", ["outcome"], registry=own),
        lag_seconds=histogram("tc_change_lag_seconds", "From first hint to settled"),
        requests=histogram("tc_request_seconds", "Requests", "method", "route", "status"),
        drafts=Counter("tc_drafts", "Invoice drafts", ["outcome"], registry=own),
        erased=Counter("tc_erased", "What went once its time was over", ["what"], registry=own),
        violations=Counter(
            "tc_ledger_violations", "What a night's check found broken", ["code"], registry=own
        ),
        pending=Gauge("tc_changes_pending", "Changes waiting to be looked at", registry=own),
        parked=Gauge("tc_changes_parked", "Changes waiting for a person", registry=own),
        oldest_pending_seconds=Gauge(
            "tc_oldest_due_seconds", "How long the longest due link has waited", registry=own
        ),
        links=Gauge("tc_links", "Links by state", ["state"], registry=own),
    )


def configure_logging(level: str) -> None:
    """Write one JSON object a line to standard error, allow-listed fields only.

    Call once at start.
    """
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _keep_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Foreign()], force=True)


def _keep_allowed(
    logger: object,  # noqa: ARG001 - the signature is structlog's
    method: str,  # noqa: ARG001
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED_FIELDS}


class _Foreign(logging.Handler):
    """Turn other libraries' warnings into our lines.

    Their logger and level, never their text or values.
    """

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning(
            "library warning",
            logger=record.name,
            error=record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None,
        )
