"""Page, ticket and no-data alerts: when, and the words and figures that an on-call person needs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import Tier, Urgency, duration, number
from controlplane.model.rule import AlertingRule, Labels, Rule
from controlplane.wording import window as window_in_words
from slo.indicator import worst_contributors
from slo.passes.budget import WORST_QUERY
from slo.passes.subject import Subject, label_names

# At least 3 bad events before anybody is told. Counts come from rates, so they are not whole: half an event of margin.
_FEWEST_BAD_EVENTS: Final = "2.5"
_NO_DATA_HOLD: Final = timedelta(minutes=15)
_MUTED_BY_PAGE: Final = "1d"


def page(subject: Subject) -> Iterator[Rule]:
    """Wakes somebody: much of the budget is gone and it still burns fast."""
    tiers = subject.tiers_of(Urgency.PAGE)
    if tiers:
        expr = _with_labels(subject, "\nor\n".join(_clauses(subject, tiers)))
        yield AlertingRule(names.ALERT_BURN, expr, _labels(subject, names.SEVERITY_PAGE), _burn_annotations(subject))


def ticket(subject: Subject) -> Iterator[Rule]:
    """For the working day: the budget goes slowly but surely. Muted for a day by a page of the same SLO."""
    tiers = subject.tiers_of(Urgency.TICKET)
    if not tiers:
        return
    condition = _with_labels(subject, "\nor\n".join(_clauses(subject, tiers)))
    own = "" if subject.shared else f"{subject.matcher},"
    pages = (
        f'ALERTS{{alertname="{names.ALERT_BURN}",{own}{names.SEVERITY}="{names.SEVERITY_PAGE}",alertstate="firing"}}'
    )
    muted = f"unless on ({names.SLO}) count_over_time({pages}[{_MUTED_BY_PAGE}])"
    yield AlertingRule(
        names.ALERT_BURN,
        f"({_indented(condition)})\n{muted}",
        _labels(subject, names.SEVERITY_TICKET),
        _burn_annotations(subject),
    )


def no_data(subject: Subject) -> Iterator[Rule]:
    """Missing is not zero: the pair is absent for 15 minutes, so the budget stands still."""
    bad, every = subject.rolling(names.EVENT_BAD), subject.rolling(names.EVENT_ALL)
    pair = f"{bad}\n  and ignoring ({names.EVENT})\n  {every}"
    expr = f"absent(\n  {pair}\n)"
    if subject.shared:
        kept = ", ".join((names.SLO, names.SERVICE, *label_names(subject.slos)))
        expr = f"max by ({kept}) ({subject.derived(names.SLO_INFO)})\nunless on ({names.SLO}) (\n  {pair}\n)"
    name = _name(subject)
    summary = f"{name}: no measurement for 15 minutes; the budget stands still"
    yield AlertingRule(
        names.ALERT_NO_DATA,
        expr,
        _labels(subject, names.SEVERITY_TICKET),
        ((names.SUMMARY, summary), *_links(subject)),
        _NO_DATA_HOLD,
    )


def _clauses(subject: Subject, tiers: tuple[Tier, ...]) -> Iterator[str]:
    budget = subject.derived(names.BUDGET_EVENTS)
    for tier in tiers:
        burning = f"{subject.derived(names.burn_rate(duration(tier.short)))} > {subject.threshold(tier)}"
        for length in tier.spent_within:
            bad = subject.derived(names.bad_events(duration(length)))
            yield f"{burning} and {bad} > clamp_min({number(tier.budget_share)} * {budget}, {_FEWEST_BAD_EVENTS})"


def _with_labels(subject: Subject, condition: str) -> str:
    """Of a shard: the alerts' labels come from `slo:info`, of which one is taken where there are two for a moment."""
    if not subject.shared:
        return condition
    copied = ", ".join((names.SERVICE, *label_names(subject.slos)))
    one_info = f"topk by ({names.SLO}) (1, {subject.derived(names.SLO_INFO)})"
    return f"max by ({names.SLO}) ({_indented(condition)})\n* on ({names.SLO}) group_left ({copied})\n{one_info}"


def _indented(text: str) -> str:
    return "\n  " + text.replace("\n", "\n  ") + "\n"


