"""Which deployments put something older back, and what they take from users by it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.model.delivery import Deployment
from exporters.dora.reckoning.stretch import Anchors, Track, is_named

_Stack = list[list[int]]  # what runs (last) and what it would go back to; several deployments may have put one there


@dataclass(frozen=True, slots=True)
class Return:
    """A rollback: `taken_back` are positions of deployments that it undoes, oldest first; `why` in words."""

    taken_back: tuple[int, ...]
    why: str


class Rollbacks:
    """Finds them, each once. A rollback is declared as one, or it puts back what ran before.

    What ran is a stack: deploying something new puts it on top, going back takes off whatever lies above. It is built
    for each doubtful deployment from those before it (`Track.before`) alone, so that nothing older plays a part.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._known: dict[int, Return | None] = {}
        self._same_before = _last_alike(track.deployments)

    def of(self, index: int) -> Return | None:
        """What this deployment takes back; None for one that is no rollback."""
        if index not in self._known:
            self._known[index] = self._judge(index) if self._is_doubtful(index) else None
        return self._known[index]

    def _is_doubtful(self, index: int) -> bool:
        """Whether it needs the stack: most deployments are plainly newer than the one before."""
        track = self._track
        one = track.deployments[index]
        if one.is_rollback:
            return True
        before = track.before(index)
        if not before or _is_same(track.deployments[index - 1], one):
            return False
        if not track.has_succeeded(index - 1):
            return True
        order = self._order(index, index - 1)
        return order < 0 if order else self._same_before[index] >= before.start

    def _judge(self, index: int) -> Return | None:
        stack: _Stack = []
        for other in self._track.before(index):
            if self._track.has_succeeded(other) or self._track.is_recent(other, index):
                self._put(stack, other)
        return self._back(stack, index)

    def _put(self, stack: _Stack, index: int) -> None:
        back = self._back(stack, index)
        if back is not None:
            gone = set(back.taken_back)
            stack[:] = [entry for entry in stack if not gone.intersection(entry)]
        if stack and self._are_same(stack[-1], index):
            stack[-1].append(index)
        else:
            stack.append([index])

    def _back(self, stack: _Stack, index: int) -> Return | None:
        one = self._track.deployments[index]
        if one.is_rollback:
            return self._declared(stack, index, one)
        if not stack or self._are_same(stack[-1], index):
            return None
        order = self._order(index, stack[-1][-1])
        if order:
            return Return(self._newer(stack, index), "it deployed an older revision") if order < 0 else None
        above = self._above(stack, index)
        return Return(_flat(above), "it deployed again what ran before") if above else None

    def _order(self, index: int, other: int) -> int:
        """Of what both deployed: whoever names what is new knows better than the dates of its changes."""
        if self._track.deployments[index].changes:
            return 0
        return _compare(self._track.anchors(index), self._track.anchors(other))

    def _declared(self, stack: _Stack, index: int, one: Deployment) -> Return:
        why = "it was a rollback"
        if one.undoes:
            named = [entry for entry in stack if any(self._is_named(other, one.undoes) for other in entry)]
            return Return(_flat(named[-1:]), f"it was a rollback of {one.undoes}")
        if not stack or self._are_same(stack[-1], index):
            return Return((), why)
        return Return(_flat(self._above(stack, index)) or self._newer(stack, index) or _flat(stack[-1:]), why)

    def _above(self, stack: _Stack, index: int) -> _Stack:
        """What lies above the same thing, deployed earlier; empty when it lies nowhere or on top."""
        for depth in range(len(stack) - 2, -1, -1):
            if self._are_same(stack[depth], index):
                return stack[depth + 1 :]
        return []

    def _newer(self, stack: _Stack, index: int) -> tuple[int, ...]:
        """What lies on top and is newer by the order of changes."""
        anchors = self._track.anchors(index)
        depth = len(stack)
        while depth and _compare(anchors, self._track.anchors(stack[depth - 1][-1])) < 0:
            depth -= 1
        return _flat(stack[depth:])

    def _are_same(self, entry: Sequence[int], index: int) -> bool:
        return _is_same(self._track.deployments[entry[-1]], self._track.deployments[index])

    def _is_named(self, index: int, name: str) -> bool:
        return is_named(self._track.deployments[index], name)


def _flat(entries: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(sorted(index for entry in entries for index in entry))


def _is_same(one: Deployment, other: Deployment) -> bool:
    """Whether both deployed the same thing, by the strongest that both tell: revision, artifacts, version."""
    if one.revision and other.revision:
        return (one.repository, one.revision) == (other.repository, other.revision)
    if one.artifacts and other.artifacts:
        return not set(one.artifacts).isdisjoint(other.artifacts)
    return bool(one.version) and one.version == other.version


def _last_alike(deployments: Sequence[Deployment]) -> list[int]:
    """For each the position of the last one before that shares a revision, an artifact or a version; −1: none."""
    seen: dict[tuple[str, ...], int] = {}
    alike: list[int] = []
    for index, one in enumerate(deployments):
        marks = [("artifact", name) for name in one.artifacts]
        marks += [("version", one.version)] if one.version else []
        marks += [("revision", one.revision)] if one.revision else []
        alike.append(max((seen.get(mark, -1) for mark in marks), default=-1))
        seen.update(dict.fromkeys(marks, index))
    return alike


def _compare(one: Anchors, other: Anchors) -> int:
    """−1 when older in some repository and newer in none, 1 the other way round or when equally old, 0: cannot tell."""
    shared = one.keys() & other.keys()
    if not shared:
        return 0
    older = any(one[name].merged_at < other[name].merged_at for name in shared)
    newer = any(one[name].merged_at > other[name].merged_at for name in shared)
    if older and newer:
        return 0
    return -1 if older else 1
