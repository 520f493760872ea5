"""Anomalies as lines of timelines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, What
from alerts.anomaly.episodes.telling import About, episode_of, event_of
from alerts.anomaly.feedback import saying
from alerts.incidents import happenings
from controlplane.model.anomaly import Verdict
from controlplane.model.event import Event
from controlplane.model.incident import TimelineKind

ABOUT = About("gateway", "traffic", "/s", timedelta(minutes=5))
POINT, SUSTAINED, SHIFT, GAP = EpisodeKind.POINT, EpisodeKind.SUSTAINED, EpisodeKind.LEVEL_SHIFT, EpisodeKind.GAP
OPENED, CLOSED = What.OPENED, What.CLOSED
FIGURES = (1240.4, 545.0, 480.0, 610.0, 3.5)
NOTHING = (None,) * 5
LABELS = {"service": "checkout"}
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def told(
    what: What,
    kind: EpisodeKind,
    figures: Any = FIGURES,
    reason: Reason | None = None,
    about: About = ABOUT,
    **labels: str,
) -> Event:
    ended = 107 if what is CLOSED else 101 if kind is SHIFT else None
    value, expected, lower, upper, score = figures
    change = Change(what, kind, 0, 100, 100, ended, 100, value, expected, lower, upper, score, reason)
    episode = episode_of(change, about, series="{…}", labels=labels or LABELS)
    event = event_of(change, episode, about, baseline="daily", history=timedelta(weeks=4))
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (told(OPENED, POINT), "traffic of checkout: 1,240/s, expected 480–610/s (daily, 4 weeks)"),
        (told(OPENED, SUSTAINED), "traffic of checkout: 1,240/s, expected 480–610/s, off for longer (daily, 4 weeks)"),
        (
            told(OPENED, POINT, (0.25, 1.0, -0.5, 2.5, 1.1), region="eu", pod="a"),
            "traffic of pod a, region eu: 0.25/s, expected −0.5 to 2.5/s (daily, 4 weeks)",
        ),
        (
            told(OPENED, POINT, about=About("gateway", "Traffic of the gateway", "", timedelta(minutes=5))),
            "Traffic of the gateway (checkout): 1,240, expected 480–610 (daily, 4 weeks)",
        ),
        (
            told(
                OPENED,
                POINT,
                (5000.5, 800.25, None, None, 3.0),
                about=About("bill", "spend", " USD", timedelta(days=1)),
            ),
            "spend of checkout: 5,000 USD, expected 800 USD (daily, 4 weeks)",
        ),
        (told(OPENED, SHIFT), "traffic of checkout has a new level: 1,240/s, expected 480–610/s"),
        (told(OPENED, GAP, NOTHING), "traffic of checkout: samples are missing that used to come"),
        (
            told(CLOSED, POINT, reason=Reason.RECOVERED),
            "traffic of checkout is as usual again after 35 min; at worst 1,240/s, expected 480–610/s",
        ),
        (told(CLOSED, GAP, NOTHING, Reason.RECOVERED), "traffic of checkout: samples come again after 35 min"),
        (
            told(CLOSED, POINT, reason=Reason.UNKNOWN),
            "traffic of checkout: the anomaly is over, there is nothing to score any more",
        ),
        (told(CLOSED, GAP, NOTHING, Reason.GONE), "traffic of checkout: the gap is over, the series is gone"),
        (
            told(CLOSED, POINT, reason=Reason.EXPECTED),
            "traffic of checkout: the anomaly is over, somebody said that it was expected",
        ),
    ],
)
def test_an_anomaly_reads_like_a_sentence(event: Event, line: str) -> None:
    assert happenings.in_words(event) == line
    assert happenings.kind_of(event) is TimelineKind.ANOMALY
    assert happenings.service_of(event) == ("checkout" if "checkout" in line else "")


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.EXPECTED, 'ann says that gateway{service="checkout"} was expected: a sale'),
        (Verdict.REAL, 'ann says that gateway{service="checkout"} was really wrong: a sale'),
    ],
)
def test_what_somebody_thinks_of_it_is_a_line_too(verdict: Verdict, line: str) -> None:
    feedback = saying.feedback_of(
        detector="gateway", series='{service="checkout"}', start=NOON, end=NOON + timedelta(hours=1),
        verdict=verdict, actor="ann", said_at=NOON, note="a sale",
    )  # fmt: skip
    event = saying.event_of(feedback, service="checkout")
    assert happenings.in_words(event) == line
    assert happenings.service_of(event) == "checkout"


@pytest.mark.parametrize("kind", ["started", "ended", "level_shifted", "gap", "feedback", "of another maker"])
@pytest.mark.parametrize(
    "data",
    [{}, {"value": "much", "lower": "NaN", "labels": ["a"], "history_seconds": "x", "started_at": 5, "unit": {}}],
)
def test_an_event_of_another_maker_has_a_line_too(kind: str, data: dict[str, Any]) -> None:
    assert happenings.in_words(Event("e", f"anomaly.{kind}", "gateway", NOON, data))