def _labels(subject: Subject, severity: str) -> Labels:
    if subject.shared:
        return ((names.SEVERITY, severity),)
    slo = subject.only
    theirs = tuple((key, literal(value)) for key, value in slo.labels)
    return ((names.SLO, slo.name), (names.SERVICE, literal(slo.service)), (names.SEVERITY, severity), *theirs)


def _burn_annotations(subject: Subject) -> Labels:
    summary = f'{_name(subject)}: the error budget burns {{{{ $value | printf "%.1f" }}}} times too fast'
    return (
        (names.SUMMARY, summary),
        (names.DESCRIPTION, _description(subject)),
        (names.WORST, _worst(subject)),
        *_links(subject),
    )


def _description(subject: Subject) -> str:
    remaining = _asked(names.BUDGET_REMAINING)
    spent = f"({_spent_in_an_hour()}) / {_asked(names.BUDGET_EVENTS)}"
    gone = f"clamp_min({remaining}, 0) * 3600 / ({spent} > 0)"
    return (
        f"Spent in the last hour: {_looked_up(subject, spent, 'humanizePercentage')}"
        f" of the {window_in_words(subject.period)} budget."
        f" Left: {_looked_up(subject, remaining, 'humanizePercentage')}"
        f" (from {_looked_up(subject, _asked(names.WINDOW_COVERAGE), 'humanizePercentage')} of the window)."
        f" At the rate of the last hour it is gone in {_looked_up(subject, gone, 'humanizeDuration')}."
    )


def _spent_in_an_hour() -> str:
    """Bad events of the last hour, or of the last 5 minutes where those are more.

    The hour is the sum of rolling values, in which an event counts in full only after 5 evaluations: in a page's first
    minutes it would read up to 5 times too low.
    """
    minutes, hour = _asked(names.bad_events("5m")), _asked(names.bad_events("1h"))
    return f"{hour} > {minutes} or {minutes} or {hour}"


def _asked(name: str) -> str:
    """A series in a template's query; MATCHER stands for its selector until it is known in which mode."""
    return f"{name}{{MATCHER}}"


def _looked_up(subject: Subject, query: str, shown_as: str) -> str:
    """A template action that runs a query and shows its first value, or `?`."""
    if subject.shared:
        pattern = query.replace("MATCHER", f"{names.SLO}=%[1]q")
        asked = f"query (printf `{pattern}` $labels.{names.SLO})"
    else:
        asked = f"query `{query.replace('MATCHER', subject.matcher)}`"
    return f"{{{{ with {asked} }}}}{{{{ . | first | value | {shown_as} }}}}{{{{ else }}}}?{{{{ end }}}}"


def _worst(subject: Subject) -> str:
    """A template that lists the three worst contributors of the last hour."""
    listed = '{{ range $k, $v := .Labels }}{{ $k }}={{ $v }} {{ end }}{{ .Value | printf "%.0f" }}; {{ end }}'
    if not subject.shared:
        return f"{{{{ range query {_go_string(worst_contributors(subject.only))} }}}}{listed}"
    return _in_context(subject, f"{{{{ range query (. | first | label `{WORST_QUERY}`) }}}}{listed}")


def _in_context(subject: Subject, inner: str) -> str:
    """A template evaluated with the SLO's alert context, empty when that is missing."""
    del subject
    pattern = f"last_over_time({names.ALERT_CONTEXT}{{{names.SLO}=%q}}[15m])"
    return f"{{{{ with query (printf `{pattern}` $labels.{names.SLO}) }}}}{inner}{{{{ end }}}}"


def _links(subject: Subject) -> Iterator[tuple[str, str]]:
    for name, link_of in ((names.RUNBOOK_URL, subject.links.runbook), (names.DASHBOARD_URL, subject.links.dashboard)):
        addresses = [link_of(slo) for slo in subject.slos]
        if any(addresses):
            shared = _in_context(subject, f"{{{{ . | first | label `{name}` }}}}")
            yield name, shared if subject.shared else literal(addresses[0])


def _name(subject: Subject) -> str:
    return f"{{{{ $labels.{names.SLO} }}}}" if subject.shared else subject.only.name


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')


def _go_string(text: str) -> str:
    """A string literal of Go's templates, raw where possible."""
    return json.dumps(text, ensure_ascii=False) if "`" in text else f"`{text}`"
