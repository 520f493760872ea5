"""Our own metrics and traces: a registry that is ours, and spans that go out when there is somewhere to send them."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from controlplane import conventions

SERVICE_NAME: Final = "flyball"
_EXPORT_TIMEOUT_SECONDS: Final = 5.0
_FLUSH_SECONDS: Final = 3.0
_BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything that we say of our own health; names and labels stand in `conventions`."""

    registry: CollectorRegistry
    job_runs: Counter
    job_seconds: Histogram
    job_last_success: Gauge
    leader: Gauge
    lease_epoch: Gauge
    webhook_requests: Counter
    webhook_seconds: Histogram
    webhook_in_flight: Gauge
    alerts_received: Counter
    deliveries: Counter
    outbox_messages: Gauge
    outbox_dead_letters: Gauge
    spec_problems: Gauge
    spec_rejected: Counter
    applied_slos: Gauge
    apply_total: Counter

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics and their content type: OpenMetrics with exemplars for who asks for it, else plain text."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


def own_metrics() -> Metrics:
    """A fresh set on a registry of its own, so that two of them may live in one process."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    info = Gauge(conventions.FLYBALL_BUILD_INFO, "1, with our version.", ["version"], registry=registry)
    info.labels(version("flyball")).set(1)
    return Metrics(
        registry=registry,
        job_runs=Counter(conventions.JOB_RUNS, "Turns of a job.", ["task", "outcome"], registry=registry),
        job_seconds=Histogram(
            conventions.JOB_SECONDS, "How long a turn took.", ["task"], buckets=_BUCKETS_SECONDS, registry=registry
        ),
        job_last_success=Gauge(
            conventions.JOB_LAST_SUCCESS, "When a job last ended well.", ["task"], registry=registry
        ),
        leader=Gauge(conventions.LEADER, "1 while this replica holds the lease.", registry=registry),
        lease_epoch=Gauge(conventions.LEASE_EPOCH, "Epoch of the lease that we hold or held.", registry=registry),
        webhook_requests=Counter(
            conventions.WEBHOOK_REQUESTS, "Answers of a webhook.", ["hook", "code"], registry=registry
        ),
        webhook_seconds=Histogram(
            conventions.WEBHOOK_SECONDS, "From the request to the answer.", ["hook"], buckets=_BUCKETS_SECONDS,
            registry=registry,
        ),
        webhook_in_flight=Gauge(
            conventions.WEBHOOK_IN_FLIGHT, "Requests being worked on.", ["hook"], registry=registry
        ),
        alerts_received=Counter(
            conventions.ALERTS_RECEIVED, "Alerts stored, repeated deliveries included.", ["status"], registry=registry
        ),
        deliveries=Counter(
            conventions.DELIVERIES, "Attempts to deliver a message.", ["channel", "outcome"], registry=registry
        ),
        outbox_messages=Gauge(
            conventions.OUTBOX_BACKLOG, "Messages neither delivered nor given up.", registry=registry
        ),
        outbox_dead_letters=Gauge(conventions.OUTBOX_DEAD, "Messages given up.", registry=registry),
        spec_problems=Gauge(
            conventions.SPEC_PROBLEMS, "Problems in the files as they stand.", ["severity"], registry=registry
        ),
        spec_rejected=Counter(conventions.SPEC_REJECTED, "Edits that did not load.", registry=registry),
        applied_slos=Gauge(conventions.APPLIED_SLOS, "SLOs whose rules are applied.", registry=registry),
        apply_total=Counter(conventions.APPLY_TOTAL, "Turns of applying rules.", ["outcome"], registry=registry),
    )  # fmt: skip


class _ToldExporter(SpanExporter):
    """Sends spans, and logs when that begins to fail and when it works again, not every attempt."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failing = result is not SpanExportResult.SUCCESS
        if failing and not self._failing:
            log.warning("telemetry.spans_not_sent", extra={"endpoint": self._endpoint})
        if self._failing and not failing:
            log.info("telemetry.spans_sent_again", extra={"endpoint": self._endpoint})
        self._failing = failing
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Tracing:
    """Spans of our own work. Without an endpoint they only give logs and exemplars their trace ids."""

    def __init__(self, *, endpoint: str, instance: str) -> None:
        resource = Resource.create(
            {
                "service.name": SERVICE_NAME,
                "service.version": version("flyball"),
                "service.instance.id": instance,
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        if endpoint:
            exporter = OTLPSpanExporter(endpoint=traces_url(endpoint), timeout=_EXPORT_TIMEOUT_SECONDS)
            told = _ToldExporter(exporter, endpoint)
            self._provider.add_span_processor(BatchSpanProcessor(told, schedule_delay_millis=2000))
        self._tracer = self._provider.get_tracer(SERVICE_NAME)

    @contextmanager
    def span(self, name: str, **attributes: str | int | float | bool) -> Iterator[trace.Span]:
        """A span around the block; an exception marks it as failed and goes on."""
        with self._tracer.start_as_current_span(name, attributes=attributes) as span:
            yield span

    def close(self) -> None:
        """Send what is left, for a few seconds at most: a receiver that does not answer must not hold us up."""
        closing = threading.Thread(target=self._provider.shutdown, name="close tracing", daemon=True)
        closing.start()
        closing.join(_FLUSH_SECONDS)
        if closing.is_alive():
            log.warning("telemetry.spans_lost", extra={"waited_seconds": _FLUSH_SECONDS})


def traces_url(endpoint: str) -> str:
    """The traces URL below a base URL, as OTLP/HTTP has it; a URL that names it already stays."""
    return endpoint if endpoint.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"


def exemplar_of(span: trace.Span) -> dict[str, str] | None:
    """The trace id as an exemplar's labels; None outside of a trace."""
    context = span.get_span_context()
    return {"trace_id": trace.format_trace_id(context.trace_id)} if context.is_valid else None
