"""Which deployment an incident is held against: at most one. Pure.

Counting one incident against every deployment near it makes rates that nobody can check
(https://github.com/apache/devlake/issues/4989). So: what a person said, else what the incident or a rollback names,
else the deployment that was taken back while it went on, else the service's last deployment not long before.
"""

from datetime import datetime

from controlplane import wording
from controlplane.model.delivery import Attribution, AttributionReason, DeliveryIncident, Deployment
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.rollbacks import Rollbacks
from exporters.dora.reckoning.stretch import Track, begin, in_words


class Attributions:
    """Attributes incidents of a track's service; those of others only by what names a deployment."""

    def __init__(self, track: Track, rollbacks: Rollbacks) -> None:
        self._track = track
        self._rollbacks = rollbacks
        self._known: dict[str, Attribution] = {}

    def of(self, incident: DeliveryIncident) -> Attribution:
        """What it is held against and why; reckoned once."""
        if incident.id not in self._known:
            self._known[incident.id] = self._corrected(incident) or self._automatic(incident)
        return self._known[incident.id]

    def said(self, incident: DeliveryIncident) -> Attribution | None:
        """Only what a person or its own words say."""
        return self._corrected(incident) or self._linked(incident)

    def _corrected(self, incident: DeliveryIncident) -> Attribution | None:
        correction = self._track.stretch.corrections.get(incident.id)
        if correction is None or correction.is_withdrawn:
            return None
        reason = AttributionReason.CORRECTED
        note = f": {correction.note}" if correction.note else ""
        if not correction.deployment:
            return Attribution(incident.id, "", reason, f"{correction.actor} said that no deployment caused it{note}")
        named = self._track.stretch.corrected.get(incident.id)
        if named is None:
            return None
        return Attribution(incident.id, named.id, reason, f"{correction.actor} said so{note}")

    def _linked(self, incident: DeliveryIncident) -> Attribution | None:
        named = self._track.stretch.linked.get(incident.id)
        if named is None:
            return None
        return Attribution(incident.id, named.id, AttributionReason.LINKED, f"it names {incident.deployment}")

    def _automatic(self, incident: DeliveryIncident) -> Attribution:
        return (
            self._linked(incident)
            or self._named_by_rollback(incident)
            or self._taken_back(incident)
            or self._last_before(incident)
            or Attribution(incident.id, "", AttributionReason.NONE, self._why_none())
        )

    def _named_by_rollback(self, incident: DeliveryIncident) -> Attribution | None:
        track = self._track
        for index in track.within(incident.started_at, incident.started_at + looks.follow(track.policy)):
            one = track.deployments[index]
            back = self._rollbacks.of(index) if one.remedies and is_of(one.remedies, incident) else None
            cause = self._latest(back.taken_back, incident.started_at) if back else None
            if cause is not None:
                text = f"{in_words(one)} took {in_words(cause)} back and names this incident"
                return Attribution(incident.id, cause.id, AttributionReason.LINKED, text)
        return None

    def _taken_back(self, incident: DeliveryIncident) -> Attribution | None:
        track, start = self._track, incident.started_at
        for index in track.within(start, start + track.policy.rollback_window):
            one = track.deployments[index]
            if one.at <= start or (incident.resolved_at is not None and one.at > incident.resolved_at):
                continue
            back = self._rollbacks.of(index)
            recent = [other for other in back.taken_back if track.is_recent(other, index)] if back else []
            cause = self._latest(recent, start)
            if cause is not None:
                text = f"{in_words(cause)} was taken back by {in_words(one)} while it went on"
                return Attribution(incident.id, cause.id, AttributionReason.ROLLED_BACK, text)
        return None

    def _last_before(self, incident: DeliveryIncident) -> Attribution | None:
        track, start = self._track, incident.started_at
        window = track.policy.attribution_window
        candidates = track.within(start - window, start + looks.ROLLOUT_AT_MOST)
        cause = self._latest(candidates, start)
        if cause is None:
            return None
        text = f"{in_words(cause)} was the last deployment before it, {wording.duration(start - begin(cause))} earlier"
        return Attribution(incident.id, cause.id, AttributionReason.WINDOW, text)

    def _latest(self, positions: range | list[int] | tuple[int, ...], start: datetime) -> Deployment | None:
        """Of these the last that had begun by then; of equal ones the larger id."""
        begun = [self._track.deployments[index] for index in positions]
        return max(
            (one for one in begun if begin(one) <= start), key=lambda one: (begin(one), one.at, one.id), default=None
        )

    def _why_none(self) -> str:
        return (
            f"no deployment of its service in the {wording.duration(self._track.policy.attribution_window)} before it"
        )


def is_of(name: str, incident: DeliveryIncident) -> bool:
    """Whether `name` is its id (or the end of it, after the source) or its name."""
    return bool(name) and (name in (incident.id, incident.name) or incident.id.endswith(f"#{name}"))
