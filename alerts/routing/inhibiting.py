"""Which alerts keep which others quiet: what holds on every platform that Flyball watches, and the rules applied.

Alertmanager takes two missing labels as equal (its documentation, "inhibit_rule"), so each rule of ours asks for the
labels that make two alerts the same matter.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from alerts.routing.matchers import all_match, parse
from alerts.routing.model import EVERY_LABEL, Matcher, Route
from controlplane import check_names, incident_names
from controlplane import conventions as names
from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition

_ALIKE: Final = ("alertname", names.SERVICE, names.BUDGET, "instance", check_names.REGION, "kind", "check")
_SEVERITIES: Final = (
    (f"{names.SEVERITY_PAGE}|critical", f"error|{names.SEVERITY_TICKET}|warning|{names.SEVERITY_INFO}"),
    ("error", f"{names.SEVERITY_TICKET}|warning|{names.SEVERITY_INFO}"),
)
_THE_CHECK: Final = ("kind", "check")
_REGION: Final = f'{check_names.REGION}!=""'
_CHECK: Final = 'check!=""'


def inhibitions_of(root: Route, further: Sequence[Inhibition] = ()) -> tuple[Inhibition, ...]:
    """All that go into alertmanager.yml, each once: `further` (SLOs', money's), ours, those of the default Route.

    While a step of a ladder is under way, what its tiers explain is quiet already.
    """
    ours = (*_between_severities(root), *_between_priorities(root), *_regions(), *_checks())
    return tuple(dict.fromkeys((*further, *_downshifts(further), *ours, *root.inhibitions)))


def _between_severities(root: Route) -> Iterable[Inhibition]:
    """One matter, one page. SLOs have rules of their own, which know by what else they are grouped."""
    for source, target in _SEVERITIES:
        yield Inhibition(
            (f'{names.SERVICE}!=""', f'{names.SLO}=""', _any_of(names.SEVERITY, source)),
            (f'{names.SERVICE}!=""', f'{names.SLO}=""', _any_of(names.SEVERITY, target)),
            _equal(root),
        )


def _between_priorities(root: Route) -> Iterable[Inhibition]:
    """The same for those who label alerts with P0 … P4."""
    ranked = [each.value for each in Priority]
    for number, source in enumerate(ranked[:-1]):
        yield Inhibition(
            (f'{names.SERVICE}!=""', f'{names.SLO}=""', f'{incident_names.PRIORITY}="{source}"'),
            (f'{names.SLO}=""', _any_of(incident_names.PRIORITY, "|".join(ranked[number + 1 :]))),
            _equal(root),
        )


def _regions() -> Iterable[Inhibition]:
    """A region that is down, or not heard: what is said of it follows."""
    region = (check_names.REGION,)
    less = _any_of(names.SEVERITY, _SEVERITIES[0][1])
    yield Inhibition((_alert(incident_names.ALERT_REGION_DOWN), _REGION), (less, _REGION), region)
    follows = (check_names.ALERT_CHECK_REGIONAL, check_names.ALERT_CHECK_STALE)
    silent, fault = check_names.ALERT_REGION_SILENT, check_names.ALERT_PROBER_FAULT
    yield Inhibition((_alert(silent), _REGION), (_alert(*follows, fault), _REGION), region)
    yield Inhibition((_alert(fault), _REGION), (_alert(*follows), _REGION), region)


def _checks() -> Iterable[Inhibition]:
    """A check that fails everywhere fails in each region, too."""
    regional, flapping = check_names.ALERT_CHECK_REGIONAL, check_names.ALERT_CHECK_FLAPPING
    yield Inhibition((_alert(check_names.ALERT_CHECK_DOWN), _CHECK), (_alert(regional, flapping), _CHECK), _THE_CHECK)
    yield Inhibition((_alert(regional), _CHECK), (_alert(flapping), _CHECK), _THE_CHECK)


def _downshifts(further: Iterable[Inhibition]) -> Iterable[Inhibition]:
    """What a tier explains while it is in force is explained as well while the ladder is on its way."""
    in_force = f'alertname="{names.ALERT_REDUCED}"'
    on_the_way = f'alertname="{incident_names.ALERT_DOWNSHIFT}"'
    for each in further:
        ladder = [matcher for matcher in each.source if matcher.startswith(f"{names.LADDER}=")]
        if in_force in each.source and ladder:
            yield Inhibition((on_the_way, *ladder), each.target, each.equal)


def _equal(root: Route) -> tuple[str, ...]:
    grouped = [label for label in root.group_by or () if label != EVERY_LABEL]
    return tuple(dict.fromkeys((*_ALIKE, *grouped)))


def _alert(*alerts: str) -> str:
    return f'alertname="{alerts[0]}"' if len(alerts) == 1 else _any_of("alertname", "|".join(map(re.escape, alerts)))


def _any_of(label: str, expression: str) -> str:
    return f"{label}=~{json.dumps(expression)}" if "|" in expression else f"{label}={json.dumps(expression)}"


@dataclass(frozen=True, slots=True)
class Inhibitor:
    """The alert `by` (its place among those that fire) keeps an alert quiet by a rule."""

    rule: Inhibition
    by: int


def inhibitor_of(
    labels: Mapping[str, str], firing: Sequence[Mapping[str, str]], rules: Iterable[Inhibition]
) -> Inhibitor | None:
    """By which of the alerts that fire (`firing`: their labels) an alert is muted; None: by none.

    As Alertmanager decides it: an alert that is a source and a target of a rule mutes no other such alert by it.
    """
    for rule in rules:
        source, target = _parsed(rule.source), _parsed(rule.target)
        if not all_match(target, labels):
            continue
        is_both = all_match(source, labels)
        for number, other in enumerate(firing):
            if not all_match(source, other) or (is_both and all_match(target, other)):
                continue
            if all(labels.get(label, "") == other.get(label, "") for label in rule.equal):
                return Inhibitor(rule, number)
    return None


@lru_cache(maxsize=2000)
def _parsed(matchers: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(map(parse, matchers))
