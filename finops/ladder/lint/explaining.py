"""Alerts that a tier explains: those that it does cause, and never our own."""

import re
from typing import Final

from controlplane import conventions as names
from finops.ladder.lint.examined import Examined, at_tier
from finops.ladder.model import Explained

RULE: Final = "ladder-explains"
_ALERTNAME: Final = "alertname"
OWN: Final = tuple(
    value for name, value in sorted(vars(names).items()) if name.startswith("ALERT_LADDER_") or name == "ALERT_REDUCED"
)


def check(it: Examined) -> None:
    """What is explained is not told: so it must be narrow."""
    for tier in it.ladder.tiers:
        for number, explained in enumerate(tier.explains):
            at = (*at_tier(tier.number), "explains", number)
            hidden = next((alert for alert in OWN if _names(explained, alert)), None)
            if not any(_label(matcher) == _ALERTNAME for matcher in explained.matchers):
                message = "explains every alert with these labels, whatever it is about"
                it.report.warning(*at, message=message, hint="add `alertname`", rule=RULE)
            elif hidden is not None:
                message = f"would silence `{hidden}`, which tells of the ladder itself"
                it.report.error(*at, _ALERTNAME, message=message, hint="name only alerts that it causes", rule=RULE)


def _label(matcher: str) -> str:
    return matcher.partition("=")[0]


def _names(explained: Explained, alert: str) -> bool:
    """Whether its matchers for the alert's name fit."""
    for matcher in explained.matchers:
        label, _, value = matcher.partition("=")
        if label != _ALERTNAME:
            continue
        if not value.startswith("~"):
            return value == alert
        try:
            return re.fullmatch(value[1:], alert) is not None
        except re.error:  # what RE2 takes and Python does not
            return False
    return False
