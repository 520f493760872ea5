"""A decision about an alert as lines of text and as JSON: who is told, when, how, and why."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from alerts.routing.deciding import Decision, Told
from alerts.routing.model import Routed
from controlplane.model.event import JSON
from controlplane.wording import duration, utc

_WIDTH: Final = 80
_WHO: Final = 16
_WHEN: Final = 9
_SECOND: Final = timedelta(seconds=1)


def decision_text(decision: Decision) -> str:
    """For a terminal of 80 columns; long lists go on in further lines."""
    return "\n".join(_lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    yield _headline(decision)
    yield ""
    if decision.told:
        yield f"{'WHO':<{_WHO}} {'AFTER':>{_WHEN}}  HOW"
        for told in decision.told:
            yield from _told(told)
        yield ""
    if facts := list(_facts(decision)):
        yield from facts
        yield ""
    yield "Why"
    for line in decision.passed_over:
        yield from _wrapped(line, "  ")
    for routed in decision.routes:
        for line in routed.reasons:
            yield from _wrapped(line, "  ")


def _headline(decision: Decision) -> str:
    routes = " and ".join(routed.route for routed in decision.routes)
    when = f" at {utc(decision.at)}" if decision.at is not None else ""
    if decision.is_only_kept:
        return f"Nobody is told: alerts of the route {routes} are only kept."
    if decision.is_muted:
        return f"Nobody is told{when}: muted by {decision.routes[0].muted_by}, route {routes}."
    return f"{decision.priority.value} by route {routes}{when}"


def _told(told: Told) -> Iterator[str]:
    who = told.receiver or "nobody"
    if told.schedule and not told.receiver:
        who = f"on call: {told.schedule}"
    how = ", ".join(told.channels) or ("nothing of this priority" if told.receiver else "")
    if told.step:
        how = f"step {told.step}{f', on call by {told.schedule}' if told.schedule else ''}{f': {how}' if how else ''}"
    start = f"{who:<{_WHO}} {_after(told.after):>{_WHEN}}  "
    first, *others = list(_wrapped(how, "", _WIDTH - len(start))) or [""]
    yield f"{start}{first}".rstrip()
    for line in others:
        yield f"{'':<{_WHO}} {'':>{_WHEN}}  {line}"


def _facts(decision: Decision) -> Iterator[str]:
    first = decision.routes[0]
    grouped = ", ".join(f"{label}={value}" if value else f"no {label}" for label, value in decision.grouped_by.items())
    if not decision.is_only_kept:
        yield f"Escalation   {decision.policy or 'none'}"
        yield from _wrapped(f"Incident     one for {grouped or 'all alerts of the route'}", "", continued=" " * 13)
        yield f"Over         {_after(first.resolve_after)} after its last alert ended"
        yield from (
            f"Told again   news after {_after(routed.group_interval)}, the same after {_after(routed.repeat_interval)}"
            for routed in decision.routes[:1]
        )
    for link in decision.runbooks:
        yield f"Runbook      {link.text}{f': {link.url}' if link.url else ''}"
    if not decision.runbooks and not decision.is_only_kept:
        yield "Runbook      the alert's own (annotation runbook_url); no Runbook is declared for it"


def _after(length: timedelta) -> str:
    return "at once" if not length else duration(length)


def _wrapped(text: str, indent: str, width: int = _WIDTH, continued: str | None = None) -> Iterator[str]:
    """Lines broken at spaces; a word that is longer stays whole."""
    line = indent
    following = continued if continued is not None else f"{indent}  " if indent else ""
    for word in text.split(" "):
        if line.strip() and len(line) + len(word) + 1 > width:
            yield line.rstrip()
            line = following
        line += word if not line.strip() or line == following else f" {word}"
    if line.strip():
        yield line.rstrip()


def decision_data(decision: Decision) -> dict[str, JSON]:
    """As JSON: lengths in seconds, times in UTC."""
    return {
        "labels": dict(decision.labels),
        "at": decision.at.isoformat() if decision.at is not None else None,
        "priority": decision.priority.value,
        "escalation": decision.policy,
        "muted": decision.is_muted,
        "told": [_told_data(told) for told in decision.told],
        "routes": [_routed_data(routed) for routed in decision.routes],
        "grouped_by": dict(decision.grouped_by),
        "runbooks": [{"title": link.text, "url": link.url} for link in decision.runbooks],
        "passed_over": list(decision.passed_over),
    }


def _told_data(told: Told) -> dict[str, JSON]:
    return {
        "receiver": told.receiver,
        "display_name": told.display_name,
        "after_seconds": told.after // _SECOND,
        "channels": list(told.channels),
        "step": told.step,
        "schedule": told.schedule,
    }


def _routed_data(routed: Routed) -> dict[str, JSON]:
    return {
        "route": routed.route,
        "receivers": list(routed.receivers),
        "escalation": routed.escalation,
        "priority": routed.priority.value,
        "muted": routed.is_muted,
        "muted_by": routed.muted_by,
        "group_by": list(routed.group_by),
        "group_wait_seconds": routed.group_wait // _SECOND,
        "group_interval_seconds": routed.group_interval // _SECOND,
        "repeat_interval_seconds": routed.repeat_interval // _SECOND,
        "resolve_after_seconds": routed.resolve_after // _SECOND,
        "reasons": list(routed.reasons),
    }
