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


def inhibit_rules(slos: Sequence[SLO]) -> str:
    """YAML with Alertmanager's `inhibit_rules` for the alerts of these SLOs; the same SLOs give the same bytes."""
    equal = group_by(slos)
    lines = [_HEAD.format(group_by=", ".join(equal)), "inhibit_rules:"]
    pairs = _pairs(slos)
    for pages, tickets in sorted(pairs):
        lines += ["  - source_matchers:", *_matchers(*pages), "    target_matchers:", *_matchers(*tickets)]
        lines.append(f"    equal: [{', '.join(equal)}]")
    text = "\n".join(lines)
    return f"{text}\n" if pairs else f"{text} []\n"


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


def _matchers(alerts: Sequence[str], level: str) -> list[str]:
    pattern = "|".join(re.escape(name) for name in dict.fromkeys(alerts))
    found = (f"alertname=~{_quoted(pattern)}", f"{names.SEVERITY}={_quoted(level)}", f'{names.SLO}!=""')
    return [f"      - {scalar(matcher)}" for matcher in found]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
