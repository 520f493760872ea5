"""What alerts about budgets say: templates that Prometheus fills in when they fire (LOOK.md, "Words")."""

import json
from datetime import timedelta
from decimal import Decimal
from shlex import quote
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import ROLLING, ROLLING_OVERLAP, number
from controlplane.model.rule import Labels
from controlplane.model.slo import CalendarUnit, CalendarWindow
from controlplane.wording import duration, exact_percent, money
from controlplane.wording import window as window_in_words
from finops.budgets.subject import Subject

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_TOLD_BY: Final = ("service", "model", "tenant", "connector")
_HOUR: Final = timedelta(hours=1)
_NOON_OF_SECOND_DAY: Final = 129_600  # seconds after a month's begin in any time zone: within that month in UTC, too


def burn_annotations(subject: Subject) -> Labels:
    """Of money that goes too fast."""
    hour = _last_hour(subject)
    spent = _percent(f"({hour}) / {number(subject.budget.amount)}")
    left = f"{number(subject.budget.amount)} - {subject.late(names.BUDGET_SPENT)}"
    gone = _looked_up(f"3600 * clamp_min({left}, 0) / (({hour}) > 0)", "humanizeDuration")
    description = (
        f"{who(subject)} spent {spent} of {_budget(subject)} in the last hour. At this rate it is gone in {gone}."
    )
    return _annotations(subject, f"{who(subject)}: money goes {_value('%.3g')} times as fast as planned", description)


def spent_annotations(subject: Subject, threshold: Decimal) -> Labels:
    """Of a share of the amount that was spent."""
    pace, spent = _percent(subject.late(names.BUDGET_PACE_RATIO)), _percent(subject.late(names.BUDGET_SPENT_RATIO))
    day = _last_hours(subject, timedelta(days=1))
    left = f"{number(subject.budget.amount)} - {subject.late(names.BUDGET_SPENT)}"
    gone = _looked_up(f"86400 * clamp_min({left}, 0) / ({day} > 0)", "humanizeDuration")
    of = _budget(subject)
    summary = f"{who(subject)} spent {exact_percent(threshold)} of {of}"
    description = f"{who(subject)} spent {spent} of {of}; planned by now were {pace}."
    if threshold >= 1:
        summary = f"{who(subject)} spent all of {of}"
    else:
        description += f" At the rate of the last day the rest is gone in {gone}."
    return _annotations(subject, summary, description)


def forecast_annotations(subject: Subject, threshold: Decimal) -> Labels:
    """Of a share that is going to be spent, by the forecast or, where there is none, by straight pacing."""
    low, high = (
        _percent(
            f'{names.BUDGET_FORECAST}{{{subject.matcher},{names.FORECAST_BOUND}="{bound}"}}'
            f" / {number(subject.budget.amount)}"
        )
        for bound in ("low", "high")
    )
    summary = f"{who(subject)} is going to spend {exact_percent(threshold)} of {_budget(subject)}"
    description = (
        f"{who(subject)} is going to spend {_percent(subject.late(names.BUDGET_FORECAST_RATIO))} of"
        f" {_budget(subject)}. "
        f'{{{{ if eq $labels.{names.BASIS} "forecast" }}}}The forecast\'s 80 % interval is {low} to {high}.'
        "{{ else }}There is no forecast, or it is stale: this is what was spent, divided by what should have been."
        "{{ end }}"
    )
    return _annotations(subject, summary, description)


def spike_annotations(subject: Subject) -> Labels:
    """Of an hour that is out of all proportion."""
    spike = subject.budget.spike
    assert spike is not None
    spent = _looked_up(_last_hour(subject), 'printf "%.2f"')
    description = (
        f"{who(subject)} spent {spent} {subject.budget.currency} in the last hour, {_value('%.3g')} times what such an"
        f" hour usually costs (told from {number(spike.factor)} times and"
        f" {money(spike.floor_per_hour, subject.budget.currency)} on)."
    )
    return _annotations(subject, f"{who(subject)}: spend is {_value('%.3g')} times as high as usual", description)


def stale_annotations(subject: Subject) -> Labels:
    """Of spend that is absent."""
    after = duration(subject.budget.stale_after)
    any_spend = f'{names.SPEND_ROLLING}{{{names.CURRENCY}="{subject.budget.currency}"}}'
    asked = f"query {_go_string(f'count({any_spend})')}"
    description = (
        f"{{{{ with {asked} }}}}Other spend is measured: either nothing fits the budget's scope any more, or the"
        " exporter or metrics of what it pays for are silent. Where no spend is usual, write absent: zero."
        "{{ else }}No spend at all is measured: look at the cost exporter and at the rules of the PriceMap.{{ end }}"
        " Until it is back the budget stands still."
    )
    return _annotations(subject, f"{who(subject)}: no cost data for {after}", description, told_by=False)


