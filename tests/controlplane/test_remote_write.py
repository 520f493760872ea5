import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import snappy
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import STALE, ColumnarSeries, RemoteWriter, columnar, encode, encoded_labels
from controlplane.model.series import Series
from controlplane.ports import Permanent, Transient
from flyball.demo import servers

Kind = descriptor_pb2.FieldDescriptorProto


def write_request_class() -> type:
    """`prometheus.WriteRequest` as its .proto file says it, understood by protobuf itself."""
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    shapes = {
        "Label": [("name", 1, Kind.TYPE_STRING, ""), ("value", 2, Kind.TYPE_STRING, "")],
        "Sample": [("value", 1, Kind.TYPE_DOUBLE, ""), ("timestamp", 2, Kind.TYPE_INT64, "")],
        "TimeSeries": [("labels", 1, Kind.TYPE_MESSAGE, "Label"), ("samples", 2, Kind.TYPE_MESSAGE, "Sample")],
        "WriteRequest": [("timeseries", 1, Kind.TYPE_MESSAGE, "TimeSeries")],
    }
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = Kind.LABEL_REPEATED if of else Kind.LABEL_OPTIONAL
            message.field.add(
                name=field, number=number, type=kind, label=label, type_name=f".prometheus.{of}" if of else None
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("prometheus.WriteRequest"))


WriteRequest = write_request_class()
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
moments = st.integers(1 << 35, (1 << 42) - 1)


@given(st.dictionaries(texts, texts, max_size=5), st.dictionaries(moments, st.floats(), min_size=1, max_size=20))
def test_protobuf_reads_what_we_wrote(labels: dict[str, str], points: dict[int, float]) -> None:
    times = sorted(points)
    values = np.array([points[time] for time in times])
    body = encode([ColumnarSeries(encoded_labels(labels), np.array(times), values)])
    (series,) = WriteRequest.FromString(body).timeseries
    assert [(label.name, label.value) for label in series.labels] == sorted(labels.items())
    assert [sample.timestamp for sample in series.samples] == times
    assert np.array_equal(np.array([sample.value for sample in series.samples]), values, equal_nan=True)


def test_a_label_without_a_value_is_left_out_as_prometheus_means_it() -> None:
    assert encoded_labels({"a": "", "b": "1"}) == encoded_labels({"b": "1"})


@pytest.mark.parametrize("time", [0, (1 << 35) - 1, 1 << 42])
def test_times_that_do_not_fit_are_refused(time: int) -> None:
    with pytest.raises(ValueError, match="1971 and 2109"):
        encode([ColumnarSeries(b"", np.array([time]), np.array([1.0]))])


def test_a_series_without_points_is_not_written() -> None:
    assert encode([columnar(Series({"__name__": "x"}, ()))]) == b""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


def now() -> datetime:
    return datetime.now(UTC)


def test_prometheus_gives_back_what_was_written(prometheus: servers.Server) -> None:
    end = now()
    points = tuple((end - timedelta(seconds=15 * i), 0.1 * i - 3) for i in range(100, -1, -1))
    with RemoteWriter(prometheus.url) as writer:
        writer.write([Series({"__name__": "written", "text": 'a "quoted" ü'}, points)])
    found = PrometheusBackend(prometheus.url).query("written[1h]", end)
    assert [sample.value for sample in found] == [value for _, value in points]
    assert found[0].labels["text"] == 'a "quoted" ü'
    assert PrometheusBackend(prometheus.url).query("written", end)[0].value == -3


def test_the_stale_marker_ends_a_series(prometheus: servers.Server) -> None:
    end = now()
    times = np.array([round(end.timestamp() * 1000) - 2000, round(end.timestamp() * 1000) - 1000])
    with RemoteWriter(prometheus.url) as writer:
        for name, last in (("stale", STALE), ("nan", math.nan)):
            labels = encoded_labels({"__name__": name})
            writer.write_columns([ColumnarSeries(labels, times, np.array([1.0, last]))])
    backend = PrometheusBackend(prometheus.url)
    assert backend.query("stale", end) == []
    assert math.isnan(backend.query("nan", end)[0].value)


def test_a_long_series_goes_in_several_requests(prometheus: servers.Server) -> None:
    end = now()
    points = tuple((end - timedelta(milliseconds=100 * i), 1.0) for i in range(3000, 0, -1))
    with RemoteWriter(prometheus.url) as writer:
        writer.write([Series({"__name__": "many", "number": str(i)}, points) for i in range(80)])
    assert PrometheusBackend(prometheus.url).query("sum(count_over_time(many[10m]))", end)[0].value == 240_000


def test_samples_that_are_too_old_are_refused_for_good(prometheus: servers.Server) -> None:
    with RemoteWriter(prometheus.url) as writer:
        writer.write([Series({"__name__": "order"}, ((now(), 1.0),))])
        with pytest.raises(Permanent, match=r"400 .*(out of bounds|out of order)"):
            writer.write([Series({"__name__": "order"}, ((now() - timedelta(days=3), 1.0),))])


def test_a_server_that_is_not_there_may_come_back() -> None:
    url = f"http://127.0.0.1:{servers.free_port()}"
    with RemoteWriter(url) as writer, pytest.raises(Transient, match=url):
        writer.send(snappy.compress(b""))
