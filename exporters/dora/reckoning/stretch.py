"""The facts from which a stretch of one service's deployments is reckoned, and how they are found in it. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from controlplane.model.delivery import (
    Artifact,
    Change,
    Correction,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    DeploymentOutcome,
)
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks

Anchors = Mapping[str, Change]  # by repository: up to which change a deployment goes
_NO_ANCHORS: Final[Anchors] = {}


class Changes:
    """Changes by id, revision, time. Those of one repository and revision are one: a pull request and its commit."""

    def __init__(self, changes: Iterable[Change]) -> None:
        groups: dict[tuple[str, str], dict[str, Change]] = {}
        for change in changes:
            groups.setdefault((change.repository, change.revision or f"\0{change.id}"), {})[change.id] = change
        self._by_id: dict[str, Change] = {}
        self._by_revision: dict[tuple[str, str], Change] = {}
        lines: dict[str, list[Change]] = {}
        for key, group in groups.items():
            near = _near(list(group.values()))
            one = _as_one(near)
            self._by_id |= group
            self._by_id |= {change.id: one for change in near}
            self._by_revision[key] = one
            lines.setdefault(one.repository, []).append(one)
        self._lines = {name: sorted(line, key=lambda one: (one.merged_at, one.id)) for name, line in lines.items()}
        self._times = {name: [one.merged_at for one in line] for name, line in self._lines.items()}

    def of_id(self, id_: str) -> Change | None:
        """The one of that id, under whichever of its ids."""
        return self._by_id.get(id_)

    def of_revision(self, repository: str, revision: str) -> Change | None:
        """The one that made that revision."""
        return self._by_revision.get((repository, revision)) if revision else None

    def merged(self, repository: str, after: datetime, until: datetime) -> Sequence[Change]:
        """Those of the repository that were merged in (after, until], in that order."""
        times = self._times.get(repository, [])
        return self._lines.get(repository, [])[bisect_right(times, after) : bisect_right(times, until)]


def _near(group: Sequence[Change]) -> Sequence[Change]:
    """Those that are said to be merged when the first was; what came long after is found by its id alone."""
    until = min(change.merged_at for change in group) + looks.SAME_REVISION
    return [change for change in group if change.merged_at <= until]


def _as_one(group: Sequence[Change]) -> Change:
    """What several say of one revision: pull requests before bare commits, earliest times, what any of them knows."""
    if len(group) == 1:
        return group[0]
    ranked = sorted(group, key=lambda change: ("#@" in change.id, change.id))
    touched = [set(change.services) for change in ranked]
    return replace(
        ranked[0],
        merged_at=min(change.merged_at for change in ranked),
        first_commit_at=_earliest(change.first_commit_at for change in ranked),
        opened_at=_earliest(change.opened_at for change in ranked),
        approved_at=_earliest(change.approved_at for change in ranked),
        services=tuple(sorted(set[str]().union(*touched))) if all(touched) else (),
        reverts=next((change.reverts for change in ranked if change.reverts), ""),
        is_hotfix=any(change.is_hotfix for change in ranked),
        remedies=next((change.remedies for change in ranked if change.remedies), ""),
    )


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Facts of one service in one environment, with all that lies within the looks around [start, end).

    By incident: `corrections` are the last words about it, `corrected` and `linked` the deployments that a correction
    and its own words mean, of whichever service. `incidents` are those of the service, and of others those that name a
    deployment of this one.
    """

    service: str
    environment: str
    deployments: tuple[Deployment, ...]  # in any order; with those before that tell what ran
    changes: Changes = field(default_factory=lambda: Changes(()))
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    incidents: tuple[DeliveryIncident, ...] = ()
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    corrected: Mapping[str, Deployment] = field(default_factory=dict)
    linked: Mapping[str, Deployment] = field(default_factory=dict)


class Track:
    """Deployments of a stretch in the order in which they arrived; equal instants by id. Removals are none."""

    def __init__(self, stretch: Stretch, policy: DeliveryPolicy) -> None:
        self.stretch = stretch
        self.policy = policy
        kept = [one for one in stretch.deployments if one.kind is not DeploymentKind.REMOVED]
        self.deployments = sorted(kept, key=lambda one: (one.at, one.id))
        self.position = {one.id: index for index, one in enumerate(self.deployments)}
        self._times = [one.at for one in self.deployments]
        self._anchors: dict[int, Anchors] = {}

    def between(self, start: datetime, end: datetime) -> range:
        """Those that arrived in [start, end)."""
        return range(bisect_left(self._times, start), bisect_left(self._times, end))

    def within(self, first: datetime, last: datetime) -> range:
        """Those that arrived from `first` to `last`, both included."""
        return range(bisect_left(self._times, first), bisect_right(self._times, last))

    def before(self, index: int) -> range:
        """Those that tell what ran and what was delivered before this one: its rollback window and ten more."""
        first = bisect_left(self._times, self._times[index] - self.policy.rollback_window)
        return range(max(first - looks.CONTEXT, index - looks.CROWD, 0), index)

    def is_recent(self, index: int, of: int) -> bool:
        """Whether it lies within the rollback window before that other one."""
        return self._times[of] - self._times[index] <= self.policy.rollback_window

    def anchors(self, index: int) -> Anchors:
        """Up to which change of each repository this deployment goes, as far as artifacts and revisions tell."""
        known = self._anchors.get(index)
        if known is None:
            known = self._anchors[index] = anchors_of(self.deployments[index], self.stretch)
        return known

    def has_succeeded(self, index: int) -> bool:
        """Whether its roll-out did."""
        return self.deployments[index].outcome is DeploymentOutcome.SUCCEEDED


def anchors_of(deployment: Deployment, stretch: Stretch) -> Anchors:
    """By repository; of several changes of one repository the newest."""
    changes = stretch.changes
    found = [changes.of_revision(deployment.repository, deployment.revision)]
    for name in deployment.artifacts:
        artifact = stretch.artifacts.get(name)
        if artifact is not None:
            by_name = changes.of_id(artifact.change) if artifact.change else None
            found.append(by_name or changes.of_revision(artifact.repository, artifact.revision))
    anchors: dict[str, Change] = {}
    for change in found:
        if change is not None and change.merged_at <= deployment.at + looks.BEFORE_MERGE:
            other = anchors.get(change.repository)
            if other is None or (other.merged_at, other.id) < (change.merged_at, change.id):
                anchors[change.repository] = change
    return anchors or _NO_ANCHORS


def begin(deployment: Deployment) -> datetime:
    """When it began to reach users: the roll-out's start, unless it is unknown or too long ago to be believed."""
    started = deployment.started_at
    if started is None or not deployment.at - looks.ROLLOUT_AT_MOST <= started <= deployment.at:
        return deployment.at
    return started


def in_words(one: Deployment) -> str:
    """A deployment's version, or what else tells it from others."""
    return one.version or one.revision[:12] or one.id


def is_named(one: Deployment, name: str) -> bool:
    """Whether `name` is its id (or the end of it, after the source), its version or its revision."""
    return name in names_of(one)


def names_of(one: Deployment) -> tuple[str, ...]:
    """What incidents, rollbacks and people may call it, from the most exact on."""
    names = (one.id, one.id.rpartition("#")[2], one.version, one.revision)
    return tuple(dict.fromkeys(name for name in names if name))
