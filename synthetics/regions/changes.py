"""What is told of verdicts: that they changed, and that regions fell silent or were heard again. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from controlplane import check_names
from controlplane.model.check import CheckKind, RegionState, Verdict, VerdictKind
from controlplane.model.event import JSON, Event
from synthetics.regions.verdicts import VerdictKey

_TOLD_AT_FIRST = (VerdictKind.REGIONAL, VerdictKind.GLOBAL)


def events_of(previous: Mapping[VerdictKey, Verdict], verdicts: Sequence[Verdict], now: datetime) -> list[Event]:
    """Events for what is different, each with an id that says the same however often it is reckoned."""
    found = []
    for verdict in sorted(verdicts, key=lambda each: each.check_kind is not CheckKind.SELF_CHECK):  # causes first
        before = previous.get(verdict.key)
        event = _of_region if verdict.check_kind is CheckKind.SELF_CHECK else _of_check
        found.append(event(before, verdict, now))
    return [event for event in found if event is not None]


def _of_check(before: Verdict | None, verdict: Verdict, now: datetime) -> Event | None:
    if before is None and verdict.kind not in _TOLD_AT_FIRST and not verdict.flapping:
        return None
    if before is not None and (before.kind, before.flapping) == (verdict.kind, verdict.flapping):
        return None
    subject = f"{verdict.check_kind.value}/{verdict.check}"
    states: dict[str, JSON] = {each.region: each.state.value for each in verdict.regions}
    down = [each for each in verdict.regions if each.state is RegionState.DOWN]
    data: dict[str, JSON] = {
        "from": before.kind.value if before else VerdictKind.UNKNOWN.value,
        "to": verdict.kind.value,
        "flapping": verdict.flapping,
        "needed": verdict.needed,
        "regions": states,
        "details": {each.region: each.detail for each in down if each.detail},
        "trace_ids": {each.region: each.trace_id for each in down if each.trace_id},
    }
    mark = "flapping" if verdict.flapping else verdict.kind.value
    name = f"{check_names.EVENT_VERDICT_CHANGED}:{subject}:{now.isoformat()}:{mark}"
    return Event(name, check_names.EVENT_VERDICT_CHANGED, subject, now, data)


def _of_region(before: Verdict | None, verdict: Verdict, now: datetime) -> Event | None:
    was_silent = before is not None and before.regions[0].state is RegionState.SILENT
    region = verdict.regions[0]
    is_silent = region.state is RegionState.SILENT
    if is_silent == was_silent:
        return None
    kind = check_names.EVENT_REGION_SILENT if is_silent else check_names.EVENT_REGION_HEARD
    since = before.regions[0].since if before else now
    data: dict[str, JSON] = {"detail": region.detail, "since": since.isoformat()}
    return Event(f"{kind}:{region.region}:{now.isoformat()}", kind, region.region, now, data)
