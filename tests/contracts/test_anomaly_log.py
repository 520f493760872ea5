"""Models of series, anomalies and feedback, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from controlplane.anomaly_ports import AnomalyLog
from controlplane.model.anomaly import Episode, Feedback, StoredModel, Verdict
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND

DAY = timedelta(days=1)


@contextmanager
def anomalies(store: SqlStore, *, read_only: bool = False) -> Iterator[AnomalyLog]:
    with store.transaction(read_only=read_only) as transaction:
        yield transaction.anomalies


def a_model(detector: str = "traffic", chunk: int = 0, **changes: Any) -> StoredModel:
    return replace(StoredModel(detector, chunk, 1, "d1", NOW, b"\x00\xff packed"), **changes)


def an_episode(name: str = "e1", **changes: Any) -> Episode:
    labels = {"service": "checkout", "region": "ü"}
    base = Episode(
        id=name,
        detector="traffic",
        series='{region="ü", service="checkout"}',
        labels=labels,
        kind="point",
        started_at=NOW,
        ended_at=None,
        worst_at=NOW + MINUTE,
        value=Decimal("1240.5"),
        expected=Decimal(545),
        lower=Decimal(480),
        upper=Decimal(610),
        score=Decimal("0.000000125"),
        explanation="daily, 4 weeks",
    )
    return replace(base, **changes)


def a_word(name: str = "f1", **changes: Any) -> Feedback:
    return replace(
        Feedback(name, "traffic", "", NOW, NOW + MINUTE, Verdict.EXPECTED, True, "ann", NOW, "a campaign"), **changes
    )


def test_models_come_back_by_chunk_as_they_were_put_last(store: SqlStore) -> None:
    second = a_model(chunk=10, version=2, digest="d2", fitted_at=NOW + SECOND, body=b"")
    with anomalies(store) as log:
        assert (log.models("traffic"), log.model("traffic", 0), log.chunks("traffic")) == ([], None, [])
        log.put_models([a_model(chunk=10), a_model(chunk=2), a_model("spend")])
        log.put_models([second])
        log.put_models([])
    with anomalies(store, read_only=True) as log:
        assert log.models("traffic") == [a_model(chunk=2), second]
        assert (log.model("traffic", 10), log.chunks("traffic")) == (second, [2, 10])
        assert log.modelled_detectors() == ["spend", "traffic"]


def test_models_beyond_a_chunk_are_dropped(store: SqlStore) -> None:
    with anomalies(store) as log:
        log.put_models([a_model(chunk=chunk) for chunk in range(4)] + [a_model("spend", 7)])
        assert log.drop_models("traffic", chunks_from=3) == 1
        assert log.chunks("traffic") == [0, 1, 2]
        assert log.drop_models("traffic") == 3
        assert log.drop_models("traffic") == 0
        assert log.modelled_detectors() == ["spend"]


def test_a_model_that_is_too_large_is_refused_and_none_of_its_neighbours_is_written(store: SqlStore) -> None:
    with pytest.raises(Permanent, match=r"traffic, chunk 1: 16\.0 MiB, at most 16"), anomalies(store) as log:
        log.put_models([a_model(), a_model(chunk=1, body=bytes(16 * 1024**2 + 1))])
    with anomalies(store) as log:
        assert log.chunks("traffic") == []


def test_an_episode_comes_back_as_it_was_put_last(store: SqlStore) -> None:
    ended = an_episode(ended_at=NOW + DAY, value=None, expected=None, lower=None, upper=None, score=None, labels={})
    with anomalies(store) as log:
        assert log.episode("e1") is None
        log.put_episodes([ended, an_episode()])
        assert log.episode("e1") == an_episode()
        log.put_episodes([an_episode(), ended])
        log.put_episodes([])
        assert log.episode("e1") == ended
        assert log.episodes_of(["e1", "e1", "none"]) == [ended]
        assert log.episodes_of([]) == []


def test_decimals_stay_exact_and_are_spelt_alike(store: SqlStore) -> None:
    with anomalies(store) as log:
        log.put_episodes([an_episode(value=Decimal("1E+3"), score=Decimal("12345678901234567890.123456789"))])
        found = log.episode("e1")
    assert found is not None
    assert (str(found.value), str(found.score)) == ("1000", "12345678901234567890.123456789")


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_a_figure_that_is_no_number_is_refused(store: SqlStore, value: Decimal) -> None:
    with pytest.raises(ValueError, match="no number"), anomalies(store) as log:
        log.put_episodes([an_episode(score=value)])


def test_open_episodes_come_oldest_first(store: SqlStore) -> None:
    with anomalies(store) as log:
        log.put_episodes(
            [
                an_episode("later", started_at=NOW + SECOND),
                an_episode("b"),
                an_episode("a"),
                an_episode("over", ended_at=NOW + SECOND),
                an_episode("other", detector="spend", started_at=NOW - DAY),
            ]
        )
        assert [each.id for each in log.open_episodes("traffic")] == ["a", "b", "later"]
        assert [each.id for each in log.open_episodes()] == ["other", "a", "b", "later"]
        assert [each.id for each in log.open_episodes(limit=2)] == ["other", "a"]
        assert log.open_episodes("nobody") == []


def test_episodes_of_a_time_are_those_that_touch_it_newest_first(store: SqlStore) -> None:
    start, end = NOW, NOW + DAY
    before, after = start - SECOND, end + SECOND
    with anomalies(store) as log:
        log.put_episodes(
            [
                an_episode("over before", started_at=before, ended_at=start),
                an_episode("reaches in", started_at=before, ended_at=start + SECOND),
                an_episode("at the start", started_at=start, ended_at=start),  # a level shift ends at once
                an_episode("spans it", started_at=before - SECOND, ended_at=after),
                an_episode("goes on", started_at=start + MINUTE, series="{}"),
                an_episode("starts at its end", started_at=end),
                an_episode("other", detector="spend", started_at=start + SECOND),
            ]
        )
        found = ["goes on", "other", "at the start", "reaches in", "spans it"]
        assert [each.id for each in log.episodes(start, end)] == found
        assert [each.id for each in log.episodes(start, end, limit=2)] == found[:2]
        assert [each.id for each in log.episodes(start, end, detector="spend")] == ["other"]
        assert [each.id for each in log.episodes(start, end, detector="traffic", series="{}")] == ["goes on"]


def test_times_of_any_zone_are_kept_and_naive_ones_are_refused(store: SqlStore) -> None:
    berlin = timezone(timedelta(hours=1))
    with anomalies(store) as log:
        log.put_episodes([an_episode(started_at=NOW.astimezone(berlin))])
        found = log.episode("e1")
        assert found is not None
        assert (found.started_at, found.started_at.tzinfo) == (NOW, UTC)
    with pytest.raises(Permanent, match="without a zone"), anomalies(store) as log:
        log.put_episodes([an_episode(worst_at=datetime(2026, 1, 1))])  # noqa: DTZ001


def test_feedback_is_kept_once_and_can_be_taken_back(store: SqlStore) -> None:
    with anomalies(store) as log:
        assert log.add_feedback(a_word())
        assert not log.add_feedback(a_word(verdict=Verdict.REAL))
        assert log.feedback() == [a_word()]
        assert log.withdraw_feedback("f1")
        assert not log.withdraw_feedback("f1")
        assert log.feedback() == []


def test_feedback_comes_newest_first_of_times_that_end_later(store: SqlStore) -> None:
    with anomalies(store) as log:
        log.add_feedback(a_word("old", said_at=NOW - DAY, end=NOW + DAY))
        log.add_feedback(a_word("new", said_at=NOW + DAY, verdict=Verdict.REAL, is_learnt=False, note=""))
        log.add_feedback(a_word("other", detector="spend"))
        assert [each.id for each in log.feedback()] == ["new", "other", "old"]
        assert [each.id for each in log.feedback("traffic")] == ["new", "old"]
        assert [each.id for each in log.feedback("traffic", since=NOW + MINUTE)] == ["old"]
        assert [each.id for each in log.feedback(limit=1)] == ["new"]


def test_feedback_on_no_time_is_refused(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="ends after it starts"), anomalies(store) as log:
        log.add_feedback(a_word(end=NOW))


def test_what_was_over_is_forgotten_and_what_is_open_is_not(store: SqlStore) -> None:
    with anomalies(store) as log:
        log.put_episodes(
            [
                an_episode("open", started_at=NOW - 9 * DAY),
                an_episode("over", started_at=NOW - 9 * DAY, ended_at=NOW - SECOND),
                an_episode("just over", ended_at=NOW),
            ]
        )
        log.add_feedback(a_word("past", start=NOW - DAY, end=NOW - SECOND))
        log.add_feedback(a_word("recent", start=NOW - DAY, end=NOW))
        assert log.forget(NOW) == 2
        assert log.forget(NOW) == 0
        assert sorted(each.id for each in log.episodes(NOW - 30 * DAY, NOW + DAY)) == ["just over", "open"]
        assert [each.id for each in log.feedback()] == ["recent"]


def test_a_model_is_written_while_somebody_else_holds_the_right_to_write_events(
    store: SqlStore, other: SqlStore
) -> None:
    if "sqlite" in repr(store):
        return  # one writer at a time, whatever it writes
    with store.transaction() as first:
        first.incidents.lock()
        with anomalies(other) as log:
            log.put_models([a_model()])
            log.put_episodes([])
        assert first.anomalies.chunks("traffic") == [0]
