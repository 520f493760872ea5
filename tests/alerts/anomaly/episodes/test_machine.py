"""Whatever happens in whatever order: what was told is what is open, and packing changes nothing."""

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from alerts.anomaly.episodes.advancing import advance, hushed
from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, Rules, What
from alerts.anomaly.episodes.packing import pack, unpack
from alerts.anomaly.episodes.state import State, aligned, blank, restored
from alerts.anomaly.episodes.telling import About, episode_of, event_of
from alerts.anomaly.model import Output
from controlplane.model.anomaly import Episode
from controlplane.model.event import Event
from tests.alerts.anomaly.episodes.stepping import NAN, a_step

NAMES = ["a", "b", "c"]
KINDS = [EpisodeKind.POINT, EpisodeKind.SUSTAINED, EpisodeKind.GAP]
SCORE = st.sampled_from([NAN, NAN, 0.0, 0.8, 1.5, 4.0])
ABOUT = About("traffic", "traffic", "/s", timedelta(minutes=5))


def same(one: State, other: State) -> bool:
    parts = ((one.watch, other.watch), (one.presence, other.presence))
    equal = all(
        np.array_equal(getattr(ours, each.name), getattr(theirs, each.name), equal_nan=True)
        for ours, theirs in parts
        for each in fields(ours)
    )
    return equal and (one.keys, one.index) == (other.keys, other.index)


class Episodes(RuleBasedStateMachine):
    """A detector's life: steps, restarts, series that come and go, people that say that it was expected."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = Rules(2, 3, 2, outputs=(Output.POINT, Output.SUSTAINED), per_day=8, gap_steps=2)
        self.state = blank(NAMES)
        self.stored: dict[str, Episode] = {}
        self.events: dict[str, Event] = {}

    @rule(point=st.tuples(SCORE, SCORE, SCORE), sustained=st.tuples(SCORE, SCORE, SCORE), skipped=st.integers(0, 2))
    def step(self, point: tuple[float, ...], sustained: tuple[float, ...], skipped: int) -> None:
        series = len(self.state.keys)
        index = max(self.state.index, 0) + 1 + skipped
        step = a_step(index, point[:series], sustained_scores=np.array(sustained[:series]))
        before = self.state
        self.state, changes = advance(before, step, self.opening)
        self.write(before.keys, changes)
        assert advance(before, step, self.opening)[1] == changes  # a crash after this leads to the same rows and events
        known = (dict(self.stored), dict(self.events))
        self.write(before.keys, changes)
        assert (self.stored, self.events) == known
        assert advance(self.state, step, self.opening) == (self.state, [])

    @rule(steps=st.integers(4, 12), is_present=st.booleans())
    def many_alike(self, steps: int, is_present: bool) -> None:
        scores = np.full(len(self.state.keys), 0.1 if is_present else NAN)
        for _ in range(steps):
            step = a_step(max(self.state.index, 0) + 1, list(scores), sustained_scores=scores)
            self.state, changes = advance(self.state, step, self.opening)
            self.write(self.state.keys, changes)

    @rule(keys=st.permutations(NAMES), most=st.integers(1, 3))
    def series_come_and_go(self, keys: list[str], most: int) -> None:
        before = self.state
        self.state, changes = aligned(before, keys[:most])
        assert {each.reason for each in changes} <= {Reason.GONE}
        self.write(before.keys, changes)

    @rule()
    def restart(self) -> None:
        again = unpack(pack(self.state))
        assert same(again, self.state)
        self.state = again

    @rule()
    def restart_without_state(self) -> None:
        is_open = [each for each in self.stored.values() if each.ended_at is None]
        self.state, left = restored(self.state.keys, is_open, ABOUT.step, index=self.state.index)
        assert left == []

    @rule(which=st.sets(st.integers(0, 2)), kind=st.sampled_from(KINDS))
    def somebody_expected_it(self, which: set[int], kind: EpisodeKind) -> None:
        rows = np.isin(np.arange(len(self.state.keys)), list(which))
        before = self.state
        self.state, changes = hushed(before, rows, kind)
        assert {each.row for each in changes} == set(np.flatnonzero(rows & before.open_of(kind)))
        self.write(before.keys, changes)

    @invariant()
    def what_was_told_is_what_is_open(self) -> None:
        told = sorted((each.kind, each.series) for each in self.stored.values() if each.ended_at is None)
        is_open = [(kind.value, key) for kind in KINDS for key in self.open_keys(kind)]
        assert told == sorted(is_open)
        assert all(each.ended_at is None or each.ended_at > each.started_at for each in self.stored.values())
        assert all(each.worst_at >= each.started_at for each in self.stored.values())

    def open_keys(self, kind: EpisodeKind) -> list[str]:
        return [self.state.keys[row] for row in np.flatnonzero(self.state.open_of(kind))]

    def write(self, keys: tuple[str, ...], changes: list[Change]) -> None:
        for change in changes:
            episode = episode_of(change, ABOUT, series=keys[change.row], labels={"service": keys[change.row]})
            is_known = episode.id in self.stored
            assert is_known or change.what is What.OPENED
            self.stored[episode.id] = episode
            event = event_of(change, episode, ABOUT)
            if event is not None:
                self.events.setdefault(event.id, event)


def test_what_was_told_is_what_is_open_whatever_happens() -> None:
    run_state_machine_as_test(Episodes, settings=settings(max_examples=12, stateful_step_count=16, deadline=None))


@pytest.mark.soak
def test_what_was_told_is_what_is_open_for_long() -> None:
    run_state_machine_as_test(Episodes, settings=settings(max_examples=200, stateful_step_count=60, deadline=None))


def test_bytes_that_are_no_state_are_refused() -> None:
    packed = pack(blank(["a", "b"]))
    for wrong in (b"", b"x" * 99, packed[:-1], packed[:-3] + b"abc", packed[:4] + b"\x09\x00" + packed[6:]):
        with pytest.raises(ValueError, match="state of episodes"):
            unpack(wrong)
