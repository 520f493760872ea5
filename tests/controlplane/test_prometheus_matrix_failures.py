"""How the matrix adapter sorts what goes wrong, whichever way it reads."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.adapters.prometheus_matrix_answer import Span, batches_of, parse
from controlplane.matrix_ports import SampleMatrix
from controlplane.ports import Permanent, Transient
from tests.controlplane.test_prometheus_failures import Script
from tests.controlplane.test_prometheus_failures import script as script

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
STEP = timedelta(minutes=5)
SPAN = Span(SECONDS // 300, 3, 300)
Ask = Callable[[], SampleMatrix]


def _answer(*rows: object, **more: object) -> str:
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": rows}, **more}, separators=(",", ":")
    )


def _row(**labels: str) -> dict[str, object]:
    return {"metric": labels, "values": [[SECONDS, "1"], [SECONDS + 300, "2"]]}


@pytest.fixture(params=[0, 100], ids=["thin", "client"])
def ask(request: pytest.FixtureRequest, script: Script) -> Ask:
    def asked(**terms: object) -> SampleMatrix:
        adapter = PrometheusMatrix(script.url, client_steps=request.param, **terms)  # type: ignore[arg-type]
        try:
            return adapter.matrix("up", NOW, NOW + 2 * STEP, STEP, most_series=10)
        finally:
            adapter.close()

    return asked


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<html>Bad Gateway</html>"),
        (503, json.dumps({"status": "error", "errorType": "unavailable", "error": "starting"})),
        (429, "slow down"),
        (200, "<html>Sign in</html>"),
        (200, '{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}}'),
        (200, _answer({"values": [[SECONDS, "1"]]})),
        (200, _answer({"metric": {"job": 1}, "values": [[SECONDS, "1"]]})),
        (200, _answer({"metric": {}, "values": [[SECONDS, "many"]]})),
        (200, _answer({"metric": {}, "values": [[SECONDS + 1, "1"]]})),
        (200, _answer({"metric": {}, "values": [[SECONDS + 900, "1"]]})),
        (200, _answer({"metric": {}, "values": [[SECONDS, "1"], [SECONDS, "2"]]})),
        (200, '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"'),
        (200, '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]'),
    ],
)
def test_what_may_pass_is_transient_and_asked_once(script: Script, ask: Ask, status: int, body: str) -> None:
    script.status, script.body = status, body
    with pytest.raises(Transient):
        ask()
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_will_be_refused_again_is_permanent(script: Script, ask: Ask, status: int) -> None:
    script.status, script.body = status, "no"
    with pytest.raises(Permanent, match=f"answered {status}: no"):
        ask()


def test_a_redirect_is_permanent_and_not_followed(script: Script, ask: Ask) -> None:
    script.status, script.headers = 302, {"location": "/elsewhere"}
    with pytest.raises(Permanent, match="redirects to /elsewhere"):
        ask()
    assert len(script.asked) == 1


def test_a_silent_server_is_transient_in_time_and_asked_once(script: Script, ask: Ask) -> None:
    script.silent = True
    with pytest.raises(Transient, match="did not answer within"):
        ask(timeout_seconds=0.05)  # type: ignore[call-arg]
    assert len(script.asked) == 1


def test_a_query_that_is_too_slow_is_asked_for_in_halves_and_transient(script: Script, ask: Ask) -> None:
    told = "query timed out in expression evaluation"
    script.status, script.body = 503, json.dumps({"status": "error", "errorType": "timeout", "error": told})
    with pytest.raises(Transient, match="timed out"):
        ask()
    assert len(script.asked) == 2  # three steps, then one


def test_native_histograms_are_refused_instead_of_lost(script: Script, ask: Ask) -> None:
    script.body = _answer({"metric": {}, "histograms": [[SECONDS, {"count": "1"}]]})
    with pytest.raises(Permanent, match="histogram_count"):
        ask()


@pytest.mark.parametrize(
    "more", [{"warnings": ["a store did not answer"]}, {"isPartial": True}, {"infos": ["no counter"]}]
)
def test_partial_answers_are_told(script: Script, ask: Ask, more: dict[str, object]) -> None:
    script.body = _answer(_row(job="a"), **more)
    found = ask()
    assert bool(found.warnings) is ("infos" not in more)
    np.testing.assert_array_equal(found.values, [[1, 2, np.nan]])


def test_series_that_are_counted_as_no_number_are_not_bounded_beforehand(script: Script) -> None:
    adapter = PrometheusMatrix(script.url, client_steps=0)
    script.body = _answer({"metric": {}, "values": [[SECONDS, "NaN"]]})
    try:
        assert np.isnan(adapter.matrix("up", NOW, NOW + 11 * STEP, STEP, most_series=10).values).all()
    finally:
        adapter.close()


def test_the_same_series_twice_is_one_row_unless_they_contradict_each_other(script: Script, ask: Ask) -> None:
    script.body = _answer(_row(job="a"), _row(job="a", empty=""))
    assert ask().labels == ({"job": "a"},)
    script.body = _answer(_row(job="a"), {"metric": {"job": "a"}, "values": [[SECONDS, "3"]]})
    with pytest.raises(Permanent, match=r'several series \{job="a"\}'):
        ask()


def test_credentials_of_the_url_are_sent_and_never_told(script: Script, ask: Ask) -> None:
    script.url = script.url.replace("//", "//user:secret@")
    script.status, script.body = 400, "no"
    with pytest.raises(Permanent) as refused:
        ask()
    assert script.asked[0]["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "words",
    [
        "query processing would load too many samples into memory in query execution",
        "exceeded maximum resolution of 11,000 points per timeseries",
        "cannot select more than -search.maxSamplesPerQuery=1000 samples",
        "the query exceeded the maximum number of samples (err-mimir-max-chunks-per-query)",
    ],
)
def test_what_is_too_much_at_once_is_asked_for_in_halves(script: Script, ask: Ask, words: str) -> None:
    script.status = 422
    script.body = json.dumps({"status": "error", "errorType": "execution", "error": words})
    with pytest.raises(Permanent, match="answered 422"):
        ask()
    assert len(script.asked) == 2


_NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr), st.sampled_from(["NaN", "+Inf", "-Inf", "1e+06", "0"])
)
_POINTS = st.lists(st.tuples(st.integers(0, 2), _NUMBERS), max_size=3, unique_by=lambda point: point[0]).map(sorted)


@given(
    st.lists(st.tuples(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), _POINTS), max_size=4),
    st.booleans(),
)
def test_numbers_cut_out_are_those_of_the_json(
    rows: list[tuple[dict[str, str], list[tuple[int, str]]]], wide: bool
) -> None:
    told = [
        {"metric": labels, "values": [[SECONDS + 300 * at, value] for at, value in points]} for labels, points in rows
    ]
    separators = (", ", ": ") if wide else (",", ":")
    body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": told}}, separators=separators)
    cut, whole = list(parse("here", body.encode(), SPAN).batches), list(batches_of("here", told, SPAN))
    assert [batch.labels for batch in cut] == [batch.labels for batch in whole]
    for one, other in zip(cut, whole, strict=True):
        np.testing.assert_array_equal(one.counts, other.counts)
        np.testing.assert_array_equal(one.columns, other.columns)
        finite = np.isfinite(other.values)
        np.testing.assert_array_equal(np.isfinite(one.values), finite)
        np.testing.assert_array_equal(one.values[finite], other.values[finite])
