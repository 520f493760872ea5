"""What a cycle found, put into the store in one transaction."""

from dataclasses import replace
from datetime import datetime

from alerts.anomaly.episodes.model import What
from alerts.anomaly.episodes.telling import About, about_of, ended_episode, ended_event, episode_of, event_of
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.scoring.memory import stored_models
from alerts.anomaly.scoring.reasons import Told
from alerts.anomaly.scoring.stepping import Stepped
from controlplane.model.anomaly import Episode
from controlplane.model.event import Event
from controlplane.ports import HeldLease, Store


class Writing:
    """Of one detector; `digest` is that of its definition, for whoever reads its models."""

    def __init__(self, detector: AnomalyDetector, digest: str) -> None:
        self._name = detector.name
        self._about: About = about_of(detector)
        self._digest = digest

    def write(self, store: Store, found: Stepped, now: datetime, lease: HeldLease | None) -> None:
        """Models, episodes and events, all or nothing. Raises Transient and LeaseLost."""
        if not (found.steps or found.chunks or found.told or found.ended):
            return
        models = stored_models(self._name, self._digest, found.state, found.chunks, now)
        with store.transaction(lease=lease) as transaction:
            log = transaction.anomalies
            log.put_models(models)
            closed = [each for each in found.told if each.change.what is What.CLOSED]
            known = {each.id: each for each in log.episodes_of([self._episode(each).id for each in closed])}
            rows = [(each, self._row(each, known)) for each in found.told]
            ended = [(ended_episode(each, now, reason), reason) for each, reason in found.ended]
            log.put_episodes([*(episode for _, episode in rows), *(episode for episode, _ in ended)])
            events = [event for each, episode in rows if (event := self._event(each, episode)) is not None]
            events += [ended_event(episode, self._about, now, reason) for episode, reason in ended]
            transaction.events.append_all(events, now)

    def _episode(self, told: Told) -> Episode:
        return episode_of(
            told.change, self._about, series=told.series, labels=told.labels, explanation=told.explanation
        )

    def _row(self, told: Told, known: dict[str, Episode]) -> Episode:
        """One that ends keeps why it opened."""
        row = self._episode(told)
        before = known.get(row.id)
        if told.change.what is What.CLOSED and before is not None and before.explanation:
            row = self._episode(replace(told, explanation=before.explanation))
        known[row.id] = row
        return row

    def _event(self, told: Told, episode: Episode) -> Event | None:
        return event_of(told.change, episode, self._about, baseline=told.baseline, history=told.history)
