"""Detectors at work, over a Prometheus in memory and a real database."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from alerts.anomaly.detector.settings import refit_steps
from alerts.anomaly.feedback.saying import feedback_of
from alerts.anomaly.model import Grouping
from alerts.anomaly.scoring.views import series_views
from controlplane import anomaly_names as names
from controlplane.model.anomaly import Verdict
from controlplane.ports import HeldLease, LeaseLost, Permanent, Transient
from controlplane.store import SqlStore
from tests.alerts.anomaly.scoring.running import Failing, Running, kept
from tests.alerts.anomaly.scoring.worlds import PER_DAY, STEP, World, detector, moment, seasonal

NOW = 42 * PER_DAY  # the first turn: Monday 0:00, six weeks of past


def spiked(rows: int | slice = 1, factor: float = 6.0, at: int = NOW + 4, length: int = 4) -> World:
    world = seasonal(days=44)
    world.values[rows, at : at + length] *= factor
    return world


def test_a_spike_opens_an_episode_that_is_told_and_ends(store: SqlStore) -> None:
    running = Running(store, spiked(), [detector()])
    turns = running.through(NOW + 3, NOW + 11)
    assert [turn.steps for turn in turns] == [1] * 8
    assert [index for index, turn in enumerate(turns) if turn.opened] == [2]  # two of the last three
    (episode,), events = kept(store)
    assert (episode.series, episode.kind, episode.started_at) == ('{service="s1"}', "point", moment(NOW + 4) - _DELAY)
    assert episode.ended_at == moment(NOW + 8) - _DELAY
    assert episode.value is not None
    assert episode.upper is not None
    assert episode.value > episode.upper
    assert "Before, at the same time" in _explanation(store, episode.id)
    assert {event.kind for event in events} == {names.EVENT_STARTED, names.EVENT_ENDED}


_DELAY = timedelta(seconds=60)


def _explanation(store: SqlStore, identity: str) -> str:
    with store.transaction(read_only=True) as transaction:
        episode = transaction.anomalies.episode(identity)
    assert episode is not None
    return episode.explanation


def test_while_it_is_open_metrics_and_views_say_so(store: SqlStore) -> None:
    running = Running(store, spiked(), [detector()])
    running.reach(NOW, NOW + 5)
    assert running.lines("anomaly_open") == [
        f'anomaly_open{{detector="traffic",service="s{row}",output="point"}} {int(row == 1)}' for row in range(4)
    ]
    assert len(running.lines("yhat_upper{")) == 4
    first = series_views(running.daemon.latest())[0]
    assert first.labels == {"service": "s1"}
    assert first.open
    assert first.score is not None
    assert first.score > 1


def test_nothing_is_told_of_a_monday(store: SqlStore) -> None:
    turn = Running(store, seasonal(days=44), [detector()])
    turn.at(NOW)
    assert turn.at(NOW + PER_DAY - 1).steps == PER_DAY - 1
    assert kept(store) == ([], [])


def test_only_what_is_new_is_read(store: SqlStore) -> None:
    world = seasonal(days=44)
    running = Running(store, world, [detector()])
    running.at(NOW)
    world.steps_read.clear()
    running.at(NOW + 1)
    running.at(NOW + 1)
    assert len(world.steps_read) == 1
    assert world.steps_read[0] < 12


@pytest.mark.parametrize("fails", ["before", "after"])
def test_what_a_crash_left_undone_is_done_the_same(store: SqlStore, other_store: SqlStore, fails: str) -> None:
    world = spiked()
    Running(other_store, world, [detector()]).through(NOW + 2, NOW + 10)
    failing = Failing(store)
    for index in range(NOW + 2, NOW + 10):  # every step: a process that dies while it writes, and one that takes over
        failing.fails = fails
        with suppress(Transient):
            Running(failing, world, [detector()]).at(index)
        failing.fails = ""
        Running(failing, world, [detector()]).at(index)
    assert kept(store) == kept(other_store)
    assert kept(store)[0]


def test_a_turn_whose_writing_failed_is_repeated_by_the_same_process(store: SqlStore, other_store: SqlStore) -> None:
    world = spiked()
    Running(other_store, world, [detector()]).through(NOW + 2, NOW + 10)
    failing = Failing(store)
    running = Running(failing, world, [detector()])
    running.at(NOW + 2)
    for index in range(NOW + 3, NOW + 10):
        failing.fails = "after" if index % 2 else "before"
        assert list(running.at(index).failed) == ["traffic"]
        assert _metric(running, "flyball_anomaly_failing", detector="traffic") == 1
        failing.fails = ""
        running.time.at = moment(index) + timedelta(minutes=1)
        assert running.daemon.run_once(running.time.at).failed == {}
    assert kept(store) == kept(other_store)
    assert _metric(running, "flyball_anomaly_failing", detector="traffic") == 0


def _metric(running: Running, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(running.daemon.collector)
    generate_latest(registry)  # type: ignore[no-untyped-call]
    return registry.get_sample_value(name, labels)


def test_a_downtime_is_caught_up_step_by_step(store: SqlStore, other_store: SqlStore) -> None:
    world = spiked()
    Running(other_store, world, [detector()]).through(NOW + 3, NOW + 12)
    Running(store, world, [detector()]).at(NOW + 3)
    turn = Running(store, world, [detector()]).at(NOW + 11)
    assert turn.steps == 8
    assert kept(store) == kept(other_store)


def test_samples_that_come_late_rewrite_no_alert_and_are_counted(store: SqlStore) -> None:
    world = spiked()
    whole = world.values.copy()
    world.values[2, NOW + 5] = np.nan
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 9)
    before = kept(store)
    world.values[2, NOW + 5] = whole[2, NOW + 5] * 50
    assert running.at(NOW + 10).late == 1
    assert kept(store) == before
    assert _metric(running, "flyball_anomaly_samples_total", detector="traffic", outcome="late") == 1


def test_a_detector_that_fails_takes_no_other_with_it(store: SqlStore) -> None:
    world = seasonal(days=44)
    broken = detector("broken", query="broken")
    running = Running(store, _Refusing(world), [broken, detector()])
    turn = running.at(NOW)
    assert (turn.steps, turn.failed) == (1, {"broken": "no such query"})
    assert _metric(running, "flyball_anomaly_failing", detector="broken") == 1
    assert _metric(running, "flyball_anomaly_failing", detector="traffic") == 0
    assert _metric(running, "flyball_anomaly_series", detector="traffic", state="scored") == 4


class _Refusing(World):
    def __init__(self, world: World) -> None:
        super().__init__(world.labels, world.values)

    def matrix(self, query, *rest, **others):  # type: ignore[no-untyped-def]
        if query == "broken":
            raise Permanent("no such query")
        return super().matrix(query, *rest, **others)


def test_while_prometheus_is_away_what_is_open_stays_open(store: SqlStore) -> None:
    world = spiked(length=30)
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 5)
    world.is_down = True
    assert running.at(NOW + 12).failed == {"traffic": "Prometheus is away"}
    assert any(line.endswith(" 1") for line in running.lines("anomaly_open"))
    assert not running.lines("anomaly_score{")  # it would be six hours old
    (episode,), _ = kept(store)
    assert episode.ended_at is None


def test_where_nothing_has_samples_any_more_nothing_moves(store: SqlStore) -> None:
    world = spiked()
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 5)
    before = kept(store)
    world.values[:, NOW + 6 : NOW + 18] = np.nan
    assert running.at(NOW + 10).steps == running.at(NOW + 17).steps == 0
    assert kept(store) == before
    assert running.at(NOW + 18).steps == 13  # twelve that nobody has read, and one
    assert {episode.kind for episode in kept(store)[0]} == {"point"}


def test_a_series_that_stops_is_a_gap_of_its_own(store: SqlStore) -> None:
    world = seasonal(days=44)
    world.values[3, NOW + 2 :] = np.nan
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 7)
    (episode,), (event,) = kept(store)
    assert (episode.kind, episode.series, event.kind) == ("gap", '{service="s3"}', names.EVENT_GAP)
    assert 'anomaly_gap{detector="traffic",service="s3"} 1' in running.lines("anomaly_gap")
    assert not [line for line in running.lines("y{") if "s3" in line]


def test_a_new_definition_makes_new_models_and_what_is_open_goes_on(store: SqlStore) -> None:
    world = spiked(length=40)
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 5)
    running.detectors = [detector(least_absolute=Decimal(5))]
    assert running.at(NOW + 7).fitted == 4
    assert _metric(running, "flyball_anomaly_models_rebuilt_total", reason="definition") == 1
    (episode,), _ = kept(store)
    assert episode.ended_at is None
    assert any(line.endswith(" 1") for line in running.lines("anomaly_open"))


def test_what_does_not_change_models_does_not_make_them_anew(store: SqlStore) -> None:
    world = seasonal(days=44)
    running = Running(store, world, [detector()])
    running.at(NOW)
    reads = world.reads
    running.detectors = [replace(detector(), severity="ticket", display_name="Traffic")]
    turn = running.at(NOW + 1)
    assert (turn.steps, turn.fitted, world.reads) == (1, 0, reads + 1)


def test_a_detector_that_is_taken_away_leaves_nothing_open(store: SqlStore) -> None:
    running = Running(store, spiked(length=40), [detector()])
    running.reach(NOW, NOW + 5)
    running.detectors = []
    running.at(NOW + 6)
    (episode,), events = kept(store)
    assert episode.ended_at is not None
    assert [event.data["reason"] for event in events if event.kind == names.EVENT_ENDED] == ["gone"]
    with store.transaction(read_only=True) as transaction:
        assert transaction.anomalies.modelled_detectors() == []
    assert running.daemon.board.text() == b""


def test_a_damaged_model_is_made_anew_and_counted(store: SqlStore) -> None:
    world = seasonal(days=44)
    Running(store, world, [detector()]).at(NOW)
    with store.transaction() as transaction:
        (model,) = [each for each in transaction.anomalies.models("traffic") if each.chunk == 1]
        transaction.anomalies.put_models([replace(model, body=model.body[:-9])])
    running = Running(store, world, [detector()])
    turn = running.at(NOW + 1)
    assert (turn.fitted, turn.failed) == (4, {})
    assert _metric(running, "flyball_anomaly_models_rebuilt_total", reason="damaged") == 1
    assert Running(store, world, [detector()]).at(NOW + 2).fitted == 0


def test_models_are_fitted_again_in_time(store: SqlStore) -> None:
    every = refit_steps(STEP)
    running = Running(store, seasonal(days=46), [detector()])
    fitted = [turn.fitted for turn in running.through(NOW, NOW + every + 1)]
    assert fitted[0] == 4
    assert sum(fitted[1:]) == 4


def test_what_was_said_to_be_expected_ends(store: SqlStore) -> None:
    running = Running(store, spiked(length=40), [detector()])
    running.reach(NOW, NOW + 5)
    with store.transaction() as transaction:
        said = feedback_of(
            detector="traffic", start=moment(NOW), end=moment(NOW + 10), verdict=Verdict.EXPECTED, actor="ann",
            said_at=moment(NOW + 6),
        )  # fmt: skip
        transaction.anomalies.add_feedback(said)
    assert running.at(NOW + 6).closed == 1
    (episode,), events = kept(store)
    assert episode.ended_at is not None
    assert [event.data["reason"] for event in events if event.kind == names.EVENT_ENDED] == ["expected"]
    running.at(NOW + 11)
    assert len(kept(store)[0]) == 1


def test_a_group_is_scored_as_a_series_and_says_who_it_is(store: SqlStore) -> None:
    world = spiked(rows=3)
    grouped = detector(grouping=Grouping(by=(), false_discovery_rate=None))
    running = Running(store, world, [grouped])
    running.reach(NOW, NOW + 7)
    episodes = {episode.series: episode for episode in kept(store)[0]}
    assert episodes.keys() == {'{group="1"}', '{service="s3"}'}
    assert 'Most of it: {service="s3"}' in _explanation(store, episodes['{group="1"}'].id)
    assert 'anomaly_open{detector="traffic",group="1",output="point"} 1' in running.lines("anomaly_open")
    said = {series: _explanation(store, episode.id) for series, episode in episodes.items()}
    assert running.at(NOW + 12).closed == 2
    assert said == {series: _explanation(store, episode.id) for series, episode in episodes.items()}


def test_groups_survive_a_crash_with_the_same_result(store: SqlStore, other_store: SqlStore) -> None:
    world, grouped = spiked(rows=slice(None), factor=3), detector(grouping=Grouping(by=("service",)))
    Running(other_store, world, [grouped]).through(NOW + 2, NOW + 8)
    for index in range(NOW + 2, NOW + 8):
        Running(store, world, [grouped]).at(index)
    assert kept(store) == kept(other_store)
    assert len(kept(store)[0]) == 8


def test_a_series_that_comes_is_scored_when_it_has_a_past(store: SqlStore) -> None:
    world = seasonal(days=44)
    world.values[3, : NOW + 3] = np.nan
    running = Running(store, world, [detector()])
    running.reach(NOW, NOW + 5)
    assert len(running.lines("y{")) == 4
    assert 'anomaly_maturity{detector="traffic",service="s3"} 3' not in running.lines("anomaly_maturity")
    assert kept(store) == ([], [])


def test_who_lost_the_lease_says_nothing_and_takes_the_rest_from_the_store(store: SqlStore) -> None:
    ours = store.leases.acquire("leader", "us", timedelta(minutes=5))
    assert ours is not None
    running = Running(store, spiked(), [detector()])
    running.at(NOW, ours)
    assert running.lines("anomaly_score{")
    lost = HeldLease(ours.name, ours.holder, ours.epoch - 1)
    with pytest.raises(LeaseLost):
        running.at(NOW + 1, lost)
    assert running.daemon.board.text() == b""
    assert running.at(NOW + 1, ours).steps == 1
