"""What every adapter of `MetricsBackend` and `RuleEngine` must do, run on a real Prometheus."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.adapters.prometheus import POINTS_PER_REQUEST, PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Permanent, RuleEngine, Transient
from flyball.demo import servers

START = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
STEP = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
RULES = """
groups:
- name: first
  interval: 90s
  rules:
  - {record: "a:b", expr: "sum(rate(foo[5m])) by (job)"}
  - {alert: Late, expr: "foo > 1", for: 5m}
- name: empty
  rules: []
"""


def _points(values: list[float]) -> tuple[tuple[datetime, float], ...]:
    return tuple((START + number * STEP, value) for number, value in enumerate(values))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.yaml").write_text(RULES)
    with servers.prometheus(folder, rule_globs=[str(folder / "*.yaml")]) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(
                [
                    Series({"__name__": "foo", "job": 'é " \\ \n'}, _points([1, 2, math.nan, math.inf, -math.inf])),
                    Series({"__name__": "foo", "job": "b"}, _points([0.1, 0.2, 0.30000000000000004])),
                ]
            )
        yield server


@pytest.fixture(params=[PrometheusBackend])
def backend(request: pytest.FixtureRequest, server: servers.Server) -> Iterator[MetricsBackend]:
    adapter = request.param(server.url)
    yield adapter
    adapter.close()


def test_an_instant_vector_carries_labels_times_and_exact_values(backend: MetricsBackend) -> None:
    samples = {sample.labels["job"]: sample for sample in backend.query("foo", START + 2 * STEP)}
    assert samples["b"].value == 0.30000000000000004
    assert samples["b"].at == START + 2 * STEP
    assert samples["b"].labels == {"__name__": "foo", "job": "b"}
    assert math.isnan(samples['é " \\ \n'].value)


def test_infinities_are_passed_on(backend: MetricsBackend) -> None:
    values = [backend.query('foo{job!="b"}', START + number * STEP)[0].value for number in (3, 4)]
    assert values == [math.inf, -math.inf]


def test_a_scalar_is_one_sample_without_labels(backend: MetricsBackend) -> None:
    assert [(sample.labels, sample.value) for sample in backend.query("scalar(vector(3))", START)] == [({}, 3)]


def test_a_range_vector_is_all_its_points_in_order(backend: MetricsBackend) -> None:
    samples = backend.query('foo{job="b"}[1m]', START + 2 * STEP)
    assert [sample.value for sample in samples] == [0.1, 0.2, 0.30000000000000004]
    assert samples[0].at == START


def test_no_data_is_an_empty_answer(backend: MetricsBackend) -> None:
    assert backend.query("nothing", START) == []
    assert backend.query_range("nothing", START, START + MINUTE, MINUTE) == []


@pytest.mark.parametrize("expression", ["sum(", '"text"', "foo + on() foo", ""])
def test_an_expression_that_cannot_be_answered_is_permanent(backend: MetricsBackend, expression: str) -> None:
    with pytest.raises(Permanent):
        backend.query(expression, START)


def test_the_refusal_is_told_in_prometheus_own_words(backend: MetricsBackend) -> None:
    with pytest.raises(Permanent, match="unclosed left parenthesis"):
        backend.query_range("sum(", START, START, MINUTE)


def test_long_expressions_are_taken(backend: MetricsBackend) -> None:
    assert backend.query(" + ".join(["vector(1)"] * 5_000), START)[0].value == 5_000


def test_a_range_includes_both_ends(backend: MetricsBackend) -> None:
    (series,) = backend.query_range("vector(1)", START, START + 3 * MINUTE, MINUTE)
    assert [at for at, _ in series.points] == [START + number * MINUTE for number in range(4)]


def test_a_range_that_ends_between_two_steps_ends_at_the_earlier_one(backend: MetricsBackend) -> None:
    (series,) = backend.query_range("vector(1)", START, START + MINUTE + STEP, MINUTE)
    assert [at for at, _ in series.points] == [START, START + MINUTE]


def test_a_range_that_ends_before_it_starts_is_empty(backend: MetricsBackend) -> None:
    assert backend.query_range("vector(1)", START, START - MINUTE, MINUTE) == []


def test_a_step_below_a_millisecond_is_a_mistake_of_the_caller(backend: MetricsBackend) -> None:
    with pytest.raises(ValueError, match="1 ms"):
        backend.query_range("vector(1)", START, START, timedelta(microseconds=1))


@pytest.mark.parametrize("points", [POINTS_PER_REQUEST - 1, POINTS_PER_REQUEST, POINTS_PER_REQUEST + 1, 25_001])
def test_long_ranges_are_joined_without_gaps_and_doubles(backend: MetricsBackend, points: int) -> None:
    step = timedelta(milliseconds=1001)
    (series,) = backend.query_range("time()", START, START + (points - 1) * step, step)
    assert [at for at, _ in series.points] == [START + number * step for number in range(points)]
    assert all(math.isclose(value, at.timestamp(), abs_tol=1e-3) for at, value in series.points[:: points // 50])


def test_a_series_that_is_missing_from_one_request_has_a_gap_there(backend: MetricsBackend) -> None:
    steps = POINTS_PER_REQUEST + 10
    start = START - steps * timedelta(seconds=1)
    found = backend.query_range("foo", start, START + timedelta(seconds=16), timedelta(seconds=1))
    assert {series.labels["job"]: series.points[0] for series in found}["b"] == (START, 0.1)


def test_steps_without_data_are_absent(backend: MetricsBackend) -> None:
    (series,) = backend.query_range('foo{job="b"} < 0.15 or foo{job="b"} > 0.25', START, START + 2 * STEP, STEP)
    assert [value for _, value in series.points] == [0.1, 0.30000000000000004]


def test_an_engine_says_whether_it_answers(server: servers.Server) -> None:
    engine: RuleEngine = PrometheusBackend(server.url)
    engine.ensure_answering()
    away: RuleEngine = PrometheusBackend("http://127.0.0.1:1")
    with pytest.raises(Transient):
        away.ensure_answering()


def test_loaded_groups_name_their_rules_in_order(server: servers.Server) -> None:
    engine: RuleEngine = PrometheusBackend(server.url)
    engine.reload()
    first, empty = sorted(engine.loaded_groups(), key=lambda group: group.name, reverse=True)
    assert first.file.endswith("/rules.yaml")
    assert (first.name, first.interval) == ("first", timedelta(seconds=90))
    assert first.rules == (("a:b", "sum by (job) (rate(foo[5m]))"), ("Late", "foo > 1"))
    assert (empty.name, empty.rules) == ("empty", ())