def other_currency_annotations(subject: Subject) -> Labels:
    """Of spend that fits the scope, but is in another currency."""
    currency = f"{{{{ $labels.{names.CURRENCY} }}}}"
    summary = f"{who(subject)}: spend in {currency} fits its scope and is not counted"
    description = (
        f"The budget counts {subject.budget.currency} only, and currencies are never added."
        f" Write another budget for {currency}, or value that spend in {subject.budget.currency}."
    )
    return _annotations(subject, summary, description, told_by=False)


def stale_forecast_annotations(subject: Subject) -> Labels:
    """Of a forecast that is not made any more."""
    summary = f"{who(subject)}: the forecast is stale"
    description = "It was last made {{ $value | humanizeDuration }} ago, so it is ignored: straight pacing stands in."
    return _annotations(subject, summary, description, told_by=False)


def who(subject: Subject) -> str:
    """What people call the budget."""
    return literal(subject.budget.display_name or subject.budget.name)


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')


def worst(subject: Subject) -> str:
    """A template that lists what cost most in the last hour."""
    by = ", ".join(_TOLD_BY)
    spent = f"sum by ({by}) (sum_over_time({subject.spend(names.SPEND_ROLLING)}[1h])) / {ROLLING_OVERLAP}"
    listed = (
        '{{ range $k, $v := .Labels }}{{ $k }}={{ $v }} {{ end }}{{ .Value | printf "%.2f" }} '
        f"{subject.budget.currency}; "
    )
    return f"{{{{ range query {_go_string(f'topk(3, {spent} > 0)')} }}}}{listed}{{{{ end }}}}"


def _annotations(subject: Subject, summary: str, description: str, *, told_by: bool = True) -> Labels:
    budget = subject.budget
    url = f"{subject.external_url.rstrip('/')}/money/{budget.name}" if subject.external_url else ""
    found = {
        names.SUMMARY: summary,
        names.DESCRIPTION: description,
        names.WORST: worst(subject) if told_by else "",
        names.EXPLAIN: _command(subject) if told_by else "",
        names.RUNBOOK_URL: literal(budget.runbook_url),
        names.DASHBOARD_URL: literal(url),
    }
    return tuple((key, value) for key, value in found.items() if value)


def _command(subject: Subject) -> str:
    """The command that explains the change since yesterday, of the spend that the budget counts."""
    since, until = (
        f"{{{{ with query `vector(time() {shift} 86400)` }}}}{{{{ . | first | value | humanizeTimestamp"
        ' | reReplaceAll " .*" "" }}{{ end }}'
        for shift in "-+"
    )
    scope = (f"{label}={'|'.join(values)}" for label, values in subject.budget.scope)
    where = "".join(f" --where {literal(quote(each))}" for each in scope)
    return f"flyball cost explain --from {since} --to {until}{where}"


def _budget(subject: Subject) -> str:
    """`its November budget of 5,000 USD`."""
    budget, window = subject.budget, subject.budget.window
    amount = money(budget.amount, budget.currency)
    if not isinstance(window, CalendarWindow):
        return f"its {window_in_words(window.length)} budget of {amount}"
    if window.unit is CalendarUnit.MONTH and window.count == 1 and "-01T" in window.start:
        return f"its {_month(subject)} budget of {amount}"
    return f"this {window.unit.value}'s budget of {amount}"


def _month(subject: Subject) -> str:
    """A template that names the month of the window."""
    query = f"month({subject.late(names.BUDGET_START)} + {_NOON_OF_SECOND_DAY})"
    chain = "".join(
        f"{{{{ {'if' if place == 1 else 'else if'} eq . {place}.0 }}}}{name}" for place, name in enumerate(_MONTHS, 1)
    )
    named = f"{{{{ with . | first | value }}}}{chain}{{{{ end }}}}{{{{ end }}}}"
    return f"{{{{ with query {_go_string(query)} }}}}{named}{{{{ else }}}}monthly{{{{ end }}}}"


def _last_hour(subject: Subject) -> str:
    """Money of the last hour, or of the last 5 minutes where that is more: those are in full in it only later."""
    hour, minutes = _last_hours(subject, _HOUR), subject.series(names.BUDGET_ROLLING)
    return f"{hour} > {minutes} or {minutes} or {hour}"


def _last_hours(subject: Subject, length: timedelta) -> str:
    return subject.spent_in(length if length in subject.lengths else ROLLING)


def _value(form: str) -> str:
    return f'{{{{ $value | printf "{form}" }}}}'


def _percent(query: str) -> str:
    """A share as people write it: `18 %`."""
    return _looked_up(f"100 * {query}", 'printf "%.3g %%"')


def _looked_up(query: str, shown_as: str) -> str:
    """A template action that runs a query and shows its first value, or `?`."""
    asked = f"query {_go_string(query)}"
    return f"{{{{ with {asked} }}}}{{{{ . | first | value | {shown_as} }}}}{{{{ else }}}}?{{{{ end }}}}"


def _go_string(text: str) -> str:
    """A string literal of Go's templates, raw where possible."""
    return json.dumps(text, ensure_ascii=False) if "`" in text else f"`{text}`"
