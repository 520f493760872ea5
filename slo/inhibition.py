"""One incident, one notification: the rules by which Alertmanager mutes tickets while a page of the same budget fires.

Alertmanager takes two missing labels as equal (its documentation, "inhibit_rule"), so one list of labels does for SLOs
with and without groups.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from controlplane import conventions as names
from controlplane.model.alerting import AlertText, Urgency
from controlplane.model.inhibition import Inhibition
from controlplane.model.slo import SLO
from controlplane.rulefile import scalar
from slo.passes.alerts import alert_name, severity

_HEAD: Final = """\
# Tickets are muted while a page of the same budget fires. Alertmanager has no include: append this file to your
# alertmanager.yml, or add its rules to the inhibit_rules there, and group notifications by budget in the route:
#   group_by: [{group_by}]
"""


def group_by(slos: Iterable[SLO]) -> tuple[str, ...]:
    """The labels by which Alertmanager tells one budget from another."""
    return (names.SLO, *sorted({label for slo in slos for label in slo.groups}))


def inhibit_rules(slos: Sequence[SLO], further: Sequence[Inhibition] = ()) -> str:
    """YAML with Alertmanager's `inhibit_rules` for the alerts of these SLOs; the same SLOs give the same bytes.

    `further` are those of alerts about something else; they come last, and group notifications, too.
    """
    groups = dict.fromkeys((*group_by(slos), *(label for each in further for label in each.equal)))
    lines = [_HEAD.format(group_by=", ".join(groups)), "inhibit_rules:"]
    rules = slo_inhibitions(slos)
    for rule in (*rules, *further):
        lines += ["  - source_matchers:", *map(_item, rule.source), "    target_matchers:", *map(_item, rule.target)]
        lines.append(f"    equal: [{', '.join(rule.equal)}]")
    text = "\n".join(lines)
    return f"{text}\n" if rules or further else f"{text} []\n"


def slo_inhibitions(slos: Sequence[SLO]) -> tuple[Inhibition, ...]:
    """Tickets are muted while a page of the same budget fires."""
    equal = group_by(slos)
    return tuple(Inhibition(_matchers(*pages), _matchers(*tickets), equal) for pages, tickets in sorted(_pairs(slos)))


_Kind = tuple[tuple[str, ...], str]  # names of alerts, and their severity


def _pairs(slos: Iterable[SLO]) -> set[tuple[_Kind, _Kind]]:
    found = set()
    for slo in slos:
        alerting = slo.alerting
        gone = alerting.absence.name or names.ALERT_NO_DATA
        page, ticket = (_kind(alerting.text(urgency), urgency, gone) for urgency in (Urgency.PAGE, Urgency.TICKET))
        found.add((page, ticket))
    return found


def _kind(text: AlertText, urgency: Urgency, gone: str) -> _Kind:
    return (alert_name(text), gone), severity(text, urgency)


def _matchers(alerts: Sequence[str], level: str) -> tuple[str, ...]:
    pattern = "|".join(re.escape(name) for name in dict.fromkeys(alerts))
    return f"alertname=~{_quoted(pattern)}", f"{names.SEVERITY}={_quoted(level)}", f'{names.SLO}!=""'


def _item(matcher: str) -> str:
    return f"      - {scalar(matcher)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
