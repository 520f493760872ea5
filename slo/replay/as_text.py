"""A replay for the terminal: a table of 80 columns, then what happened to each SLO."""

import textwrap
from collections.abc import Iterator
from typing import Final

from controlplane import wording
from controlplane.burn_rate import Urgency
from slo.replay import sentences
from slo.replay.outcome import Outcome
from slo.replay.run import Replay, ReplayedBudget

WIDTH: Final = 80
_NAME: Final = 30


def as_text(replay: Replay) -> str:
    """The report, with a newline at the end."""
    return "\n".join([*_head(replay), *_table(replay), "", *_details(replay), *_incidents(replay), *_method()]) + "\n"


def _head(replay: Replay) -> Iterator[str]:
    slos = len({budget.proposed.slo.name for budget in replay.budgets})
    length = wording.duration(replay.until - replay.since)
    yield f"{sentences.plural(slos, 'SLO')} replayed over {length}:"
    yield f"{wording.utc(replay.since)} to {wording.utc(replay.until)}"
    yield ""


def _table(replay: Replay) -> Iterator[str]:
    has_current = any(budget.current for budget in replay.budgets)
    yield f"{'SLO':<{_NAME}} {'OBJECTIVE':>10} {'PAGES':>8} {'TICKETS':>8} {'LEFT':>8} {'SUGGESTED':>10}"
    for budget in replay.budgets:
        proposed, current = budget.proposed, budget.current
        cells = (
            f"{_fit(budget.name, _NAME):<{_NAME}}",
            f"{wording.exact_percent(proposed.slo.objective):>10}",
            f"{_count(proposed, current, Urgency.PAGE):>8}",
            f"{_count(proposed, current, Urgency.TICKET):>8}",
            f"{wording.percent(proposed.remaining):>8}",
            f"{_suggested(budget):>10}",
        )
        yield " ".join(cells).rstrip()
    if has_current:
        yield "In brackets: before this change."


def _details(replay: Replay) -> Iterator[str]:
    for budget in replay.budgets:
        outcome = budget.proposed
        yield f"{budget.name}: {sentences.definition(outcome.slo)}"
        for told in outcome.notifications:
            yield f"  {told.urgency.value:<6} {wording.utc(told.start)}, for {sentences.lasted(told)}"
            yield from _wrapped(sentences.told(told), 9)
        lines = [
            sentences.budget(outcome),
            sentences.coverage(outcome),
            sentences.gaps(outcome),
            sentences.muted(outcome),
        ]
        if budget.current:
            lines.append(sentences.compared(outcome, budget.current))
        if budget.suggestion:
            lines.append(sentences.suggestion(budget.suggestion, outcome.slo))
        for line in lines:
            yield from _wrapped(line, 2)
        yield ""


def _incidents(replay: Replay) -> Iterator[str]:
    for title, verdict in (("Against the incidents", replay.verdict), ("Before this change", replay.current_verdict)):
        if verdict is None:
            continue
        yield f"{title}:"
        for score, noun in ((verdict.pages, "page"), (verdict.tickets, "ticket"), (verdict.alerts, "alert")):
            yield from _wrapped(sentences.score(score, noun), 2)
        if verdict.left_out:
            yield f"  {sentences.plural(verdict.left_out, 'incident')} outside of this time or of these SLOs left out."
        if verdict is replay.verdict:
            for told in verdict.told:
                name = told.incident.name or "incident"
                yield from _wrapped(f"{wording.utc(told.incident.start)}  {name}: {sentences.incident(told)}", 2)
        yield ""


def _method() -> Iterator[str]:
    yield from _wrapped(sentences.METHOD, 0)


def _wrapped(text: str, indent: int) -> list[str]:
    space = " " * indent
    together = text.replace(" %", "\u00a0%")
    lines = textwrap.wrap(together, WIDTH, initial_indent=space, subsequent_indent=space)
    return [line.replace("\u00a0", " ") for line in lines]


def _count(proposed: Outcome, current: Outcome | None, urgency: Urgency) -> str:
    ours = str(len(proposed.told(urgency)))
    return f"{ours} ({len(current.told(urgency))})" if current else ours


def _suggested(budget: ReplayedBudget) -> str:
    if budget.suggestion is None:
        return wording.MISSING
    objective = budget.suggestion.objective
    return "none" if objective is None else wording.exact_percent(objective)


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
