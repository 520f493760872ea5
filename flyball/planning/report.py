"""A plan for people and for programs (docs/reference/plan.md)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import problem_report
from controlplane.model.event import JSON
from controlplane.wording import count, duration, significant
from flyball.planning.document_report import document_lines, document_totals, documents_json
from flyball.planning.layout import painted, wrapped
from flyball.planning.run import Planned
from slo.plan.changes import alerts_in_words
from slo.plan.cost import Cost
from slo.plan.history import HistoryBreak
from slo.plan.planning import Kind, Plan, SLOChange

_SIGNS: Final = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.RENAMED: "~"}
_MOST_SHOWN: Final = 100
_VERBS: Final = {Kind.ADDED: "add", Kind.CHANGED: "change", Kind.RENAMED: "rename", Kind.REMOVED: "remove"}


def as_text(planned: Planned, *, coloured: bool = False) -> str:
    """What changes, what it means, what it costs; at most 80 columns where words can be broken."""
    return "".join(f"{line}\n" for line in _lines(planned, coloured))


def _lines(planned: Planned, coloured: bool) -> Iterator[str]:
    plan = planned.plan
    for change in plan.changes[:_MOST_SHOWN] if plan else ():
        yield from _change(change, coloured)
        yield ""
    if plan and len(plan.changes) > _MOST_SHOWN:
        yield from (f"… and {len(plan.changes) - _MOST_SHOWN:,} more; --json lists them all", "")
    others = (*planned.checks, *planned.alerts, *planned.delivery, *planned.anomalies)
    yield from document_lines((*planned.money.changes, *others), coloured)
    yield from _rule_files(planned, coloured)
    for words in (*planned.drift, *planned.notes):
        yield from _paragraph("! ", words, coloured)
    if planned.drift or planned.notes:
        yield ""
    if not planned.differs:
        yield (
            f"No difference to {planned.against}."
            if planned.against
            else "No difference: what the files say was applied."
        )
    elif plan and plan.changes:
        yield from _totals(plan)
    yield from _document_totals(planned)
    if planned.unasked and not planned.against:
        yield from wrapped(f"What runs was not looked at: {planned.unasked}.", "", "")


def _document_totals(planned: Planned) -> Iterator[str]:
    about = {
        "money": planned.money.changes,
        "checks from outside": planned.checks,
        "who is told of alerts": planned.alerts,
        "deliveries": planned.delivery,
        "anomalies": planned.anomalies,
    }
    for what, changes in about.items():
        if changes:
            yield document_totals(what, changes)


def _change(change: SLOChange, coloured: bool) -> Iterator[str]:
    sign = _SIGNS[change.kind]
    earlier = f" ← {change.earlier_name}" if change.earlier_name else ""
    place = f"  {change.position.path}:{change.position.line}" if change.position else ""
    yield painted(f"{sign} {change.name}{earlier}", sign, coloured) + f"  {change.service}{place}"
    if change.kind is Kind.ADDED and change.slo:
        for words in alerts_in_words(change.slo):
            yield from wrapped(words, "    ", "      ")
    if change.kind is Kind.REMOVED:
        yield "    nobody is told about it any more; its history stays until it expires"
    for words in (*(each.words for each in change.details), *change.consequences):
        yield from wrapped(words, "    ", "      ")
    for each in change.breaks:
        yield from _break(each, coloured)


def _break(each: HistoryBreak, coloured: bool) -> Iterator[str]:
    days = f" ({in_days(each.days)} of it)" if each.days is not None else ""
    if each.kept:
        yield from wrapped(f"history is kept: {each.reason}{days}", "    ", "      ")
        return
    lines = list(wrapped(f"! history: {each.reason}{days}", "    ", "      "))
    yield from (painted(line, "!", coloured) for line in lines)
    yield from wrapped(f"→ {each.way_out}", "      ", "        ")


def in_days(days: float) -> str:
    """`5 days`, `1.25 days`; less than one in hours and minutes."""
    if days < 1:
        return duration(timedelta(days=days))
    text = significant(days)
    return f"{text} day{'' if text == '1' else 's'}"


def _rule_files(planned: Planned, coloured: bool) -> Iterator[str]:
    files = planned.rule_files
    for sign, names in (("+", files.added), ("~", files.changed), ("-", files.removed)):
        for name in names[:_MOST_SHOWN]:
            yield painted(f"{sign} {name}", sign, coloured)
        if len(names) > _MOST_SHOWN:
            yield f"{sign} … and {len(names) - _MOST_SHOWN:,} more"
    if files:
        yield ""


def _totals(plan: Plan) -> Iterator[str]:
    listed = [f"{plan.of(kind):,} to {verb}" for kind, verb in _VERBS.items() if plan.of(kind)]
    yield f"{', '.join(listed)}; {plan.unchanged:,} unchanged."
    before, after = plan.before, plan.after
    parts = (
        f"rules {_signed(after.rules - before.rules)}",
        f"series {_signed(after.series - before.series)}",
        f"samples read per minute {_signed(after.samples_per_minute - before.samples_per_minute)}",
    )
    yield f"{', '.join(parts).capitalize()}."
    explained = "Samples are an estimate from the rules' expressions"
    if not (before.own_samples and after.own_samples):
        explained += ", without those of your own series: no rule engine told how many there are"
    if plan.costed < len(plan.changes):
        explained += f", from {plan.costed:,} of the {len(plan.changes):,} SLOs"
    yield from wrapped(f"{explained}.", "", "")
    if plan.shards[0] != plan.shards[1]:
        yield f"SLOs that share rules: {plan.shards[0]} shards → {plan.shards[1]}."


def _signed(number: float) -> str:
    if abs(number) < 0.5:
        return "±0"
    return f"{'+' if number > 0 else '−'}{count(abs(number))}"


def _paragraph(start: str, words: str, coloured: bool) -> Iterator[str]:
    yield from (painted(line, start.strip(), coloured) for line in wrapped(f"{start}{words}", "", "  "))


def as_json(planned: Planned, **about: JSON) -> str:
    """One object; `about` is added to it."""
    plan = planned.plan
    summary: dict[str, JSON] = {kind.value: plan.of(kind) for kind in Kind} if plan else {}
    document: dict[str, JSON] = {
        "version": 1,
        "differs": planned.differs,
        **about,
        "generation": planned.live.generation,
        "files": {"read": planned.read.files, "reread": planned.read.reread},
        "summary": summary | {"unchanged": plan.unchanged} if plan else None,
        "slos": [_slo(change) for change in plan.changes] if plan else [],
        "money": documents_json(planned.money.changes),
        "checks": documents_json(planned.checks),
        "alerts": documents_json(planned.alerts),
        "delivery": documents_json(planned.delivery),
        "anomalies": documents_json(planned.anomalies),
        "cost": _costs(plan.before, plan.after) | {"estimatedFrom": plan.costed} if plan else None,
        "ruleFiles": {
            "added": list(planned.rule_files.added),
            "changed": list(planned.rule_files.changed),
            "removed": list(planned.rule_files.removed),
        },
        "drift": list(planned.drift),
        "notes": list(planned.notes),
        "notAsked": planned.unasked,
        "problems": json.loads(problem_report.as_json(planned.problems)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _slo(change: SLOChange) -> JSON:
    place = change.position
    return {
        "action": change.kind.value,
        "name": change.name,
        "earlierName": change.earlier_name,
        "service": change.service,
        "path": place.path if place else "",
        "line": place.line if place else 0,
        "changes": [
            {"field": each.field, "before": each.before, "after": each.after, "words": each.words}
            for each in change.details
        ],
        "alerts": list(alerts_in_words(change.slo)) if change.slo and change.kind is not Kind.REMOVED else [],
        "consequences": list(change.consequences),
        "history": [
            {
                "reason": each.reason,
                "days": None if each.days is None else f"{each.days:.2f}",
                "kept": each.kept,
                "wayOut": each.way_out,
            }
            for each in change.breaks
        ],
        "cost": _costs(change.before, change.after),
    }


def _costs(before: Cost, after: Cost) -> dict[str, JSON]:
    return {
        "rules": [before.rules, after.rules],
        "series": [before.series, after.series],
        "samplesPerMinute": [round(before.samples_per_minute), round(after.samples_per_minute)],
        "ownSeriesCounted": before.own_samples and after.own_samples,
    }
