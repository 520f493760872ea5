"""A replay in words, the same in the terminal and on the page."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.burn_rate import Urgency, duration
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO, CalendarWindow
from slo.replay.incidents import Score, ToldIncident
from slo.replay.notifications import Notification
from slo.replay.outcome import Outcome
from slo.replay.suggestion import KEPT_WITH, OFTEN_ENOUGH, Certainty, Obstacle, Suggestion, Trial

_WHOLE: Final = 0.9995  # coverage that is shown as all of it

_OBSTACLES: Final = {
    Obstacle.SPENT: "it would have left {worst} of the budget at the worst",
    Obstacle.CHANCE: "only {kept} of windows like the past would keep it",
    Obstacle.PAGES: "it would page {pages} times in 30 days",
    Obstacle.TRAFFIC: "its budget is {budget} bad events, so single ones decide",
}
_CERTAINTIES: Final = {
    Certainty.GOOD: "good: {windows} windows of history",
    Certainty.FAIR: "fair: {windows} of history",
    Certainty.WEAK: "weak: only {windows} of history",
}


def plural(number: int, noun: str) -> str:
    """`1 page`, `2 pages`, `no pages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"


def sent(outcome: Outcome) -> str:
    """`2 pages and 1 ticket`."""
    pages, tickets = len(outcome.told(Urgency.PAGE)), len(outcome.told(Urgency.TICKET))
    return f"{plural(pages, 'page')} and {plural(tickets, 'ticket')}"


def ratio(objective: Decimal) -> str:
    """An objective digit for digit: `99.95 %`."""
    return wording.exact_percent(objective)


def definition(slo: SLO) -> str:
    """`99.9 % over 30 days`, with what is unusual about its alerts."""
    window = f"{wording.window(slo.window.length)} window"
    if isinstance(slo.window, CalendarWindow):
        window = f"calendar window of {slo.window.count} {slo.window.unit.value}{'' if slo.window.count == 1 else 's'}"
    method = " with alerts by burn rate alone" if slo.alerting.method is AlertMethod.BURN_RATE else ""
    return f"{wording.exact_percent(slo.objective)} over a {window}{method}"


def told(notification: Notification) -> str:
    """What one alert would have said: `19 min after the burn began; 2.1 % of the budget gone in 1 h, 96.7 % left`."""
    longest = spent_in(notification)
    after = notification.after
    late = f"{wording.duration(after)} after the burn began; " if after is not None else ""
    return (
        f"{late}{wording.percent(notification.spent)} of the budget gone in {longest}, "
        f"{wording.percent(notification.remaining)} left, burning at {wording.times(notification.burn_rate)}"
    )


def spent_in(notification: Notification) -> str:
    """The longest window in which its tier counts what was spent: `1h`."""
    return duration(max(notification.tier.spent_within, default=notification.tier.long))


def lasted(notification: Notification) -> str:
    """`26 min`, or `26 min so far`."""
    length = wording.duration(notification.end - notification.start)
    return f"{length} so far" if notification.still_firing else length


def budget(outcome: Outcome) -> str:
    """Where the budget stands, and its lowest."""
    if outcome.lowest is None:
        return "Nothing was measured in this time."
    ratio = outcome.error_ratio
    bad = f"{wording.count(outcome.bad)} of {wording.count(outcome.every)} events were bad ({wording.percent(ratio)}). "
    low = outcome.lowest
    return (
        f"{bad}Budget left: {wording.percent(outcome.remaining)} at the end, "
        f"{wording.percent(low.remaining)} at the least ({wording.utc(low.at)})."
    )


def coverage(outcome: Outcome) -> str:
    """What was not measured; empty when all of it was."""
    if outcome.coverage >= _WHOLE:
        return ""
    return f"Only {wording.percent(outcome.coverage)} of the time was measured; the rest is missing, not good."


def gaps(outcome: Outcome) -> str:
    """Alerts about missing data; empty without any."""
    alerts = [gap for gap in outcome.gaps if gap.urgency is not None]
    if not alerts:
        return ""
    longest = max(gap.end - gap.start for gap in alerts)
    kind = "page" if alerts[0].urgency is Urgency.PAGE else "ticket"
    return f"{plural(len(alerts), kind)} about missing data, the longest gap {wording.duration(longest)}."


def muted(outcome: Outcome) -> str:
    """Tickets that pages kept quiet; empty without any."""
    return f"Pages muted {plural(outcome.muted, 'ticket')} of this SLO." if outcome.muted else ""


def compared(proposed: Outcome, current: Outcome) -> str:
    """What changes against the rules that are live, or other files: both in numbers."""
    if current.slo == proposed.slo:
        return f"Unchanged: {sent(current)}."
    return f"Before: {definition(current.slo)}, with {sent(current)}. Proposed: {sent(proposed)}."


def suggestion(found: Suggestion, slo: SLO) -> str:
    """Which objective fits, why not a finer one, and how sure that is."""
    sure = f"How sure: {certainty(found)}."
    best = found.trial(found.objective)
    beyond = found.trials[-1]
    if best is None:
        return f"No objective fits: at {wording.exact_percent(beyond.objective)} {obstacles(beyond)}. {sure}"
    as_is = " (as it is)" if best.objective == slo.objective else ""
    least = f"left {wording.percent(best.worst)} of the budget at the worst, " if best.worst is not None else ""
    why_not = f" Not {wording.exact_percent(beyond.objective)}: {obstacles(beyond)}." if beyond.obstacles else ""
    return (
        f"Suggested: {wording.exact_percent(best.objective)}{as_is}. It would have {least}"
        f"{_pages(best)} in 30 days, and {wording.percent(best.kept)} of windows like the past keep it."
        f"{why_not} {sure}"
    )


def obstacles(trial: Trial) -> str:
    """Why an objective is not suggested."""
    facts = {
        "worst": wording.percent(trial.worst),
        "kept": wording.percent(trial.kept),
        "pages": wording.significant(trial.pages),
        "budget": wording.count(trial.budget_events),
    }
    return ", and ".join(_OBSTACLES[obstacle].format(**facts) for obstacle in trial.obstacles)


def certainty(found: Suggestion) -> str:
    """`fair: 1 window of history`."""
    windows = wording.significant(found.windows, 2)
    many = windows if found.certainty is Certainty.GOOD else f"{windows} window{'' if windows == '1' else 's'}"
    return _CERTAINTIES[found.certainty].format(windows=many)


def score(of: Score, noun: str) -> str:
    """`3 of 4 pages told of an incident (precision 75 %); 3 of 3 incidents were paged (recall 100 %)`."""
    precision = f"{of.right} of {plural(of.sent, noun)} told of an incident (precision {wording.percent(of.precision)})"
    recall = f"{of.found} of {plural(of.incidents, 'incident')} found (recall {wording.percent(of.recall)})"
    return "; ".join(
        (precision if of.sent else f"no {noun}s were sent", recall if of.incidents else "no incidents ask for it")
    )


def incident(found: ToldIncident) -> str:
    """How an incident was told."""
    if found.by is None or found.after is None:
        return "nobody was told"
    late = found.after if found.after >= timedelta(0) else -found.after
    when = f"{wording.duration(late)} {'after' if found.after >= timedelta(0) else 'before'} it began"
    return f"{found.by.value} of {found.slo}, {when}"


METHOD: Final = (
    f"A suggested objective is the finest round one that kept at least {wording.percent(KEPT_WITH)} of its budget in "
    f"every window that ended in the time replayed, that {wording.percent(OFTEN_ENOUGH)} of 2,000 windows put together "
    "at random from days of that time would keep, that paged no more often than asked for, and whose budget is ten "
    "times the fewest bad events that anybody is told of, so that single errors decide nothing."
)


def _pages(trial: Trial) -> str:
    pages = wording.significant(trial.pages)
    return {"0": "paged nobody", "1": "paged once"}.get(pages, f"paged {pages} times")
