"""Anomalies on /metrics."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from alerts.anomaly.exposition.board import SILENT_AFTER, ExpositionBoard
from alerts.anomaly.model import Output
from tests.alerts.anomaly.scoring.latests import AT, latest_of

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
NAN = float("nan")


@dataclass
class Time:
    at: datetime = AT

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def board(time: Time) -> ExpositionBoard:
    board = ExpositionBoard(time)
    board.heard(AT, ["traffic", "errors"])
    return board


def test_one_series_is_told_with_all_that_is_known_of_it(board: ExpositionBoard) -> None:
    found = latest_of([{"service": 'a"b\\c\nd'}], open={Output.POINT: np.array([True])})
    board.show(found)
    own = 'detector="traffic",service="a\\"b\\\\c\\nd"'
    lines = [line for line in board.text().decode().splitlines() if not line.startswith("#")]
    assert lines == [
        f"anomaly_score{{{own}}} 0.25",
        f"anomaly_sustained_score{{{own}}} 0.5",
        f'anomaly_open{{{own},output="point"}} 1',
        f"y{{{own}}} 0",
        f"yhat{{{own}}} 0",
        f"yhat_lower{{{own}}} -1",
        f"yhat_upper{{{own}}} 1",
        f'anomaly_baseline{{{own},baseline="daily"}} 1',
        f"anomaly_maturity{{{own}}} 3",
        f"anomaly_history_seconds{{{own}}} 86400",
        f"anomaly_coverage_ratio{{{own}}} 1",
        f"anomaly_gap{{{own}}} 0",
        f'anomaly_scored_timestamp_seconds{{detector="traffic"}} {AT.timestamp():.3f}',
        f'anomaly_model_fitted_timestamp_seconds{{detector="traffic"}} {AT.timestamp() - 3600:.3f}',
    ]


def test_what_is_not_known_is_not_told(board: ExpositionBoard) -> None:
    found = latest_of([{"a": "1"}])
    board.show(replace(found, score=np.array([NAN]), baseline=np.zeros(1, np.uint8), upper=np.array([np.inf])))
    text = board.text().decode()
    assert "anomaly_score{" not in text
    assert "anomaly_baseline" not in text
    assert 'yhat_upper{detector="traffic",a="1"} +Inf' in text


def test_two_detectors_share_each_family_in_both_formats(board: ExpositionBoard) -> None:
    board.show(latest_of([{"a": "1"}, {"a": "2"}]))
    board.show(latest_of([{"b": "x"}], detector="errors"))
    body = b"# HELP up 1\n# TYPE up gauge\nup 1.0\n"
    plain = {each.name: each for each in text_string_to_metric_families(board.joined(body, PLAIN).decode())}
    said = board.joined(body + b"# EOF\n", OPENMETRICS).decode()
    strict = {each.name: each for each in openmetrics_families(said)}
    assert plain.keys() == strict.keys()
    assert len(plain["anomaly_score"].samples) == len(strict["anomaly_score"].samples) == 3
    assert "up" in plain


def test_a_group_is_told_apart_from_a_series_with_the_same_labels(board: ExpositionBoard) -> None:
    board.show(latest_of([{"region": "eu"}, {"region": "eu", "group": "1"}], is_group=np.array([False, True])))
    assert 'y{detector="traffic",region="eu"} 0\ny{detector="traffic",group="1",region="eu"} 1' in board.text().decode()


def test_series_that_are_one_on_metrics_are_told_once(board: ExpositionBoard) -> None:
    board.show(latest_of([{"a": ""}, {}]))
    assert board.text().decode().count("anomaly_score{") == 1


def test_old_values_are_not_told_and_an_open_anomaly_is(board: ExpositionBoard, time: Time) -> None:
    board.show(latest_of([{"a": "1"}], open={Output.POINT: np.array([True])}))
    time.at = AT + timedelta(minutes=15, seconds=1)
    board.heard(time.at, ["traffic"])
    text = board.text().decode()
    assert "yhat" not in text
    assert "anomaly_score{" not in text
    assert 'anomaly_open{detector="traffic",a="1",output="point"} 1' in text
    assert "anomaly_scored_timestamp_seconds" in text


def test_who_does_not_lead_any_more_says_nothing(board: ExpositionBoard, time: Time) -> None:
    board.show(latest_of([{"a": "1"}]))
    time.at = AT + SILENT_AFTER + timedelta(seconds=1)
    assert board.joined(b"x", PLAIN) == b"x"
    assert board.latest() == ()
    board.heard(time.at, ["traffic"])
    assert board.latest()
    board.silence()
    assert board.text() == b""


def test_a_detector_that_is_not_declared_any_more_is_gone(board: ExpositionBoard) -> None:
    board.show(latest_of([{"a": "1"}]))
    board.heard(AT, ["errors"])
    assert board.text() == b""


def test_a_series_that_comes_is_told_though_the_others_stay(board: ExpositionBoard) -> None:
    first = latest_of([{"a": "1"}])
    board.show(first)
    board.show(replace(latest_of([{"a": "1"}, {"a": "2"}])))
    assert board.text().decode().count("anomaly_score{") == 2
