"""Single deployments and incidents for people and programs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Final

from controlplane import wording
from controlplane.model.delivery import Attribution, AttributionReason, Change, Correction, DeliveryEvent, StoredEffect
from controlplane.problem_report import printable
from exporters.dora.effects.rows import from_row
from exporters.dora.effects.views import NO_EFFECT, before_after_text, size_text
from exporters.dora.model import DeliveredChange, JudgedDeployment, Stage
from exporters.dora.reckoning.judging import JudgedIncident
from exporters.dora.report import numbers
from exporters.dora.report.single import Dossier, Judged
from exporters.dora.report.telling import STAGE_NAMES
from exporters.dora.report.views import Json, moment, number, seconds

NO_DEPLOYMENTS: Final = "No deployment in that time: docs/how-to/send-events.md says how they come to be known."
NO_INCIDENTS: Final = "No incident that counts in that time."
_WIDTH: Final = 80
_INDENT: Final = " " * 18


def outcome_words(it: JudgedDeployment) -> str:
    """What became of it: `ok`, `failed (incident), recovered after 42 min`, `rework (hotfix)`."""
    parts = []
    if it.failure is not None:
        parts.append(f"failed ({it.failure.value.replace('_', ' ')}){_recovery(it)}")
    if it.rework is not None:
        parts.append(f"rework ({it.rework.value})")
    return "; ".join(parts) or "ok"


def attribution_words(it: Attribution) -> str:
    """Why it is held against what it is: `by the rules: 1.20 was the last deployment before it`, `ann said so: …`."""
    if it.reason is AttributionReason.CORRECTED or not it.text:
        return it.text or it.reason.value
    return it.text if it.reason is AttributionReason.NONE else f"by the rules: {it.text}"


def lead_time(it: JudgedDeployment) -> timedelta | None:
    """The median over its changes of which it is known."""
    known = sorted(each.lead_time for each in it.changes if each.lead_time is not None)
    middle = len(known) // 2
    if not known:
        return None
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def deployments_text(judged: Judged) -> str:
    """A table, latest first; below those that did not go well, why."""
    if not judged.deployments:
        return NO_DEPLOYMENTS
    lines = [f"{'WHEN (UTC)':<17} {'SERVICE':<16} {'VERSION':<14} {'CHANGES':>7} {'LEAD':>6}  OUTCOME"]
    for it in judged.deployments:
        known, version = lead_time(it), _cut(it.version or it.id.rpartition("#")[2], 14)
        lead = "" if known is None else _brief(known)
        lines.append(
            f"{it.at:%Y-%m-%d %H:%M}  {_cut(it.service, 16):<16} {version:<14} {len(it.changes):>7} {lead:>6}  "
            f"{'failed' if it.failure else 'rework' if it.rework else 'ok'}"
        )
        if it.failure or it.rework:
            told = f"{outcome_words(it)}: {it.why}" if it.why else outcome_words(it)
            lines += _indented(printable(told))
    if judged.left_out:
        lines += ["", "There are more: --limit, --since and --service choose which are shown."]
    return "\n".join(lines)


def incidents_text(found: Sequence[JudgedIncident]) -> str:
    """A table, latest first, with what each is held against and why."""
    if not found:
        return NO_INCIDENTS
    lines = [f"{'SINCE (UTC)':<17} {'INCIDENT':<16} {'SERVICE':<16} {'FOR':>8}  HELD AGAINST"]
    for each in found:
        it, blamed = each.incident, each.attribution.deployment
        lasted = "goes on" if it.resolved_at is None else _brief(each.restore_time) or "unknown"
        against = _cut(blamed.rpartition("#")[2], 17) if blamed else "none"  # which `show` takes, too
        lines.append(
            f"{it.started_at:%Y-%m-%d %H:%M}  {_cut(it.name or it.id.rpartition('#')[2], 16):<16} "
            f"{_cut(it.service, 16):<16} {lasted:>8}  {against}"
        )
        lines += _indented(printable(attribution_words(each.attribution)))
    return "\n".join(lines)


def dossier_text(it: Dossier) -> str:
    """All about one deployment."""
    return "\n".join(_dossier_lines(it))


def deployments_data(judged: Judged) -> dict[str, Json]:
    """As JSON."""
    return {
        "deployments": [deployment_data(each) for each in judged.deployments],
        "incidents": [incident_data(each) for each in judged.incidents.values()],
        "left_out": judged.left_out,
    }


def deployment_data(it: JudgedDeployment) -> dict[str, Json]:
    """One, with what became of it."""
    return {
        "deployment": it.id,
        "service": it.service,
        "environment": it.environment,
        "at": moment(it.at),
        "version": it.version or None,
        "url": it.url or None,
        "run": it.run or None,
        "failed": it.failure is not None,
        "failure_reason": it.failure.value if it.failure else None,
        "rework": it.rework is not None,
        "rework_reason": it.rework.value if it.rework else None,
        "why": it.why,
        "incidents": list(it.incidents),
        "recovered_at": moment(it.recovered_at) if it.recovered_at else None,
        "recovery_seconds": seconds(it.recovery_time),
        "lead_time_median_seconds": seconds(lead_time(it)),
        "changes": [_delivered_data(each) for each in it.changes],
    }


def incident_data(each: JudgedIncident, correction: Correction | None = None) -> dict[str, Json]:
    """One, with what it is held against."""
    it, attribution = each.incident, each.attribution
    return {
        "incident": it.id,
        "name": it.name or None,
        "title": it.title,
        "service": it.service,
        "environment": it.environment,
        "priority": it.priority or None,
        "url": it.url or None,
        "started_at": moment(it.started_at),
        "resolved_at": moment(it.resolved_at) if it.resolved_at else None,
        "restore_seconds": seconds(each.restore_time),
        "deployment": attribution.deployment or None,
        "reason": attribution.reason.value,
        "why": attribution.text,
        "corrected_by": correction.actor if correction else None,
        "note": correction.note if correction else None,
    }


def dossier_data(it: Dossier) -> dict[str, Json]:
    """All about one deployment."""
    fact = it.deployment
    return {
        **(deployment_data(it.judged) if it.judged else {"deployment": fact.id, "at": moment(fact.at)}),
        "kind": fact.kind.value,
        "outcome": fact.outcome.value,
        "repository": fact.repository or None,
        "revision": fact.revision or None,
        "artifacts": list(fact.artifacts),
        "titles": {id_: {"title": each.title, "url": each.url or None} for id_, each in it.changes.items()},
        "held_against_it": [incident_data(each) for each in it.incidents],
        "events": [event_data(each) for each in it.events],
        "effects": [effect_data(each) for each in it.effects],
    }


def event_data(it: DeliveryEvent) -> dict[str, Json]:
    """An event without its body."""
    return {
        "source": it.source,
        "id": it.id,
        "type": it.type,
        "subject": it.subject,
        "time": moment(it.time),
        "sender": it.sender,
        "about": it.entity or None,
    }


def effect_data(it: StoredEffect) -> dict[str, Json]:
    """An effect: `score` is the share of the error budget, or by which share a unit cost changed."""
    return {
        "deployment": it.deployment,
        "subject": it.subject,
        "service": it.service,
        "environment": it.environment,
        "at": moment(it.at),
        "state": it.state,
        "score": number(it.score),
        "detail": it.body,
    }


def effect_words(it: StoredEffect) -> str:
    """`checkout-availability: 18 % of the 30d budget (12 … 25 %)`, or why there is no number."""
    effect = from_row(it)
    name = effect.name or "its effect"
    if effect.figures is None:
        return f"{name}: {effect.reason or effect.state.value}"
    if not effect.is_measurable:
        return f"{name}: {NO_EFFECT}"
    return f"{name}: {size_text(effect)}; {before_after_text(effect)}"


def change_words(each: DeliveredChange, known: Mapping[str, Change]) -> str:
    """A change by its title, or by its id where it has none."""
    change = known.get(each.change)
    return change.title if change is not None and change.title else each.change


def stage_words(stages: Mapping[Stage, timedelta]) -> str:
    """`coding 3 h, review 20 h, deploy 25 min`; empty where none is known."""
    return ", ".join(f"{named} {_brief(stages[stage])}" for stage, named in STAGE_NAMES.items() if stage in stages)


def _delivered_data(each: DeliveredChange) -> dict[str, Json]:
    stages = {stage.value: seconds(length) for stage, length in each.stages.items()}
    return {"change": each.change, "lead_time_seconds": seconds(each.lead_time), "stages_seconds": stages}


def _dossier_lines(it: Dossier) -> Iterator[str]:
    fact = it.deployment
    yield printable(
        f"{fact.service} {fact.version or fact.revision[:12]} in {fact.environment}, {wording.utc(fact.at)}"
    )
    yield printable(fact.id)
    for line in filter(None, (fact.url, f"{fact.repository} {fact.revision}".strip())):
        yield printable(line)
    yield ""
    if it.judged is None:
        yield "The service was taken away: that delivers nothing and is not judged."
        return
    yield f"Outcome: {outcome_words(it.judged)}"
    if it.judged.why:
        yield from wrap(printable(it.judged.why), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _section("Changes", [_change_line(each, it.changes) for each in it.judged.changes])
    yield from _section("Incidents held against it", [_incident_line(each) for each in it.incidents])
    if it.effects:
        yield from _section("Effects", [effect_words(each) for each in it.effects])
    else:
        yield from ("", "Effects: not measured, or not yet")
    yield from _section("Events behind it", [_event_line(each) for each in it.events])


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"{title}: {len(lines) or 'none'}"
    for line in lines:
        yield from wrap(printable(line), _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _change_line(each: DeliveredChange, known: Mapping[str, Change]) -> str:
    stages = stage_words(each.stages)
    lead = f"{_brief(each.lead_time)} lead time" if each.lead_time is not None else "lead time unknown"
    return f"{change_words(each, known)}: {lead}{f' ({stages})' if stages else ''}"


def _incident_line(each: JudgedIncident) -> str:
    it = each.incident
    lasted = "goes on" if it.resolved_at is None else f"lasted {_brief(each.restore_time) or 'unknown'}"
    return f"{it.name or it.id} {it.title}: {lasted}; {attribution_words(each.attribution)}"


def _event_line(it: DeliveryEvent) -> str:
    return f"{moment(it.time)} {it.type} from {it.source}, id {it.id} ({it.sender})"


def _recovery(it: JudgedDeployment) -> str:
    if it.recovery_time is not None:
        return f", recovered after {_brief(it.recovery_time)}"
    return ", recovered" if it.recovered_at is not None else ", nothing recovered from it yet"


def _brief(length: timedelta | None) -> str:
    return "" if length is None else numbers.brief(Decimal(str(length.total_seconds())))


def _indented(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    shown = printable(text)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"
