"""What an alert says: templates that Prometheus fills in when it fires."""

import json
from collections.abc import Iterator
from typing import Final

from controlplane import conventions as names
from controlplane.model.alerting import Urgency
from controlplane.model.rule import Labels
from controlplane.model.slo import CalendarWindow
from controlplane.wording import duration as duration_in_words
from controlplane.wording import window as window_in_words
from slo.alert_templates import literal, usable
from slo.indicators.indicator import bad_events_by, worst_contributors
from slo.passes.budget import WORST_QUERY
from slo.passes.subject import Subject

_LISTED: Final = '{{ range $k, $v := .Labels }}{{ $k }}={{ $v }} {{ end }}{{ .Value | printf "%.0f" }}; {{ end }}'


def burn_annotations(subject: Subject, urgency: Urgency) -> Labels:
    """What an alert about a burning budget says; what its user wrote replaces ours of the same name."""
    whose = f"{_name(subject)}{_group(subject)}"
    summary = f'{whose}: the error budget burns {{{{ $value | printf "%.1f" }}}} times too fast'
    ours = {
        names.SUMMARY: summary,
        names.DESCRIPTION: _description(subject),
        names.WORST: _worst(subject),
        names.EXPLAIN: _command(subject),
        **dict(_links(subject)),
    }
    theirs = {key: usable(value) for key, value in subject.alerting.text(urgency).annotations}
    return tuple((key, value) for key, value in (ours | theirs).items() if value)


def no_data_annotations(subject: Subject) -> Labels:
    """What is said where nothing is measured at all."""
    policy = subject.slos[0].policy
    after = duration_in_words(policy.absent_after).replace(" min", " minutes")
    idle = f", and its service is not up ({literal(policy.up)})" if policy.up else ""
    summary = f"{_name(subject)}: no measurement for {after}; the budget stands still{idle}"
    ours = {names.SUMMARY: summary, names.EXPLAIN: _command(subject, of_group=False), **dict(_links(subject))}
    theirs = {key: usable(value) for key, value in subject.alerting.absence.annotations}
    return tuple((key, value) for key, value in (ours | theirs).items() if value)


def vanished_annotations(subject: Subject) -> Labels:
    """What is said of one value of the grouping labels that is not measured any more, while others are."""
    group = ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in subject.only.groups)
    summary = f"{_name(subject)}: {group} is not measured any more, others are; its budget stands still"
    return ((names.SUMMARY, summary), (names.EXPLAIN, _command(subject)), *_links(subject))


def _description(subject: Subject) -> str:
    remaining = _asked(names.BUDGET_REMAINING)
    spent = f"({_spent_in_an_hour()}) / {_asked(names.BUDGET_EVENTS)}"
    gone = f"clamp_min({remaining}, 0) * 3600 / ({spent} > 0)"
    return (
        f"Spent in the last hour: {_looked_up(subject, spent, 'humanizePercentage')} of {_budget(subject)}."
        f" Left: {_looked_up(subject, remaining, 'humanizePercentage')}"
        f" (from {_looked_up(subject, _asked(names.WINDOW_COVERAGE), 'humanizePercentage')} of the window)."
        f" At the rate of the last hour it is gone in {_looked_up(subject, gone, 'humanizeDuration')}."
    )


def _budget(subject: Subject) -> str:
    window = subject.slos[0].window
    if isinstance(window, CalendarWindow) and window.count == 1:
        return f"this {window.unit.value}'s budget"
    return f"the {window_in_words(window.length)} budget"


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
    asked = _query(subject, query)
    return f"{{{{ with {asked} }}}}{{{{ . | first | value | {shown_as} }}}}{{{{ else }}}}?{{{{ end }}}}"


def _query(subject: Subject, pattern: str) -> str:
    """The template's `query` of a pattern, with what the alert's own labels say for MATCHER."""
    labels = (names.SLO,) if subject.shared else subject.only.groups
    chosen = [f"{label}=%[{index}]q" for index, label in enumerate(labels, 1)]
    own = [] if subject.shared else [subject.matcher]
    text = pattern.replace("MATCHER", ",".join((*own, *chosen)))
    if not chosen:
        return f"query {_go_string(text)}"
    return f"query (printf {_go_string(text)} {' '.join(f'$labels.{label}' for label in labels)})"


def _worst(subject: Subject) -> str:
    """A template that lists the three worst contributors of the last hour; empty where nothing tells them."""
    if subject.shared:
        asked = f"{{{{ with . | first | label `{WORST_QUERY}` }}}}{{{{ range query . }}}}{_LISTED}{{{{ end }}}}"
        return _in_context(asked)
    if not subject.only.groups:
        query = worst_contributors(subject.only)
        return f"{{{{ range query {_go_string(query)} }}}}{_LISTED}" if query else ""
    events = bad_events_by(subject.only).replace("%", "%%")
    if not events:
        return ""
    groups = ", ".join(subject.only.groups)
    own = f'{names.ROLLING_EVENTS}{{MATCHER,{names.EVENT}="{names.EVENT_ALL}"}}'
    return f"{{{{ range {_query(subject, f'topk(3, ({events}) and on ({groups}) {own})')} }}}}{_LISTED}"


def _command(subject: Subject, of_group: bool = True) -> str:
    groups = "" if subject.shared or not of_group else "".join(_chosen(label) for label in subject.only.groups)
    return f"flyball slo explain {_name(subject)}{groups}"


def _chosen(label: str) -> str:
    return f" --group {label}={{{{ $labels.{label} }}}}"


def _in_context(inner: str) -> str:
    """A template evaluated with the SLO's alert context, empty when that is missing."""
    pattern = f"last_over_time({names.ALERT_CONTEXT}{{{names.SLO}=%q}}[15m])"
    return f"{{{{ with query (printf `{pattern}` $labels.{names.SLO}) }}}}{inner}{{{{ end }}}}"


def _links(subject: Subject) -> Iterator[tuple[str, str]]:
    for name, link_of in ((names.RUNBOOK_URL, subject.links.runbook), (names.DASHBOARD_URL, subject.links.dashboard)):
        addresses = [link_of(slo) for slo in subject.slos]
        if any(addresses):
            shared = _in_context(f"{{{{ . | first | label `{name}` }}}}")
            yield name, shared if subject.shared else literal(addresses[0])


def _name(subject: Subject) -> str:
    return f"{{{{ $labels.{names.SLO} }}}}" if subject.shared else subject.only.name


def _group(subject: Subject) -> str:
    """Whose budget it is, of an SLO with groups: ` tenant=acme`, as `flyball slo explain` begins."""
    groups = () if subject.shared else subject.only.groups
    listed = ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in groups)
    return f" {listed}" if listed else ""


def _go_string(text: str) -> str:
    """A string literal of Go's templates, raw where possible."""
    return json.dumps(text, ensure_ascii=False) if "`" in text else f"`{text}`"
