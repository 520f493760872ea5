"""Why one alert did, or did not, reach people: the decision made again by the same tree, windows and inhibitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.model import AlertsDeclared
from alerts.ports import HeldAlert
from alerts.routing.inhibiting import Inhibitor, inhibitions_of, inhibitor_of
from alerts.routing.model import RECORD_ROUTE, WATCHDOG_ROUTE, Routed
from alerts.routing.router import Router, passed_over
from controlplane.model.alert import Alert, StoredAlert
from controlplane.model.incident import AlertReceipt
from controlplane.model.inhibition import Inhibition

_ALERTNAME: Final = "alertname"


@dataclass(frozen=True, slots=True)
class Decision:
    """What routes say of an alert with these labels at a time. `passed` says why earlier routes did not take it.

    `inhibitor` is the alert by which our rules keep it quiet then, in words; empty when none does.
    """

    routed: tuple[Routed, ...]
    passed: tuple[str, ...]
    inhibitor: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is told of it then."""
        return bool(self.inhibitor) or all(each.is_muted or each.tells_nobody for each in self.routed)

    @property
    def quiet_because(self) -> str:
        """Why not, in words; empty when somebody is."""
        if self.inhibitor:
            return f"inhibited by {self.inhibitor}"
        if not self.routed:
            return "no Route is declared: it is shown on the console only"
        if not self.is_quiet:
            return ""
        if all(each.route == WATCHDOG_ROUTE for each in self.routed):
            return "it is the Watchdog, which tells nobody"
        if all(each.tells_nobody for each in self.routed):
            return f"route {RECORD_ROUTE}: alerts of severity info tell nobody"
        return f"muted by {next(each.muted_by for each in self.routed if each.is_muted)}"


@dataclass(frozen=True, slots=True)
class Decider:
    """By what is declared. `further` are the inhibitions of SLOs and money."""

    declared: AlertsDeclared
    further: tuple[Inhibition, ...] = ()

    def decide(self, labels: Mapping[str, str], at: datetime, firing: Sequence[Mapping[str, str]]) -> Decision:
        """`firing`: labels of the alerts that fire at that time."""
        root = self.declared.root
        if root is None:
            return Decision((), ())
        found = inhibitor_of(labels, firing, inhibitions_of(root, self.further))
        return Decision(
            Router(root, self.declared.windows).routes_of(labels, at),
            tuple(passed_over(root, labels)),
            _inhibitor(found, firing) if found is not None else "",
        )


@dataclass(frozen=True, slots=True)
class ExplainedAlert:
    """An alert with everything that decided about it. `stored` is None for one that never reached us.

    `held` is what Alertmanager says of it now, None when it holds no such alert or nobody asked. `silences` are those
    by which it is silenced there, in words.
    """

    fingerprint: str
    stored: StoredAlert | None
    receipts: tuple[AlertReceipt, ...] = ()
    decision: Decision | None = None
    held: HeldAlert | None = None
    silences: tuple[str, ...] = ()
    inhibitors: tuple[str, ...] = ()
    incident: str = ""

    @property
    def alert(self) -> Alert | None:
        """As it was received last."""
        return self.stored.alert if self.stored else None

    @property
    def labels(self) -> Mapping[str, str]:
        """As we or Alertmanager have them."""
        return self.stored.alert.labels if self.stored else self.held.labels if self.held else {}

    @property
    def kept_quiet_there(self) -> str:
        """Why Alertmanager tells nobody of it now; empty when it does, or is not known to hold it."""
        if self.held is None:
            return ""
        if self.silences or self.held.silenced_by:
            return f"Alertmanager silences it: {'; '.join(self.silences or self.held.silenced_by)}"
        if self.inhibitors or self.held.inhibited_by:
            return f"Alertmanager inhibits it: {'; '.join(self.inhibitors or self.held.inhibited_by)} fires"
        if self.held.muted_by:
            return f"Alertmanager mutes its route during {', '.join(self.held.muted_by)}"
        return ""


def said(labels: Mapping[str, str]) -> str:
    """An alert in a line: its name and its other labels."""
    others = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != _ALERTNAME)
    name = labels.get(_ALERTNAME, "")
    return f"{name}{{{others}}}" if others else name or "{}"


def _inhibitor(found: Inhibitor, firing: Sequence[Mapping[str, str]]) -> str:
    equal = f", equal in {', '.join(found.rule.equal)}" if found.rule.equal else ""
    return f"{said(firing[found.by])} by the rule {' '.join(found.rule.source)} → {' '.join(found.rule.target)}{equal}"
