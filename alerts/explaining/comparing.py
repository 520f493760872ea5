"""What another configuration would have changed: who would have been told of what, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.explaining.firings import Fired
from alerts.explaining.replaying import Replayed, Telling

NOTICEABLE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moved:
    """A receiver who is told at another time."""

    before: Telling
    after: Telling


@dataclass(frozen=True, slots=True)
class Change:
    """What is different for alerts that belong together under both configurations; `alerts` are their places.

    `quiet_before`, `quiet_after`: why nobody was, or would be, told.
    """

    alerts: tuple[int, ...]
    lost: tuple[Telling, ...]
    gained: tuple[Telling, ...]
    moved: tuple[Moved, ...]
    quiet_before: str = ""
    quiet_after: str = ""


def changes(fired: Sequence[Fired], before: Replayed, after: Replayed) -> list[Change]:
    """In order of the first alert. Alerts with the same incidents and the same receivers are one change."""
    groups: dict[object, list[int]] = {}
    for number in range(len(fired)):
        there, then = before.part_of.get(number), after.part_of.get(number)
        groups.setdefault((there, then) if (there, then) != (None, None) else number, []).append(number)
    found = (_change(fired, group, before, after) for group in groups.values())
    return [each for each in found if each is not None]


def counted(replayed: Replayed) -> dict[str, int]:
    """How often each receiver is told, by name."""
    counts: dict[str, int] = {}
    for telling in _tellings(replayed):
        counts[telling.receiver] = counts.get(telling.receiver, 0) + 1
    return dict(sorted(counts.items()))


def _tellings(replayed: Replayed) -> Iterator[Telling]:
    return (telling for episode in replayed.episodes for telling in episode.tellings)


def _change(fired: Sequence[Fired], group: Sequence[int], before: Replayed, after: Replayed) -> Change | None:
    first = group[0]
    old, new = before.told_of(first, fired[first]), after.told_of(first, fired[first])
    lost = tuple(telling for name, telling in old.items() if name not in new)
    gained = tuple(telling for name, telling in new.items() if name not in old)
    moved = tuple(
        Moved(old[name], new[name]) for name in old if name in new and abs(old[name].at - new[name].at) >= NOTICEABLE
    )
    if not (lost or gained or moved):
        return None
    quiet_before, quiet_after = before.quiet.get(first, ""), after.quiet.get(first, "")
    return Change(tuple(group), lost, gained, moved, "" if old else quiet_before, "" if new else quiet_after)
