"""What became of a deployment: whether it failed, whether it was rework, and when users were well again. Pure.

Change fail rate is the "ratio of deployments that require immediate intervention following a deployment", rework rate
that of those "that are unplanned but happen as a result of an incident in production", and recovery time "the time it
takes to recover from a deployment that fails" (https://dora.dev/guides/dora-metrics/).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.model.delivery import Change, DeliveryIncident
from exporters.dora.model import FailureReason, ReworkReason
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.deliveries import Deliveries
from exporters.dora.reckoning.rollbacks import Rollbacks
from exporters.dora.reckoning.stretch import Track, begin, in_words, is_named


@dataclass(frozen=True, slots=True)
class Recovery:
    """When it was mended (None: not yet) and how long users had to wait (None: unknown, or not yet)."""

    at: datetime | None
    time: timedelta | None


class Outcomes:
    """Of the deployments of a track, with the incidents that are held against each."""

    def __init__(
        self,
        track: Track,
        rollbacks: Rollbacks,
        deliveries: Deliveries,
        incidents: Mapping[str, Sequence[DeliveryIncident]],
    ) -> None:
        self._track = track
        self._rollbacks = rollbacks
        self._deliveries = deliveries
        self._incidents = incidents
        self._menders = self._find_menders()

    def incidents(self, index: int) -> Sequence[DeliveryIncident]:
        """Those held against it."""
        return self._incidents.get(self._track.deployments[index].id, ())

    def failure(self, index: int) -> tuple[FailureReason, str] | None:
        """Why it failed, the weightiest reason first, and in words."""
        held = self.incidents(index)
        if held:
            return FailureReason.INCIDENT, f"held against it: {', '.join(_title(one) for one in held)}"
        menders = self._menders.get(index, ())
        for mender in menders:
            back = self._rollbacks.of(mender)
            if back is not None:
                return FailureReason.ROLLED_BACK, f"{self._words(mender)} took it back: {back.why}"
        if not self._track.has_succeeded(index):
            return FailureReason.ROLLOUT, "its roll-out was stopped"
        return (FailureReason.HOTFIXED, f"{self._words(menders[0])} was made to mend it") if menders else None

    def rework(self, index: int) -> tuple[ReworkReason, str] | None:
        """Why it is rework, and in words."""
        one = self._track.deployments[index]
        back = self._rollbacks.of(index)
        if back is not None:
            return ReworkReason.ROLLBACK, back.why
        changes = self._deliveries.changes(index)
        remedies = one.remedies or next((change.remedies for change in changes if change.remedies), "")
        if remedies:
            return ReworkReason.REMEDY, f"it remedies {remedies}"
        if one.is_unplanned or any(change.is_hotfix for change in changes):
            return ReworkReason.HOTFIX, "it was unplanned" if one.is_unplanned else "it brings a hotfix"
        for other, change in self._reverted(index):
            if self.failure(other) is not None:
                return ReworkReason.REVERT, f"{change.id} takes back what failed in {self._words(other)}"
        return None

    def recovery(self, index: int) -> Recovery:
        """By its incidents; without any by what mended it; of a roll-out that was stopped: when it was."""
        held = self.incidents(index)
        if held:
            return _resolved(held, begin(self._track.deployments[index]))
        one = self._track.deployments[index]
        if self._menders.get(index):
            mended = self._mended(index)
            return Recovery(mended, mended - one.at if mended is not None else None)
        started = begin(one)
        return Recovery(one.at, one.at - started if started < one.at else None)

    def _mended(self, index: int) -> datetime | None:
        """The first that mended it and did not have to be mended itself; followed for as long as `looks.follow`."""
        deployments = self._track.deployments
        limit = deployments[index].at + looks.follow(self._track.policy)
        mended, at = index, None
        while self._menders.get(mended):
            worked = [one for one in self._menders[mended] if self._track.has_succeeded(one)]
            if not worked:
                return None
            if deployments[worked[0]].at > limit:
                break
            mended, at = worked[0], deployments[worked[0]].at
        return at

    def _find_menders(self) -> dict[int, list[int]]:
        """By deployment: the rollbacks that take it back and the hotfixes and reverts aimed at it, not long after."""
        menders: dict[int, list[int]] = {}
        for index in range(len(self._track.deployments)):
            back = self._rollbacks.of(index)
            for other in back.taken_back if back is not None else self._aims(index):
                if self._track.is_recent(other, index):
                    menders.setdefault(other, []).append(index)
        return menders

    def _aims(self, index: int) -> Iterable[int]:
        """Which deployments a hotfix or a revert is to mend.

        One that names an incident aims by it: whatever that is held against failed because of it. One that names
        nothing aims at the deployment before, unless that was a rollback: it took the failure away already.
        """
        track = self._track
        one = track.deployments[index]
        if one.undoes:
            before = reversed(track.before(index))
            return [other for other in before if is_named(track.deployments[other], one.undoes)][:1]
        changes = self._deliveries.changes(index)
        if any(change.reverts for change in changes):
            return sorted({other for other, _ in self._reverted(index)})
        is_hotfix = one.is_unplanned or any(change.is_hotfix for change in changes)
        names_incident = one.remedies or any(change.remedies for change in changes)
        if not is_hotfix or names_incident or not index or self._rollbacks.of(index - 1) is not None:
            return ()
        return (index - 1,)

    def _reverted(self, index: int) -> list[tuple[int, Change]]:
        """The deployments not long before that delivered what changes in this one revert, and those changes."""
        track = self._track
        targets = [(self._target(change), change) for change in self._deliveries.changes(index) if change.reverts]
        found: list[tuple[int, Change]] = []
        first = track.deployments[index].at - looks.follow(track.policy)
        for target, change in targets:
            for other in track.within(first, track.deployments[index].at) if target else ():
                if other < index and target in {_id(one) for one in self._deliveries.of(other)}:
                    found.append((other, change))
        return found

    def _target(self, change: Change) -> str:
        changes = self._track.stretch.changes
        found = changes.of_id(change.reverts) or changes.of_revision(change.repository, change.reverts)
        return found.id if found else change.reverts

    def _words(self, index: int) -> str:
        return in_words(self._track.deployments[index])


def _id(change: Change | str) -> str:
    return change if isinstance(change, str) else change.id


def _title(incident: DeliveryIncident) -> str:
    return incident.name or incident.id


def _resolved(incidents: Sequence[DeliveryIncident], began: datetime) -> Recovery:
    """How long at least one of them went on since it began; overlapping ones count once.

    One that ended before it started (clocks that differ), or before the deployment began, tells no duration.
    """
    if any(one.resolved_at is None for one in incidents):
        return Recovery(None, None)
    spans = sorted((max(one.started_at, began), one.resolved_at) for one in incidents if one.resolved_at is not None)
    total, until = timedelta(0), began
    is_known = False
    for start, end in spans:
        if end > start:
            is_known = True
            total += max(end - max(start, until), timedelta(0))
            until = max(until, end)
    return Recovery(max(end for _, end in spans), total if is_known else None)
