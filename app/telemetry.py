"""Let the running service be seen.

Structured logs with allow-listed fields, and Prometheus metrics.
"""

import logging
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
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

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    accepted: Counter = field(init=False)
    calls: Counter = field(init=False)
    call_seconds: Histogram = field(init=False)
    changes: Counter = field(init=False)
    lag_seconds: Histogram = field(init=False)
    requests: Histogram = field(init=False)
    drafts: Counter = field(init=False)
    pending: Gauge = field(init=False)
    parked: Gauge = field(init=False)
    oldest_pending_seconds: Gauge = field(init=False)
    links: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Register the series."""

        def put(name: str, series: object) -> None:
            object.__setattr__(self, name, series)

        registry = self.registry
        put(
            "accepted",
            Counter(
                "tc_webhooks",
                "Webhook deliveries by answer",
                ["system", "outcome"],
                registry=registry,
            ),
        )
        put(
            "calls",
            Counter(
                "tc_outgoing_calls",
                "Calls to other systems by outcome",
                ["system", "method", "outcome"],
                registry=registry,
            ),
        )
        put(
            "call_seconds",
            Histogram(
                "tc_outgoing_call_seconds",
                "Duration of outgoing calls",
                ["system"],
                buckets=_BUCKETS,
                registry=registry,
            ),
        )
        put(
            "changes",
            Counter("tc_changes", "Changes looked at, by outcome", ["outcome"], registry=registry),
        )
        put(
            "lag_seconds",
            Histogram(
                "tc_change_lag_seconds",
                "From first hint to settled",
                buckets=_BUCKETS,
                registry=registry,
            ),
        )
        put(
            "requests",
            Histogram(
                "tc_request_seconds",
                "Requests by route and status",
                ["method", "route", "status"],
                buckets=_BUCKETS,
                registry=registry,
            ),
        )
        put(
            "drafts",
            Counter("tc_drafts", "Invoice drafts by outcome", ["outcome"], registry=registry),
        )
        put(
            "pending",
            Gauge("tc_changes_pending", "Changes waiting to be looked at", registry=registry),
        )
        put("parked", Gauge("tc_changes_parked", "Changes waiting for a person", registry=registry))
        put(
            "oldest_pending_seconds",
            Gauge(
                "tc_oldest_due_seconds",
                "How long the longest due link has waited",
                registry=registry,
            ),
        )
        put("links", Gauge("tc_links", "Links by state", ["state"], registry=registry))

    def observe_call(self, system: str, method: str, outcome: str, seconds: float) -> None:
        """Count one call to another system."""
        self.calls.labels(system, method, outcome).inc()
        self.call_seconds.labels(system).observe(seconds)


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
