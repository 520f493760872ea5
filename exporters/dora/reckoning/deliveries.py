"""Which changes a deployment brings to an environment for the first time, and how long they took. Pure.

Change lead time is the time from a change's first commit to its deployment in production
(https://dora.dev/guides/dora-metrics/: "committed to version control" → "deployed in production").
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.delivery import Change, Deployment
from exporters.dora.model import DeliveredChange, Stage
from exporters.dora.reckoning.rollbacks import Rollbacks
from exporters.dora.reckoning.stretch import Track

_NONE: Final[timedelta] = timedelta(0)


class Deliveries:
    """What each deployment of a track delivers, reckoned once each.

    The changes that it names, else those of its anchor's repository that touch the service and were merged after the
    newest anchor that was deployed before (`Track.before`) and up to its own. Without one before, nobody knows where to
    begin: the anchor alone. Failed roll-outs and rollbacks deliver nothing; what was delivered is not delivered again.
    """

    def __init__(self, track: Track, rollbacks: Rollbacks) -> None:
        self._track = track
        self._rollbacks = rollbacks
        self._known: dict[int, tuple[Change | str, ...]] = {}
        self._bases: list[Mapping[str, datetime]] | None = None
        self._are_named = any(one.changes for one in track.deployments)

    def of(self, index: int) -> tuple[Change | str, ...]:
        """Changes, and the ids of named ones of which nothing else is known."""
        if index not in self._known:
            self._known[index] = self._reckon(index) if self._can_deliver(index) else ()
        return self._known[index]

    def changes(self, index: int) -> list[Change]:
        """Those of which something is known."""
        return [change for change in self.of(index) if isinstance(change, Change)]

    def is_unknown(self, index: int) -> bool:
        """Whether it put something there and nobody says what: it names no change, and its revision leads to none."""
        is_said = self._track.deployments[index].changes or self._track.anchors(index)
        return not is_said and self._can_deliver(index)

    def _can_deliver(self, index: int) -> bool:
        return self._track.has_succeeded(index) and self._rollbacks.of(index) is None

    def _base(self, index: int) -> Mapping[str, datetime]:
        """When the newest anchor of each of its repositories was merged that was deployed before."""
        if self._bases is None:
            self._bases = _newest_before(self._track)
        return self._bases[index]

    def _reckon(self, index: int) -> tuple[Change | str, ...]:
        one = self._track.deployments[index]
        found = self._named(one) if one.changes else self._ranged(index, one.service)
        named = self._named_before(index) if self._are_named else ()
        return tuple(found[id_] for id_ in found if id_ not in named)

    def _named(self, one: Deployment) -> dict[str, Change | str]:
        known = [(id_, self._track.stretch.changes.of_id(id_)) for id_ in one.changes]
        return {(change.id if change else id_): change or id_ for id_, change in known}

    def _ranged(self, index: int, service: str) -> dict[str, Change | str]:
        bases = self._base(index)
        found: dict[str, Change | str] = {}
        for name, anchor in self._track.anchors(index).items():
            base = bases.get(name)
            merged = self._track.stretch.changes.merged(name, base, anchor.merged_at) if base else [anchor]
            found.update((one.id, one) for one in merged if not one.services or service in one.services)
        return found

    def _named_before(self, index: int) -> set[str]:
        """What earlier deployments named, and the anchors of others when this one names its changes."""
        track = self._track
        named: set[str] = set()
        for other in track.before(index):
            if track.has_succeeded(other) and track.deployments[other].changes:
                named.update(self._named(track.deployments[other]))
        if track.deployments[index].changes:
            succeeded = [other for other in track.before(index) if track.has_succeeded(other)]
            named.update(anchor.id for other in succeeded for anchor in track.anchors(other).values())
        return named


def ranges(track: Track) -> Iterator[tuple[str, tuple[datetime, datetime]]]:
    """By repository: merged after and until when the changes were that deployments may deliver between two anchors."""
    for index, bases in enumerate(_newest_before(track)):
        for name, base in bases.items():
            until = track.anchors(index)[name].merged_at
            if base < until:
                yield name, (base, until)


def _newest_before(track: Track) -> list[Mapping[str, datetime]]:
    """For each deployment, of the repositories of its anchors: the newest anchor among `Track.before`.

    One pass: windows slide forward, so what is older than a later and newer anchor is never needed again.
    """
    sliding: dict[str, deque[tuple[int, datetime]]] = {}
    bases: list[Mapping[str, datetime]] = []
    for index in range(len(track.deployments)):
        first, anchors = track.before(index).start, track.anchors(index)
        base: dict[str, datetime] = {}
        for name in anchors:
            line = sliding.get(name)
            while line and line[0][0] < first:
                line.popleft()
            if line:
                base[name] = line[0][1]
        bases.append(base)
        for name, anchor in anchors.items() if track.has_succeeded(index) else ():
            line = sliding.setdefault(name, deque())
            while line and line[-1][1] <= anchor.merged_at:
                line.pop()
            line.append((index, anchor.merged_at))
    return bases


def delivered(change: Change | str, at: datetime) -> DeliveredChange:
    """How long it took until then. What is unknown or would be negative is left out: clocks and histories err."""
    if isinstance(change, str):
        return DeliveredChange(change, None, {})
    first = change.first_commit_at
    is_known = first is not None and first <= min(change.merged_at, at)
    return DeliveredChange(change.id, at - first if first is not None and is_known else None, _stages(change, at))


def _stages(change: Change, at: datetime) -> Mapping[Stage, timedelta]:
    marks = {
        Stage.CODING: (change.first_commit_at, change.opened_at),
        Stage.REVIEW: (change.opened_at, change.merged_at),
        Stage.DEPLOY: (change.merged_at, at),
    }
    return {
        stage: end - start
        for stage, (start, end) in marks.items()
        if start is not None and end is not None and end - start >= _NONE
    }
