"""What of a day counters have to count: each thing once, when it is first seen, and never taken back.

A gauge is exact at any time; a counter must not fall (Prometheus takes a fall for a restart). So a deployment that is
later found not to have failed stays counted as failed, and one that is counted is not counted again for another reason.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import delivery_names as names
from controlplane.model.delivery import CounterRow
from controlplane.model.event import JSON
from exporters.dora.measuring.buckets import bucket
from exporters.dora.model import JudgedDeployment
from exporters.dora.reckoning.judging import JudgedIncident, Reckoning
from exporters.dora.sheets.columns import Hashes, hashed, sorted_hashes

_Key = tuple[str, tuple[tuple[str, str], ...]]  # name and labels
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_LONGEST_LABELS: Final = 128  # characters of an exemplar's labels: OpenMetrics 1.0, "Exemplars"
_MICROSECOND: Final = timedelta(microseconds=1)
_DEPLOYMENT, _TRACE, _INCIDENT = "deployment", "trace_id", "incident"
_VALUE, _AT = "value", "at"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to count. `mark` names it among those of its day; `seconds` is None for what has no duration."""

    mark: int
    metric: str
    at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    seconds: Decimal | None = None
    exemplar: Mapping[str, str] = field(default_factory=dict)


def items_of(reckoned: Reckoning, traces: Mapping[str, str]) -> Iterator[Item]:
    """All of a day; `traces` are the trace ids of deployments."""
    for one in reckoned.deployments:
        yield from _of_deployment(one, _exemplar({_DEPLOYMENT: one.id, _TRACE: traces.get(one.id, "")}))
    for incident in reckoned.incidents:
        yield from _of_incident(incident)


def growth(items: Iterable[Item], counted: Hashes, service: str, environment: str) -> list[CounterRow]:
    """By how much counters grow by the items that are not counted yet. The newest example stays with each."""
    known = set(counted.tolist())
    values: dict[_Key, Decimal] = {}
    examples: dict[_Key, Item] = {}
    for item in items:
        if item.mark in known:
            continue
        known.add(item.mark)
        for name, labels, value, is_example in _rows(item):
            key = (name, tuple(labels.items()))
            values[key] = values.get(key, _ZERO) + value
            if is_example and item.exemplar and (key not in examples or examples[key].at <= item.at):
                examples[key] = item
    return [
        CounterRow(key[0], service, environment, _json(key[1]), value, _told(examples.get(key)))
        for key, value in sorted(values.items())
    ]


def counted_now(items: Iterable[Item], counted: Hashes) -> Hashes:
    """What is counted after that."""
    return sorted_hashes([*counted.tolist(), *(item.mark for item in items)])


def _of_deployment(one: JudgedDeployment, exemplar: Mapping[str, str]) -> Iterator[Item]:
    yield Item(hashed("deployment", one.id), names.DEPLOYMENTS, one.at, {}, None, exemplar)
    if one.failure is not None:
        reason = {names.REASON: one.failure.value}
        yield Item(hashed("failed", one.id), names.FAILED_DEPLOYMENTS, one.at, reason, None, exemplar)
    if one.rework is not None:
        reason = {names.REASON: one.rework.value}
        yield Item(hashed("rework", one.id), names.REWORK_DEPLOYMENTS, one.at, reason, None, exemplar)
    if one.recovery_time is not None:
        mark = hashed("recovery", one.id)
        yield Item(mark, names.RECOVERY_TIME, one.at, {}, _seconds(one.recovery_time), exemplar)
    for change in one.changes:
        if change.lead_time is not None:
            mark = hashed("lead", change.change)
            yield Item(mark, names.LEAD_TIME, one.at, {}, _seconds(change.lead_time), exemplar)
        for stage, span in change.stages.items():
            mark = hashed(stage.value, change.change)
            yield Item(mark, names.STAGE_TIME, one.at, {names.STAGE: stage.value}, _seconds(span), exemplar)


def _of_incident(one: JudgedIncident) -> Iterator[Item]:
    incident, held = one.incident, one.attribution.deployment
    exemplar = _exemplar({_INCIDENT: incident.id})
    attributed = {"attributed": "true" if held else "false"}
    yield Item(hashed("incident", incident.id), names.INCIDENTS, incident.started_at, attributed, None, exemplar)
    if one.restore_time is not None:
        mark = hashed("restore", incident.id)
        yield Item(mark, names.RESTORE_TIME, incident.started_at, {}, _seconds(one.restore_time), exemplar)


def _rows(item: Item) -> Iterator[tuple[str, Mapping[str, str], Decimal, bool]]:
    """Name, labels, growth, and whether the item may be shown as its example.

    A histogram's rows are its buckets, each with what fell into it alone, its sum and its count.
    """
    if item.seconds is None:
        yield item.metric, item.labels, _ONE, True
        return
    bound = bucket(item.metric, float(item.seconds))
    yield f"{item.metric}_bucket", {**item.labels, "le": bound}, _ONE, True
    yield f"{item.metric}_sum", item.labels, item.seconds, False
    yield f"{item.metric}_count", item.labels, _ONE, False


def _json(labels: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _exemplar(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Without what is empty, and without later labels for which there is no room."""
    kept: dict[str, str] = {}
    room = _LONGEST_LABELS
    for name, value in labels.items():
        if value and len(name) + len(value) <= room:
            kept[name] = value
            room -= len(name) + len(value)
    return kept


def _told(item: Item | None) -> Mapping[str, JSON]:
    if item is None:
        return {}
    value = "1" if item.seconds is None else str(item.seconds)
    return {**item.exemplar, _VALUE: value, _AT: f"{item.at.timestamp():.3f}"}


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // _MICROSECOND) / 1_000_000
