"""What the pages about anomalies show, read from Prometheus and the database in bounded time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane import conventions
from controlplane.model.anomaly import Episode, Feedback, Verdict
from controlplane.model.delivery import Deployment
from flyball.web import anomaly_feedback, anomaly_reading
from flyball.web.anomaly_charts import Course
from flyball.web.anomaly_reading import Earlier, Health, Listed
from flyball.web.anomaly_series import Labels, series_text
from flyball.web.anomaly_words import MOST_OPEN
from flyball.web.gathering import Gathering, Scene
from flyball.web.remembered import Reading, Remembered

if TYPE_CHECKING:
    from alerts.anomaly.explaining.model import Explained
    from alerts.anomaly.model import AnomalyDetector
    from flyball.web.anomaly_state import AnomaliesState
    from flyball.web.state import ConsoleState

MOST_EPISODES: Final = 200
MOST_DEPLOYMENTS: Final = 50
MOST_SAID: Final = 100
RECENT: Final = timedelta(days=7)
_SOON: Final = timedelta(minutes=1)
_FRESH: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database knows: open anomalies, the oldest first, and those of the last days, the newest first."""

    open: tuple[Episode, ...] = ()
    recent: tuple[Episode, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptOfSeries:
    """What the database knows of one series, the newest first."""

    episodes: tuple[Episode, ...] = ()
    said: tuple[Feedback, ...] = ()
    deployments: tuple[Deployment, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What Prometheus knows of one series: its past, and its figures now by the metric's name."""

    course: Course
    figures: Mapping[str, float] = field(default_factory=dict)
    baseline: str = ""
    earlier: tuple[Earlier, ...] = ()


class AnomalyGathering:
    """Asks, and remembers for some seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState, anomalies: AnomaliesState, gathering: Gathering) -> None:
        self._state = state
        self._anomalies = anomalies
        self._gathering = gathering
        self._health: Remembered[dict[str, Health]] = Remembered(state.clock)
        self._listed: Remembered[list[Listed]] = Remembered(state.clock, keep=8)
        self._figures: Remembered[dict[str, dict[str, float]]] = Remembered(state.clock)
        self._seen: Remembered[Seen] = Remembered(state.clock)
        self._explained: Remembered[Explained | None] = Remembered(state.clock, fresh_for=timedelta(minutes=1), keep=16)
        self.forget()

    def forget(self) -> None:
        """What was remembered of the database is not so any more: somebody changed something here."""
        self._kept: Remembered[Kept] = Remembered(self._state.clock, fresh_for=_FRESH)
        self._of_series: Remembered[KeptOfSeries] = Remembered(self._state.clock, fresh_for=_FRESH)

    def scene(self) -> Scene:
        """What every page of the console shows."""
        return self._gathering.scene()

    def now(self) -> datetime:
        """The time."""
        return self._state.clock.now()

    def detectors(self) -> list[AnomalyDetector]:
        """Those that are applied, by name."""
        return sorted(self._anomalies.detectors(), key=lambda each: each.name)

    def health(self) -> Reading[dict[str, Health]]:
        """Of all detectors, by name."""
        return self._health.get("", lambda now: anomaly_reading.fetch_health(self._state.metrics, now))

    def listed(self, detector: str) -> Reading[list[Listed]]:
        """All series of a detector, the most unusual first."""
        return self._listed.get(detector, lambda now: anomaly_reading.fetch_listed(self._state.metrics, detector, now))

    def figures(self, detector: str, rows: list[Listed]) -> Reading[dict[str, dict[str, float]]]:
        """Of the series that a page shows."""
        others = self._label_names(detector)

        def ask(now: datetime) -> dict[str, dict[str, float]]:
            return anomaly_reading.fetch_figures(self._state.metrics, detector, rows, others, now)

        return self._figures.get((detector, tuple(row.text for row in rows)), ask)

    def kept(self, detector: str = "") -> Reading[Kept]:
        """Anomalies of a detector, or of all."""
        return self._kept.get(detector, lambda now: self._read_kept(detector or None, now))

    def kept_of(self, detector: str, labels: Labels, length: timedelta) -> Reading[KeptOfSeries]:
        """Anomalies of a series, what was said of them, and deployments of its service."""
        text = series_text(labels)
        return self._of_series.get(
            (detector, text, length), lambda now: self._read_series(detector, text, labels, now - length, now)
        )

    def seen(self, detector: AnomalyDetector, labels: Labels, length: timedelta) -> Reading[Seen]:
        """A series as Prometheus knows it."""
        listed = self.listed(detector.name)
        if listed.value is None:  # without the labels of others a series with few of them would be all of them
            return Reading(None, None, listed.failure)
        others = self._label_names(detector.name)
        return self._seen.get(
            (detector.name, detector.step, series_text(labels), length),
            lambda now: self._read_seen(detector, labels, others, length, now),
        )

    def explained(self, detector: AnomalyDetector, labels: Labels, at: datetime) -> Reading[Explained | None]:
        """Why a step is anomalous, or is not; a value of None: that cannot be told here."""
        return self._explained.get(
            (detector.name, series_text(labels), at), lambda _: self._anomalies.explain(detector, labels, at)
        )

    def say(
        self, detector: str, identity: str, verdict: Verdict, *, actor: str, note: str, is_learnt: bool | None
    ) -> tuple[Episode, Feedback] | None:
        """Say it of an anomaly; None where there is none of that id. Raises `Transient`, `Permanent`."""
        done = anomaly_feedback.say(
            self._state.store,
            identity,
            verdict,
            detector=detector,
            actor=actor,
            note=note,
            is_learnt=is_learnt,
            now=self.now(),
        )
        self.forget()
        return done

    def withdraw(self, identity: str, *, detector: str, actor: str) -> bool:
        """Take it back; False where nothing of that id was said. Raises `Transient`, `Permanent`."""
        done = anomaly_feedback.withdraw(
            self._state.store, identity, detector=detector, actor=actor, now=self.now()
        )  # fmt: skip
        self.forget()
        return done

    def _label_names(self, detector: str) -> frozenset[str]:
        """Labels that series of the detector have."""
        return frozenset(name for each in self.listed(detector).value or () for name in each.labels)

    def _read_kept(self, detector: str | None, now: datetime) -> Kept:
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.anomalies
            recent = log.episodes(now - RECENT, now + _SOON, detector=detector, limit=MOST_EPISODES)
            return Kept(tuple(log.open_episodes(detector, limit=MOST_OPEN)), tuple(recent))

    def _read_series(self, detector: str, text: str, labels: Labels, start: datetime, now: datetime) -> KeptOfSeries:
        service = labels.get(conventions.SERVICE, "")
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.anomalies
            said = [each for each in log.feedback(detector, since=start) if each.series in ("", text)]
            deployed = (
                transaction.delivery.deployments_between(start, now + _SOON, service=service, limit=MOST_DEPLOYMENTS)
                if service
                else []
            )
            episodes = log.episodes(start, now + _SOON, detector=detector, series=text, limit=MOST_EPISODES)
            return KeptOfSeries(tuple(episodes), tuple(said[:MOST_SAID]), tuple(deployed))

    def _read_seen(
        self, detector: AnomalyDetector, labels: Labels, others: frozenset[str], length: timedelta, now: datetime
    ) -> Seen:
        backend, name = self._state.metrics, detector.name
        step = anomaly_reading.step_of(length, detector.step)
        course = anomaly_reading.fetch_course(
            backend, name, labels, others, start=now - length, end=now, step=step
        )  # fmt: skip
        figures, baseline = anomaly_reading.fetch_all_figures(backend, name, labels, others, now)
        earlier = anomaly_reading.fetch_earlier(backend, name, labels, others, now, detector.season.time_zone)
        return Seen(course, figures, baseline, earlier)
