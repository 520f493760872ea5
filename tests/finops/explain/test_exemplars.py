"""Exemplars of a real Prometheus."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import snappy

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_exemplars import PrometheusExemplars
from controlplane.adapters.remote_write import RemoteWriter, encoded_labels
from controlplane.ports import Permanent
from finops.explain.tables import Periods
from finops.explain.tracing import fetch_traces
from flyball.demo import servers

AT = datetime(2026, 11, 9, 12, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _point(number: int, value: float, at: datetime) -> bytes:
    """A double and a time in milliseconds, in these fields of Prometheus' remote-write messages."""
    milliseconds = _varint(int(at.timestamp() * 1000))
    return _varint(number << 3 | 1) + struct.pack("<d", value) + _varint(number + 1 << 3) + milliseconds


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="14600d", block_duration="14600d", retention="14600d") as server:
        with RemoteWriter(server.url) as writer:
            labels = encoded_labels({"__name__": "http_request_duration_seconds_bucket", "service": 'a"pi', "le": "1"})
            exemplar = _field(1, _field(1, b"trace_id") + _field(2, TRACE.encode())) + _point(2, 0.75, AT)
            series = labels + _field(2, _point(1, 5.0, AT)) + _field(3, exemplar)
            writer.send(snappy.compress(_field(1, series)))
        backend = PrometheusBackend(server.url)
        yield backend
        backend.close()


def test_the_traces_of_a_service_are_found(backend: PrometheusBackend) -> None:
    (trace,) = fetch_traces(
        PrometheusExemplars(backend), ['a"pi', "other"], Periods.of(AT - timedelta(days=1), AT + timedelta(hours=1))
    )
    assert (trace.service, trace.trace_id, trace.at, trace.value) == ('a"pi', TRACE, AT, 0.75)
    assert trace.metric == "http_request_duration_seconds_bucket"


def test_outside_of_their_time_there_are_none(backend: PrometheusBackend) -> None:
    source = PrometheusExemplars(backend)
    assert source.exemplars('{service="a\\"pi"}', AT + timedelta(hours=1), AT + timedelta(hours=2)) == []


def test_a_selector_that_is_none_is_refused(backend: PrometheusBackend) -> None:
    with pytest.raises(Permanent):
        PrometheusExemplars(backend).exemplars("{", AT, AT)
