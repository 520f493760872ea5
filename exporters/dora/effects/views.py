"""What people and programs are shown of deployments' effects. Pure data and text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Final

from controlplane import wording
from controlplane.model.delivery import Deployment, DeploymentKind
from controlplane.model.event import JSON
from controlplane.problem_report import printable
from exporters.dora.effects.model import Amount, Effect, Figures, State, Subject
from exporters.dora.effects.ranking import Worst, is_worse
from exporters.dora.effects.rows import to_row
from exporters.dora.effects.windows import LONGEST, LOOK_BACK, ready_at
from exporters.dora.policy.model import DeliveryPolicy

NO_EFFECT: Final = "no measurable effect"
_SCREEN: Final = 80
_LABEL: Final = 12
_NUMBERED: Final = len("  1. ") + len("  ")
_METHODS: Final = {
    "past": "{} looks at the days before",
    "past_same_hour": "{} looks at the days before; what is usual at that hour is taken off",
    "few_pasts": "{} looks at the past only",
    "slots": "the hour before alone: there is no past",
}


def effect_data(effect: Effect) -> dict[str, JSON]:
    """An effect as JSON: decimals are texts, ratios are shares of 1."""
    row = to_row(effect)
    return {
        "deployment": effect.deployment,
        "service": effect.service,
        "environment": effect.environment,
        "at": effect.at.isoformat(),
        "subject": effect.subject.value,
        "name": effect.name,
        "state": effect.state.value,
        "is_measurable": effect.is_measurable,
        "score": None if row.score is None else str(row.score),
        **row.body,
    }


def worst_data(found: Worst) -> dict[str, JSON]:
    """The worst as JSON."""
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "budgets": [effect_data(each) for each in found.budgets],
        "money": {currency: [effect_data(each) for each in own] for currency, own in found.money.items()},
        "deployments": {
            "measured": found.measured,
            "without_measurable_effect": found.calm,
            "better": found.better,
            "unknown": found.unknown,
            "waiting": found.waiting,
            "is_partial": found.is_partial,
        },
    }


def worst_text(found: Worst) -> str:
    """The worst as a list for a terminal of 80 columns."""
    days = round((found.end - found.start) / timedelta(days=1), 1)
    length = f"{days:g} days" if days >= 2 else wording.duration(found.end - found.start)
    lines = [f"Deployments of the last {length} that cost most error budget", ""]
    lines += _listed(found.budgets) or ["  None did so measurably.", ""]
    for currency, own in found.money.items():
        lines += [f"… and most money ({currency})", "", *_listed(own)]
    lines += wrap(counts_text(found), _SCREEN)
    return "\n".join(lines)


def counts_text(found: Worst) -> str:
    """How many deployments stand behind it."""
    if not found.measured + found.unknown + found.waiting:
        return "No deployment into production is known of that time: docs/how-to/send-events.md says how to tell them."
    parts = []
    if found.measured:
        parts.append(f"{found.measured:,} measured, {found.calm:,} of them without a measurable effect")
    if found.better:
        parts.append(f"{found.better:,} for the better")
    if found.unknown:
        parts.append(f"{found.unknown:,} unknown")
    if found.waiting:
        parts.append(f"{found.waiting:,} not measured yet")
    which = "Deployments with the largest effects" if found.is_partial else "Deployments"
    return f"{which}: {', '.join(parts)}."


def _listed(found: Sequence[Effect]) -> list[str]:
    lines = []
    for number, each in enumerate(found, 1):
        first, *rest = _entry(each)
        lines.append(f"{number:>3}. {first}")
        for text in rest:
            lines += wrap(text, _SCREEN, initial_indent="     ", subsequent_indent="       ")
        lines.append("")
    return lines


def _entry(effect: Effect) -> Iterator[str]:
    assert effect.figures
    size, name = size_text(effect), printable(effect.name)
    if len(size) + len(name) + _NUMBERED <= _SCREEN:
        yield f"{size}  {name}"
    else:
        yield size
        yield name
    yield f"{deployment_text(effect)}, {wording.utc(effect.at)}"
    yield f"{before_after_text(effect)}; {until_text(effect)}"
    if effect.confounders:
        yield f"Beside it: {'; '.join(printable(each.text) for each in effect.confounders)}."


def deployment_text(effect: Effect) -> str:
    """`checkout 1.4.2, production`."""
    return printable(f"{effect.service} {effect.version}".strip() + f", {effect.environment}")


def size_text(effect: Effect) -> str:
    """What it spent in all: `18.3 % of the 30-day budget (12 % … 25 %)`, `12.3 USD (8 … 16 USD)`."""
    if effect.figures is None:
        return wording.MISSING
    spent = effect.figures.spent
    if effect.subject is Subject.UNIT_COST:
        return money_amount(spent.extra, effect.currency)
    if spent.budget is None:
        return f"{wording.count(float(spent.extra.value))} bad events"
    return f"{wording.percent(float(spent.budget.value))} of the {_budget(effect.period)} ({_span(spent.budget)})"


def _budget(period: str) -> str:
    days = re.fullmatch("([0-9]+)d", period)
    if days:
        return f"{days[1]}-day budget"
    return "month's budget" if period == "1M" else f"{period} budget".strip()


def before_after_text(effect: Effect) -> str:
    """What the two times showed."""
    figures = effect.figures
    if figures is None:
        return effect.reason or wording.MISSING
    if effect.subject is Subject.UNIT_COST:
        before, after = (wording.money(each, effect.currency) for each in (figures.before, figures.after))
        return f"{before} → {after} for {effect.per} ({signed_percent(figures.change)})"
    before, after = (wording.percent(float(each)) for each in (figures.before, figures.after))
    hour = f", {signed_percent(figures.per_hour)} of the budget an hour" if figures.per_hour else ""
    return f"{before} → {after} of events bad{hour}"


def until_text(effect: Effect) -> str:
    """How long it lasted."""
    assert effect.figures
    spent = effect.figures.spent
    length = wording.duration(spent.until - effect.at)
    if spent.ended_by:
        return f"over {length}, ended by {printable(spent.ended_by)}"
    if not spent.is_final:
        return f"in the {length} since, and counting"
    return f"over {length}, then as before" if spent.until < effect.at + LONGEST else f"over {length}"


def waiting_text(deployment: Deployment, policy: DeliveryPolicy, now: datetime) -> str:
    """Why nothing was measured of one yet."""
    if deployment.kind is DeploymentKind.REMOVED or deployment.environment not in policy.production:
        return f"Only deployments into production are measured; this one went to {printable(deployment.environment)}."
    ready = ready_at(deployment.at, policy.effects)
    if ready > now:
        return f"It waits until {wording.utc(ready)} at the latest: then the time after it is over, and recorded."
    if now - deployment.at > LOOK_BACK:
        return (
            "It was never measured: flyball dora effects DEPLOYMENT --again does that as far as Prometheus remembers."
        )
    return "It waits for its turn, or for Prometheus: `flyball up` measures it, or `--again` does now."


def effects_text(found: Sequence[Effect]) -> str:
    """All effects of one deployment."""
    first = found[0]
    lines = [f"{deployment_text(first)}, {wording.utc(first.at)}"]
    figures = next((each.figures for each in found if each.figures), None)
    if figures:
        lines.append(f"Compared: {_clock(figures)}")
    for each in found:
        lines += ["", printable(each.name) or "Its effect", *_in_full(each)]
    return "\n".join(lines)


def _in_full(effect: Effect) -> Iterator[str]:
    figures = effect.figures
    if figures is None:
        yield from _line(effect.state.value, effect.reason)
        return
    if not effect.is_measurable:
        yield from _line("verdict", NO_EFFECT)
    yield from _line("before", f"{before_after_text(effect)}")
    yield from _line("without it", f"{_ratio(effect, figures.expected.value)} ({_expected(effect, figures)})")
    if effect.subject is Subject.SLO:
        yield from _line("extra", f"{count_amount(figures.extra)} bad events in that time")
    lasted = f", {until_text(effect)}" if is_worse(effect) and effect.is_measurable else " in that time"
    yield from _line("spent", f"{size_text(effect)}{lasted}")
    confidence = wording.percent(float(figures.confidence))
    yield from _line("interval", f"{confidence}, from {_METHODS[figures.method].format(figures.pasts)}")
    for number, each in enumerate(effect.confounders):
        yield from _line("beside it" if not number else "", printable(each.text))


def _line(label: str, text: str) -> list[str]:
    return wrap(text, _SCREEN, initial_indent=f"  {label:<{_LABEL}}", subsequent_indent=" " * (_LABEL + 2))


def _clock(figures: Figures) -> str:
    before = f"{figures.before_start:%H:%M} to {figures.before_end:%H:%M}"
    return f"{before} with {figures.after_start:%H:%M} to {figures.after_end:%H:%M} UTC"


def _ratio(effect: Effect, value: Decimal) -> str:
    return wording.money(value, effect.currency) if effect.currency else wording.percent(float(value))


def _expected(effect: Effect, figures: Figures) -> str:
    return f"{_ratio(effect, figures.expected.lower)} … {_ratio(effect, figures.expected.upper)}"


def count_amount(amount: Amount) -> str:
    """`1,234 (1,100 … 1,300)`."""
    value, lower, upper = (wording.count(float(each)) for each in (amount.value, amount.lower, amount.upper))
    return f"{value} ({lower} … {upper})"


def money_amount(amount: Amount, currency: str) -> str:
    """`12.3 USD (8.1 … 16 USD)`."""
    lower = wording.money(amount.lower, "")
    return f"{wording.money(amount.value, currency)} ({lower} … {wording.money(amount.upper, currency)})"


def signed_percent(amount: Amount) -> str:
    """`+28 %`."""
    text = wording.percent(float(amount.value))
    return f"+{text}" if amount.value > 0 else text


def _span(amount: Amount) -> str:
    return f"{wording.percent(float(amount.lower))} … {wording.percent(float(amount.upper))}"


def page_rows(found: Sequence[Effect]) -> list[Mapping[str, str]]:
    """Cells for a page or a report, in words: deployment, at, subject, size, change, lasted, beside, url, id."""
    return [
        {
            "id": each.deployment,
            "deployment": deployment_text(each),
            "at": wording.utc(each.at),
            "subject": each.name,
            "size": size_text(each) if each.figures else each.state.value,
            "change": before_after_text(each),
            "lasted": until_text(each) if each.figures else "",
            "beside": "; ".join(it.text for it in each.confounders),
            "verdict": _verdict(each),
            "url": each.url,
        }
        for each in found
    ]


def _verdict(effect: Effect) -> str:
    if effect.state is not State.MEASURED or effect.figures is None:
        return effect.state.value
    if not effect.is_measurable:
        return NO_EFFECT
    return "worse" if effect.figures.change.value > 0 else "better"
