"""The PromQL that effects are made from."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from controlplane import conventions as names

_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
_INFO_RANGE: Final = "1d"  # an SLO of which Prometheus heard nothing for an hour is still an SLO
_BUDGET_RANGE: Final = "1h"


def slos(services: Iterable[str]) -> str:
    """Which SLOs belong to these services: labels slo, service, window."""
    known = f"last_over_time({names.SLO_INFO}{_any(names.SERVICE, services)}[{_INFO_RANGE}])"
    return f"max by ({names.SLO}, {names.SERVICE}, window) ({known})"


def events(chosen: Iterable[str]) -> str:
    """All and bad events of five minutes, of all groups of an SLO together."""
    return f"sum by ({names.SLO}, {names.EVENT}) ({names.LEDGER_EVENTS}{_any(names.SLO, chosen)})"


def written_at(metric: str, label: str, chosen: Iterable[str]) -> str:
    """When the newest entry of each was written, in Unix seconds: the moment of five minutes at which all are."""
    return f"max by ({label}) (timestamp({metric}{_any(label, chosen)}))"


def budgets(chosen: Iterable[str]) -> str:
    """Bad events that the period of each SLO allows."""
    known = f"last_over_time({names.BUDGET_EVENTS}{_any(names.SLO, chosen)}[{_BUDGET_RANGE}])"
    return f"sum by ({names.SLO}) ({known})"


def excluded(chosen: Iterable[str]) -> str:
    """Exclusions while they are in force: labels slo, exclusion."""
    return f"max by ({names.SLO}, {names.EXCLUSION}) ({names.EXCLUDED}{_any(names.SLO, chosen)}) > 0"


def money(unit_cost: str, labels: Mapping[str, str]) -> str:
    """What was spent in five minutes, of all groups of a unit cost together."""
    return f"sum ({names.UNIT_COST_SPEND_LEDGER}{_all({names.UNIT_COST: unit_cost, **labels})})"


def units(unit_cost: str, labels: Mapping[str, str]) -> str:
    """What was counted in the same five minutes."""
    return f"sum ({names.UNIT_COST_UNITS_LEDGER}{_all({names.UNIT_COST: unit_cost, **labels})})"


def _any(label: str, values: Iterable[str]) -> str:
    escaped = "|".join(_SPECIAL.sub(lambda found: "\\" + found.group(), each) for each in sorted(values))
    return f"{{{label}=~{_quoted(escaped)}}}"


def _all(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in sorted(labels.items())) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
