"""What every adapter of `MatrixBackend` must do, run on a real Prometheus."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.matrix_ports import MatrixBackend, SampleMatrix
from controlplane.model.series import Series
from controlplane.ports import Permanent, Transient
from flyball.demo import servers

STEP = timedelta(minutes=5)
FIRST = 5_891_616  # steps of 5 min since the epoch
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = EPOCH + FIRST * STEP
ALL = 10_000


def _series(name: str, points: dict[int, float], **labels: str) -> Series:
    return Series(
        {"__name__": name, **labels}, tuple((START + number * STEP, value) for number, value in points.items())
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(
                [
                    _series(
                        "foo", {0: 1, 1: 2, 2: math.nan, 3: math.inf, 4: -math.inf, 5: 6}, job='é " \\ "values":[[]]'
                    ),
                    _series("foo", {0: 0.1, 2: 0.3, 300: 16_777_217}, job="b"),
                    _series("foo", {4: 1e300, 5: 5e-324}, job="a", values="x"),
                    _series("bar", {0: 7, 1: 8}, job="b"),
                    _series("baz", {3: 9}, job="b"),
                    _series("nul", {0: 1}, job="a\0b"),
                    *(
                        _series("many", dict.fromkeys(range(40), float(number)), number=f"{number:02}")
                        for number in range(25)
                    ),
                ]
            )
        yield server


@pytest.fixture(scope="module", params=["client", "thin"])
def make(request: pytest.FixtureRequest, server: servers.Server) -> Iterator[Callable[..., PrometheusMatrix]]:
    """The adapter as it serves either way; other arguments at will."""
    made: list[PrometheusMatrix] = []

    def made_with(url: str = server.url, **terms: object) -> PrometheusMatrix:
        steps = 1_000_000 if request.param == "client" else 0
        made.append(PrometheusMatrix(url, client_steps=steps, **terms))  # type: ignore[arg-type]
        return made[-1]

    yield made_with
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def backend(make: Callable[..., PrometheusMatrix]) -> MatrixBackend:
    return make()


def _asked(
    backend: MatrixBackend, query: str, steps: int = 6, *, most_series: int = ALL, exact: bool = True
) -> SampleMatrix:
    return backend.matrix(query, START, START + (steps - 1) * STEP, STEP, most_series=most_series, exact=exact)


@pytest.mark.parametrize("steps", [6, 50])
def test_rows_are_in_the_order_of_their_labels_without_the_metrics_name(backend: MatrixBackend, steps: int) -> None:
    found = _asked(backend, "last_over_time(foo[1m])", steps)
    assert found.labels == ({"job": "a", "values": "x"}, {"job": "b"}, {"job": 'é " \\ "values":[[]]'})
    assert (found.first, found.step, found.values.shape) == (FIRST, STEP, (3, steps))


def test_a_nul_in_a_label_is_none_that_a_database_would_refuse(backend: MatrixBackend) -> None:
    assert _asked(backend, "last_over_time(nul[1m])").labels == ({"job": "a\u2400b"},)


def test_what_is_no_number_is_no_sample(backend: MatrixBackend) -> None:
    found = _asked(backend, "last_over_time(foo[1m])")
    np.testing.assert_array_equal(found.values[2], [1, 2, math.nan, math.nan, math.nan, 6])
    np.testing.assert_array_equal(found.values[1], [0.1, math.nan, 0.3, *[math.nan] * 3])


def test_exact_values_are_float64_and_others_float32(backend: MatrixBackend) -> None:
    exact, short = (_asked(backend, "last_over_time(foo[1m])", 301, exact=exact).values for exact in (True, False))
    assert (exact.dtype.name, short.dtype.name) == ("float64", "float32")
    assert (exact[1, 300], short[1, 300]) == (16_777_217, 16_777_216)
    assert exact[0, 4] == 1e300
    assert math.isnan(short[0, 4])  # a float32 has no such number


def test_both_ends_are_whole_steps_within_what_was_asked_for(backend: MatrixBackend) -> None:
    second = timedelta(seconds=1)
    found = backend.matrix("time()", START - second, START + 2 * STEP - second, STEP, most_series=1, exact=True)
    assert found.first == FIRST
    np.testing.assert_array_equal(found.values, [[START.timestamp(), START.timestamp() + 300]])


def test_a_scalar_is_one_series_without_labels_however_long(backend: MatrixBackend) -> None:
    found = _asked(backend, "time()", 40)
    assert found.labels == ({},)
    np.testing.assert_array_equal(found.values[0], START.timestamp() + 300 * np.arange(40))


def test_no_data_is_no_rows(backend: MatrixBackend) -> None:
    for steps in (3, 40):
        found = _asked(backend, "nothing", steps)
        assert (found.labels, found.values.shape) == ((), (0, steps))


def test_a_time_that_ends_before_it_starts_has_no_steps(backend: MatrixBackend) -> None:
    found = backend.matrix("foo", START, START - STEP, STEP, most_series=1)
    assert (found.labels, found.values.shape) == ((), (0, 0))


@pytest.mark.parametrize("step", [timedelta(milliseconds=1500), timedelta(0), -STEP])
def test_a_step_that_is_not_whole_seconds_is_a_mistake_of_the_caller(backend: MatrixBackend, step: timedelta) -> None:
    with pytest.raises(ValueError, match="whole seconds"):
        backend.matrix("foo", START, START, step, most_series=1)


@pytest.mark.parametrize("points", [10_000, 10_001])
def test_long_times_are_joined_without_gaps_and_doubles(backend: MatrixBackend, points: int) -> None:
    step = timedelta(seconds=7)
    first = -(-int(START.timestamp()) // 7)
    start = EPOCH + first * step
    found = backend.matrix("time()", start, start + (points - 1) * step, step, most_series=1, exact=True)
    np.testing.assert_array_equal(found.values[0], 7.0 * (first + np.arange(points)))


def test_every_value_of_many_series_is_where_it_belongs(backend: MatrixBackend) -> None:
    found = _asked(backend, "last_over_time(many[30d]) * 1e10 + scalar(vector(time()))", 2_500)
    number = np.array([int(labels["number"]) for labels in found.labels])
    times = START.timestamp() + 300 * np.arange(2_500)
    np.testing.assert_array_equal(found.values, number[:, None] * 1e10 + times[None, :])


@pytest.mark.parametrize("steps", [6, 40])
def test_too_many_series_are_refused_with_their_number_and_what_to_do(backend: MatrixBackend, steps: int) -> None:
    assert len(_asked(backend, "many", steps, most_series=25).labels) == 25
    with pytest.raises(Permanent, match=r"24 that may be read: sum|more than the 24 series .* sum them up"):
        _asked(backend, "many", steps, most_series=24)


def test_series_that_come_and_go_count_though_there_are_never_many_at_once(backend: MatrixBackend) -> None:
    begins = [START.timestamp() + n * 1500 for n in range(8)]
    by_time = " or ".join(
        f"(many{{number='{n:02}'}} and on () (vector(time()) >= {begin:.0f} < {begin + 1500:.0f}))"
        for n, begin in enumerate(begins)
    )
    assert len(_asked(backend, by_time, 40).labels) == 8
    with pytest.raises(Permanent, match="came and went"):
        _asked(backend, by_time, 40, most_series=7)


def test_series_that_differ_in_their_name_only_are_joined_where_they_do_not_meet(backend: MatrixBackend) -> None:
    found = _asked(backend, 'last_over_time({__name__=~"bar|baz"}[1m])')
    assert found.labels == ({"job": "b"},)
    np.testing.assert_array_equal(found.values, [[7, 8, math.nan, 9, math.nan, math.nan]])
    with pytest.raises(Permanent, match="label_replace"):
        _asked(backend, 'last_over_time({__name__=~"foo|bar",job="b"}[1m])')


@pytest.mark.parametrize("query", ["sum(", '"text"', "foo + on() foo", "", "foo[5m]"])
@pytest.mark.parametrize("steps", [2, 40])
def test_a_query_that_cannot_be_answered_is_permanent(backend: MatrixBackend, query: str, steps: int) -> None:
    with pytest.raises(Permanent):
        _asked(backend, query, steps)


def test_a_refusal_is_told_in_prometheus_own_words(backend: MatrixBackend) -> None:
    with pytest.raises(Permanent, match="unclosed left parenthesis"):
        _asked(backend, "sum(", 40)


def test_a_query_may_end_in_a_comment_and_be_long(backend: MatrixBackend) -> None:
    assert len(_asked(backend, "many # all of them", 40).labels) == 25
    assert len(_asked(backend, f'many{{number!="{"x" * 20_000}"}}', 2).labels) == 25


def test_a_server_that_is_away_is_transient_and_asked_once(make: Callable[..., PrometheusMatrix]) -> None:
    away = make("http://127.0.0.1:1")
    for steps in (2, 40):
        with pytest.raises(Transient, match="unreachable"):
            _asked(away, "foo", steps)


def test_an_answer_over_its_bound_is_asked_for_in_halves(make: Callable[..., PrometheusMatrix]) -> None:
    small = make(limit_bytes=12_000)
    whole, halves = _asked(make(), "many", 12), _asked(small, "many", 12)
    assert halves.labels == whole.labels
    np.testing.assert_array_equal(halves.values, whole.values)
    with pytest.raises(Permanent, match="more than 1,000 bytes"):
        _asked(make(limit_bytes=1_000), "many", 12)
