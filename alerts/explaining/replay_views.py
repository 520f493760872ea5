"""A replay as text and as JSON: who would have been told, what would change, and who was not told, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.explaining.comparing import Change, changes, counted
from alerts.explaining.decisions import said
from alerts.explaining.firings import Fired, Firings
from alerts.explaining.replaying import Episode, Replayed, Telling, title_of
from controlplane.model.event import JSON

_MOST_LINES: Final = 200  # of a part of the text; JSON has all
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Report:
    """What was replayed. `after` is None where only the present configuration was. `receiver`: what concerns them only.

    `proposed` is how people call the other configuration, such as the path of its folder.
    """

    since: datetime
    until: datetime
    firings: Firings
    before: Replayed
    after: Replayed | None = None
    proposed: str = ""
    receiver: str = ""

    @property
    def changes(self) -> list[Change]:
        """What would be different; nothing without another configuration."""
        if self.after is None:
            return []
        found = changes(self.firings.fired, self.before, self.after)
        return [each for each in found if self._concerns(each)]

    @property
    def episodes(self) -> list[Episode]:
        """Incidents under the present configuration."""
        return [each for each in self.before.episodes if not self.receiver or self.receiver in _names(each.tellings)]

    def untold(self) -> Iterator[tuple[Fired, str]]:
        """Alerts of which nobody (or not the receiver) is told by the present configuration, and why."""
        for number, fired in enumerate(self.firings.fired):
            told = self.before.told_of(number, fired)
            if not told:
                yield fired, self.before.quiet.get(number, "its routes have nobody who takes its priority")
            elif self.receiver and self.receiver not in told:
                whom = ", ".join(f"{telling.receiver} by {telling.by}" for telling in told.values())
                yield fired, f"told {whom}"

    def strays(self) -> list[Fired]:
        """Alerts that people would have been told of, and that never reached us."""
        numbered = enumerate(self.firings.fired)
        return [fired for number, fired in numbered if not fired.arrived and number in self.before.part_of]

    def _concerns(self, change: Change) -> bool:
        told = (*change.lost, *change.gained, *(each.after for each in change.moved))
        return not self.receiver or any(each.receiver == self.receiver for each in told)


def replay_text(report: Report) -> str:
    """For a terminal."""
    fired = report.firings.fired
    strange = sum(not each.arrived for each in fired)
    lines = [
        f"Replayed {_minute(report.since)} to {_minute(report.until)} UTC: {_count(len(fired), 'alert')}, "
        f"{len(fired) - strange} that reached us and {strange} that only Prometheus knows of"
    ]
    lines += report.firings.notes
    lines += ["", *_counts(report)]
    if report.after is None:
        lines += _part("Incidents", [line for each in report.episodes for line in _episode(each)])
    else:
        found = [line for each in report.changes for line in _change(each, fired)]
        lines += _part("Changes", found) if found else ["", f"Nothing would change with {report.proposed}."]
    whom = report.receiver or "anybody"
    untold = [line for each, why in report.untold() for line in (_alert(each), f"{_INDENT}{why}")]
    lines += _part(f"Not told to {whom}", untold)
    lines += _part(
        "Never reached us, and should have: look at Alertmanager", [_alert(each) for each in report.strays()]
    )
    return "\n".join(lines)


def _counts(report: Report) -> Iterator[str]:
    """A table: how often each receiver is told."""
    before, after = counted(report.before), counted(report.after) if report.after else {}
    names = sorted({*before, *after})
    width = max((len(name) for name in (*names, "incidents")), default=0)
    is_pair = report.after is not None
    yield f"{'':<{width}}  {'now':>6}" + (f"  {'then':>6}  with {report.proposed}" if is_pair else "")
    rows = [("incidents", len(report.before.episodes), len(report.after.episodes) if report.after else 0)]
    rows += [(name, before.get(name, 0), after.get(name, 0)) for name in names]
    for name, now, then in rows:
        yield f"{name:<{width}}  {now:>6,}" + (f"  {then:>6,}" if is_pair else "")


def _episode(each: Episode) -> Iterator[str]:
    more = f" and {len(each.alerts) - 1} more" if len(each.alerts) > 1 else ""
    ended = f" to {_minute(each.ended_at)}" if each.ended_at else ", goes on"
    yield f"{_second(each.opened_at)}{ended}  {each.priority.value}  {each.title}{more}"
    yield from (f"{_INDENT}{_telling(telling)}" for telling in each.tellings)


def _change(change: Change, fired: Sequence[Fired]) -> Iterator[str]:
    first = fired[change.alerts[0]]
    more = f" and {len(change.alerts) - 1} more" if len(change.alerts) > 1 else ""
    yield f"{_second(first.start)}  {title_of(first)}{more}{f'  ({first.incident})' if first.incident else ''}"
    yield from (f"{_INDENT}− {_telling(each)}" for each in change.lost)
    yield from (f"{_INDENT}+ {_telling(each)}" for each in change.gained)
    for moved in change.moved:
        yield f"{_INDENT}~ {moved.before.receiver} at {moved.after.at:%H:%M:%S} instead of {moved.before.at:%H:%M:%S}"
    if change.quiet_before:
        yield f"{_INDENT}now nobody: {change.quiet_before}"
    if change.quiet_after:
        yield f"{_INDENT}then nobody: {change.quiet_after}"


def _part(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    left = len(lines) - _MOST_LINES
    more = [f"{_INDENT}… {left:,} more lines: --json has all"] if left > 0 else []
    return ["", title, *(f"{_INDENT}{line}" for line in lines[:_MOST_LINES]), *more]


def _telling(telling: Telling) -> str:
    return f"{telling.at:%m-%d %H:%M:%S}  {telling.receiver}  by {telling.by}"


def _alert(each: Fired) -> str:
    ended = f" to {_minute(each.end)}" if each.end else ", fires"
    return f"{_second(each.start)}{ended}  {said(each.labels)}"


def _names(tellings: Sequence[Telling]) -> set[str]:
    return {telling.receiver for telling in tellings}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _second(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


# --- JSON -------------------------------------------------------------------------------------------------------------
def replay_data(report: Report) -> dict[str, JSON]:
    """Everything, times as ISO 8601 in UTC."""
    fired = report.firings.fired
    data: dict[str, JSON] = {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "alerts": len(fired),
        "notes": list(report.firings.notes),
        "now": _replayed_data(report.before, fired),
        "not_told": [{**_alert_data(each), "why": why} for each, why in report.untold()],
        "never_arrived": [_alert_data(each) for each in report.strays()],
    }
    if report.after is not None:
        data["with"] = report.proposed
        data["then"] = _replayed_data(report.after, fired)
        data["changes"] = [_change_data(each, fired) for each in report.changes]
    return data


def _replayed_data(replayed: Replayed, fired: Sequence[Fired]) -> dict[str, JSON]:
    return {
        "told": dict(counted(replayed)),
        "incidents": [
            {
                "opened_at": each.opened_at.isoformat(),
                "ended_at": each.ended_at.isoformat() if each.ended_at else None,
                "title": each.title,
                "priority": each.priority.value,
                "alerts": [_alert_data(fired[number]) for number in each.alerts],
                "told": [_telling_data(telling) for telling in each.tellings],
            }
            for each in replayed.episodes
        ],
    }


def _change_data(change: Change, fired: Sequence[Fired]) -> dict[str, JSON]:
    return {
        "alerts": [_alert_data(fired[number]) for number in change.alerts],
        "lost": [_telling_data(each) for each in change.lost],
        "gained": [_telling_data(each) for each in change.gained],
        "moved": [{"now": _telling_data(each.before), "then": _telling_data(each.after)} for each in change.moved],
        "quiet_now": change.quiet_before,
        "quiet_then": change.quiet_after,
    }


def _alert_data(fired: Fired) -> dict[str, JSON]:
    return {
        "fingerprint": fired.fingerprint,
        "labels": dict(fired.labels),
        "start": fired.start.isoformat(),
        "end": fired.end.isoformat() if fired.end else None,
        "arrived": fired.arrived,
        "incident": fired.incident,
    }


def _telling_data(telling: Telling) -> dict[str, JSON]:
    return {"at": telling.at.isoformat(), "receiver": telling.receiver, "by": telling.by}
