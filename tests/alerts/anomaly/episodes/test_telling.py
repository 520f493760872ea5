"""Changes become rows and events whose ids are made from what they are about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, What
from alerts.anomaly.episodes.telling import (
    About,
    about_of,
    ended_episode,
    ended_event,
    episode_id,
    episode_of,
    event_of,
    figure,
)
from alerts.anomaly.model import CostQuery, Values
from controlplane import anomaly_names as names
from controlplane.model import exact
from controlplane.model.spend import Ledger
from tests.alerts.anomaly.episodes.declaring import a_detector

FIVE_MINUTES = timedelta(minutes=5)
ABOUT = About("gateway", "traffic", "/s", FIVE_MINUTES)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INDEX = int(NOON.timestamp()) // 300
LABELS = {"service": "checkout", "region": "eu"}
SERIES = '{region="eu", service="checkout"}'
CHANGE = Change(What.OPENED, EpisodeKind.POINT, 0, INDEX + 2, INDEX, None, INDEX + 1, 1240.5, 545.0, 480.0, 610.0, 3.5)


def test_an_episode_has_the_times_of_its_steps_and_the_figures_of_its_worst_one() -> None:
    episode = episode_of(CHANGE, ABOUT, series=SERIES, labels=LABELS, explanation="daily")
    assert (episode.started_at, episode.ended_at, episode.worst_at) == (NOON, None, NOON + FIVE_MINUTES)
    figures = (episode.value, episode.expected, episode.lower, episode.upper, episode.score)
    assert list(map(str, figures)) == ["1240.5", "545", "480", "610", "3.5"]
    assert (episode.detector, episode.series, episode.labels) == ("gateway", SERIES, LABELS)
    assert (episode.kind, episode.explanation) == ("point", "daily")


def test_what_becomes_of_an_episode_later_stands_under_the_same_id() -> None:
    opened = episode_of(CHANGE, ABOUT, series=SERIES, labels=LABELS)
    worse = replace(CHANGE, what=What.WORSENED, at=INDEX + 9, worst_at=INDEX + 9, score=9.0)
    closed = replace(worse, what=What.CLOSED, ended=INDEX + 12, reason=Reason.RECOVERED)
    later = [episode_of(each, ABOUT, series=SERIES, labels=LABELS) for each in (worse, closed)]
    assert {each.id for each in later} == {opened.id}
    assert later[1].ended_at == NOON + 12 * FIVE_MINUTES
    assert later[1].score == 9


def test_ids_differ_by_detector_series_kind_and_start() -> None:
    base = ("a", "{}", EpisodeKind.POINT, NOON)
    others = [("b", "{}", EpisodeKind.POINT, NOON), ("a", "{b}", EpisodeKind.POINT, NOON)]
    others += [("a", "{}", EpisodeKind.GAP, NOON), ("a", "{}", EpisodeKind.POINT, NOON + FIVE_MINUTES)]
    assert len({episode_id(*each) for each in [base, base, *others]}) == 5
    assert episode_id(*base) == "936aeb671bd18af2"  # as it stands in databases


def test_an_event_says_who_what_and_how_far_off_without_floats() -> None:
    episode = episode_of(CHANGE, ABOUT, series=SERIES, labels=LABELS)
    event = event_of(CHANGE, episode, ABOUT, baseline="daily", history=timedelta(weeks=4))
    assert event is not None
    assert (event.id, event.kind) == (f"anomaly.started:{episode.id}", names.EVENT_STARTED)
    assert (event.subject, event.occurred_at) == (f"gateway{SERIES}", NOON + 3 * FIVE_MINUTES)
    assert event.data == {
        "detector": "gateway",
        "title": "traffic",
        "unit": "/s",
        "episode": episode.id,
        "labels": {"region": "eu", "service": "checkout"},
        "service": "checkout",
        "output": "point",
        "is_group": False,
        "started_at": "2026-03-01T12:00:00+00:00",
        "ended_at": None,
        "value": "1240.5",
        "expected": "545",
        "lower": "480",
        "upper": "610",
        "score": "3.5",
        "baseline": "daily",
        "history_seconds": "2419200",
        "reason": "",
    }


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (replace(CHANGE, kind=EpisodeKind.SUSTAINED), names.EVENT_STARTED),
        (replace(CHANGE, kind=EpisodeKind.GAP), names.EVENT_GAP),
        (replace(CHANGE, kind=EpisodeKind.LEVEL_SHIFT, ended=INDEX + 1), names.EVENT_SHIFTED),
        (replace(CHANGE, what=What.CLOSED, ended=INDEX + 5), names.EVENT_ENDED),
        (replace(CHANGE, what=What.CLOSED, ended=INDEX + 5, kind=EpisodeKind.GAP), names.EVENT_ENDED),
        (replace(CHANGE, what=What.WORSENED), None),
    ],
)
def test_each_change_has_its_event(change: Change, kind: str | None) -> None:
    event = event_of(change, episode_of(change, ABOUT, series="{}", labels={}), ABOUT)
    assert (event and event.kind) == kind


def test_a_group_is_named_by_its_labels_and_not_by_the_mark_of_a_group() -> None:
    episode = episode_of(CHANGE, ABOUT, series='{group="1", region="eu"}', labels={"group": "1", "region": "eu"})
    event = event_of(CHANGE, episode, ABOUT)
    assert event is not None
    assert (event.data["labels"], event.data["is_group"], "service" in event.data) == ({"region": "eu"}, True, False)


def test_labels_without_end_are_cut_in_events() -> None:
    labels = {"service": "s" * 9999} | {f"l{each}": "x" for each in range(99)}
    event = event_of(CHANGE, episode_of(CHANGE, ABOUT, series="x" * 9999, labels=labels), ABOUT)
    assert event is not None
    told = event.data["labels"]
    assert isinstance(told, dict)
    assert (len(event.subject), len(told), len(str(event.data["service"]))) == (500, 30, 200)


@pytest.mark.parametrize("reason", [Reason.UNKNOWN, Reason.GONE, Reason.EXPECTED])
def test_an_end_that_nobody_saw_is_told(reason: Reason) -> None:
    closed = replace(CHANGE, what=What.CLOSED, ended=INDEX + 5, reason=reason)
    opened = episode_of(CHANGE, ABOUT, series="{}", labels={}, explanation="Off.")
    ended = episode_of(closed, ABOUT, series="{}", labels={}, explanation="Off.")
    assert ended.explanation.startswith("Off. It ended ")
    assert ended_episode(opened, NOON + 5 * FIVE_MINUTES, reason) == ended
    event = ended_event(ended, ABOUT, NOON + 6 * FIVE_MINUTES, reason)
    assert (event.data["reason"], event.id) == (reason.value, f"anomaly.ended:{ended.id}")


def test_units_and_titles_are_those_of_the_declaration() -> None:
    assert about_of(a_detector()) == About("traffic", "Traffic", "/s", FIVE_MINUTES)
    assert about_of(a_detector(display_name="", values=Values.GAUGE)) == About("traffic", "traffic", "", FIVE_MINUTES)
    cost = CostQuery(Ledger.BILLED, currency="USD")
    assert about_of(a_detector(values=Values.GAUGE, cost=cost)).unit == " USD"


def test_figures_have_the_digits_of_what_they_were() -> None:
    single = float(np.float32(0.1))
    given = [single, 0.1, 12345678.91, 1e300, 1e-9, -0.0, 1 / 3]
    written = [exact.plain(found) for each in given if (found := figure(each)) is not None]
    assert written == ["0.1", "0.1", "12345678.91", "1" + "0" * 300, "0.000000001", "0", "0.333333333333"]
    assert [figure(each) for each in (None, float("nan"), float("inf"))] == [None] * 3


@settings(max_examples=40, deadline=None)
@given(value=st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_figure_of_a_float32_is_the_same_float32(value: float) -> None:
    written = figure(value)
    assert written is not None
    assert np.float32(written) == np.float32(value)
