"""Logs as lines that programs read, and traces that arrive at an OTLP/HTTP receiver."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from controlplane import conventions
from flyball.demo.servers import prometheus
from flyball.logs import EventFormatter
from flyball.secret import Secret
from flyball.telemetry import Tracing, traces_url
from tests.alerts.notifications import alert, body
from tests.flyball.running import BEARER, eventually, replica, settings_in


@contextmanager
def otlp_receiver() -> Iterator[tuple[str, list[tuple[str, ExportTraceServiceRequest]]]]:
    """A receiver of OTLP/HTTP, and what it received: path and decoded request."""
    received: list[tuple[str, ExportTraceServiceRequest]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = ExportTraceServiceRequest()
            request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.path, request))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = 0, size: object = 0) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_spans_of_jobs_and_webhooks_arrive_with_our_name(tmp_path: Path) -> None:
    with otlp_receiver() as (url, received):
        with replica(settings_in(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)) as one:
            one.run("files")
            assert one.post(body(alert()), BEARER).is_success
            openmetrics = {"Accept": "application/openmetrics-text; version=1.0.0"}
            exposition = one.client.get("/metrics", headers=openmetrics).text
        assert {path for path, _ in received} == {"/v1/traces"}  # sent at the end at the latest
        resources = [resource for _, request in received for resource in request.resource_spans]
        names = {one.key: one.value.string_value for one in resources[0].resource.attributes}
        assert names["service.name"] == "flyball"
        assert names["service.instance.id"]
        spans = {span.name: span for one in resources for scope in one.scope_spans for span in scope.spans}
        job = spans["job files"]
        attributes = {one.key: one.value.string_value for one in job.attributes}
        assert attributes == {"flyball.job": "files", "flyball.outcome": "ok"}
        assert f'trace_id="{job.trace_id.hex()}"' in exposition  # the exemplar leads to the trace
        assert "webhook alertmanager" in spans


def test_a_failed_block_is_a_failed_span() -> None:
    with otlp_receiver() as (url, received):
        tracing = Tracing(endpoint=f"{url}/", instance="test")
        with pytest.raises(KeyError), tracing.span("breaks", size=3):
            raise KeyError("x")
        tracing.close()
        (span,) = received[0][1].resource_spans[0].scope_spans[0].spans
        assert span.status.code == 2
        assert span.events[0].name == "exception"


@pytest.mark.parametrize("endpoint", ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"])
def test_the_endpoint_may_be_a_base_or_the_traces_url(endpoint: str) -> None:
    assert traces_url(endpoint) == "http://c:4318/v1/traces"


# --- logs -------------------------------------------------------------------------------------------------------------


class Log:
    """A logger of its own that writes to `text`."""

    def __init__(self, *, as_json: bool, secrets: tuple[Secret, ...] = ()) -> None:
        self._stream = StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(EventFormatter(as_json=as_json, secrets=secrets))
        self.logger = logging.Logger("test")
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def fields(self) -> dict[str, object]:
        (line,) = self.text.splitlines()
        found = json.loads(line)
        assert isinstance(found, dict)
        return found


def test_json_holds_event_and_fields_in_one_line() -> None:
    log = Log(as_json=True)
    log.logger.warning("finops.tier_changed", extra={"tier": 3, "why": 'a "quoted"\nline', "ratio": 0.5, "none": None})
    fields = log.fields()
    assert (fields["event"], fields["level"], fields["tier"]) == ("finops.tier_changed", "warning", 3)
    assert (fields["why"], fields["ratio"], fields["none"]) == ('a "quoted"\nline', 0.5, None)
    assert str(fields["time"]).endswith("+00:00")


def test_logfmt_quotes_what_needs_it() -> None:
    log = Log(as_json=False)
    fields = {"tier": 3, "plain": "a/b:c", "spaced": "a b", "quoted": 'x"y', "lines": "a\nb\x1b[31m", "empty": ""}
    log.logger.info("finops.tier_changed", extra=fields)
    (line,) = log.text.splitlines()
    assert 'event=finops.tier_changed logger=test tier=3 plain=a/b:c spaced="a b" quoted="x\\"y"' in line
    assert 'lines="a\\nb\\u001b[31m" empty=""' in line


def test_an_exception_is_in_the_same_line() -> None:
    log = Log(as_json=True)
    try:
        raise ValueError("broken")
    except ValueError:
        log.logger.exception("job.failed", extra={"job": "slo"})
    fields = log.fields()
    assert fields["error"] == "ValueError: broken"
    assert "test_telemetry.py" in str(fields["stack"])


def test_known_secrets_are_blotted_out_wherever_they_turn_up() -> None:
    for as_json in (True, False):
        log = Log(as_json=as_json, secrets=(Secret("geheim"), Secret("geheimnis")))
        try:
            raise ValueError("url with geheim in it")
        except ValueError:
            log.logger.exception("failed at geheimnis", extra={"url": "http://u:geheim@x", "secret": Secret("other")})
        assert "geheim" not in log.text
        assert "other" not in log.text
        assert "***" in log.text


def test_logs_within_a_span_carry_its_trace() -> None:
    tracing, log = Tracing(endpoint="", instance="test"), Log(as_json=True)
    with tracing.span("job") as span:
        log.logger.info("inside")
    assert log.fields()["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_prometheus_scrapes_our_metrics_and_their_exemplars(tmp_path: Path) -> None:
    with replica(settings_in(tmp_path)) as one:
        one.run("files")
        target = one.url.removeprefix("http://")
        scrape = [{"job_name": "flyball", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}]
        with prometheus(tmp_path / "prometheus", scrape=scrape) as engine:

            def found(path: str, query: str) -> list[object]:
                times = {"start": "0", "end": "9999999999"} if path == "query_exemplars" else {}
                answer = httpx.get(f"{engine.url}/api/v1/{path}", params={"query": query} | times).json()["data"]
                return list(answer["result"] if isinstance(answer, dict) else answer)

            eventually(lambda: found("query", 'up{job="flyball"} == 1'))
            assert found("query", f'{conventions.JOB_RUNS}{{task="files", outcome="ok"}} == 1')
            eventually(lambda: found("query_exemplars", f"{conventions.JOB_SECONDS}_bucket"))
