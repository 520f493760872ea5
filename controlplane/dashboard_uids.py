"""Where Grafana keeps our dashboards: uids, the same in every run."""

import hashlib
import re
from typing import Final

OVERVIEW: Final = "flyball-slos"
MONEY: Final = "flyball-money"
SYNTHETICS: Final = "flyball-synthetics"
DELIVERY: Final = "flyball-delivery"
LADDER: Final = "flyball-ladder"
INCIDENTS: Final = "flyball-incidents"
ANOMALIES: Final = "flyball-anomalies"
UNIT_COSTS: Final = "flyball-unit-costs"
ANY_BUDGET: Final = "flyball-budget"  # of whichever budget the reader picks, where there are many
_UID_LENGTH: Final = 40  # Grafana's limit


def slo_uid(slo: str) -> str:
    """The uid of an SLO's dashboard (`/d/UID`): at most 40 of `a-z0-9_-`, the same in every run, unique per name.

    Short plain names are readable (`slo-checkout`); any other is shortened and carries a digest behind a `_`, which
    plain names cannot have. Lower case throughout, since some of Grafana's databases do not tell cases apart.
    """
    return _uid("slo", slo)


def budget_uid(budget: str) -> str:
    """The uid of a budget's dashboard, by the same rules: `budget-infrastructure`."""
    return _uid("budget", budget)


def _uid(kind: str, name: str) -> str:
    if re.fullmatch(r"[a-z0-9-]+", name) and len(name) < _UID_LENGTH - len(kind):
        return f"{kind}-{name}"
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[: 22 - len(kind)]
    return f"{kind}-{readable}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def shared_uid(window: str) -> str:
    """The uid of the dashboard that all SLOs with a window such as `30d` share; of the calendar, in lower case."""
    return f"flyball-slo-calendar-{window.lower()}" if window[-1:].isupper() else f"flyball-slo-{window}"
