"""What a rule set is about: one SLO, or a shard of SLOs that share a window and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from controlplane import conventions as names
from controlplane.burn_rate import Tier, Urgency, number, threshold, tiers_within, window_name
from controlplane.model.alerting import Alerting, AlertMethod
from controlplane.model.rule import Labels
from controlplane.model.slo import SLO


@dataclass(frozen=True, slots=True)
class Links:
    """Where people find help: `external_url` is the console, `runbook_template` may name {service} and {slo}."""

    external_url: str = ""
    runbook_template: str = ""

    def runbook(self, slo: SLO) -> str:
        """The address of the SLO's runbook, empty when nothing is known."""
        if slo.runbook_url:
            return slo.runbook_url
        if self.runbook_template:
            return self.runbook_template.replace("{service}", slo.service).replace("{slo}", slo.name)
        return f"{self.dashboard(slo)}#runbook" if self.external_url else ""

    def dashboard(self, slo: SLO) -> str:
        """The address of the SLO's page, empty when nothing is known."""
        return f"{self.external_url.rstrip('/')}/slos/{slo.name}" if self.external_url else ""


@dataclass(frozen=True)
class Subject:
    """SLOs of one window under one set of rules. `shard` is empty in the plain mode, where there is exactly one SLO.

    Series with a history (rolling and ledger) carry `slo` and `event` only, in both modes, so that a switch between the
    modes or shards keeps the month; what is derived from them carries the shard.
    """

    slos: tuple[SLO, ...]
    links: Links
    shard: str = ""

    @property
    def shared(self) -> bool:
        """Whether several SLOs share the rules."""
        return bool(self.shard)

    @property
    def only(self) -> SLO:
        """The SLO of a plain rule set."""
        (slo,) = self.slos
        return slo

    @property
    def period(self) -> timedelta:
        """The nominal length of the window that all of them have."""
        return self.slos[0].window.length

    @cached_property
    def period_name(self) -> str:
        """The window as in series names: `30d`, of the calendar `1M`."""
        return window_name(self.slos[0].window)

    @property
    def alerting(self) -> Alerting:
        """The alerts that all of them have."""
        return self.slos[0].alerting

    @property
    def method(self) -> AlertMethod:
        """What their alerts ask."""
        return self.alerting.method

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """The alerting tiers that fit into the window."""
        return tiers_within(self.period, self.alerting.tiers)

    @cached_property
    def has_exclusions(self) -> bool:
        """Whether time is excluded from any of them."""
        return any(slo.exclusions for slo in self.slos)

    @cached_property
    def keys(self) -> str:
        """The labels that tell one budget from another, for `on (…)` and `by (…)`: `slo`, or `slo, tenant`."""
        return ", ".join((names.SLO, *self.slos[0].groups))

    def tiers_of(self, urgency: Urgency) -> tuple[Tier, ...]:
        """The tiers of one urgency."""
        return tuple(tier for tier in self.tiers if tier.urgency is urgency)

    def threshold(self, tier: Tier) -> str:
        """A tier's burn rate as PromQL writes it."""
        return number(threshold(tier, self.period))

    @cached_property
    def history(self) -> str:
        """The matcher that selects rolling and ledger series."""
        if not self.shared:
            return f'{names.SLO}="{self.only.name}"'
        return f'{names.SLO}=~"{"|".join(slo.name for slo in self.slos)}"'

    @cached_property
    def matcher(self) -> str:
        """The matcher that selects what is derived from them."""
        return f'{names.SHARD}="{self.shard}"' if self.shared else f'{names.SLO}="{self.only.name}"'

    @cached_property
    def labels(self) -> Labels:
        """The labels of what is derived."""
        return ((names.SHARD, self.shard),) if self.shared else ((names.SLO, self.only.name),)

    def rolling(self, event: str) -> str:
        """The rolling series of all or bad events."""
        return f'{names.ROLLING_EVENTS}{{{self.history},{names.EVENT}="{event}"}}'

    def ledger(self, event: str) -> str:
        """The ledger series of all or bad events."""
        return f'{names.LEDGER_EVENTS}{{{self.history},{names.EVENT}="{event}"}}'

    def derived(self, name: str) -> str:
        """A series that carries no event."""
        return f"{name}{{{self.matcher}}}"

    def total(self, event: str) -> str:
        """The window's total of all or bad events."""
        return f'{names.total_events(self.period_name)}{{{self.matcher},{names.EVENT}="{event}"}}'

    def by_budget_ratio(self, operator: str) -> str:
        """`/ 0.001` or `* 0.001`; of a shard, a join that one duplicate cannot break."""
        if not self.shared:
            return f"{operator} {number(self.only.budget_ratio)}"
        return f"{operator} on ({names.SLO}) group_left () max by ({names.SLO}) ({self.derived(names.BUDGET_RATIO)})"


def label_names(slos: tuple[SLO, ...]) -> tuple[str, ...]:
    """The names of the labels that users gave to any of the SLOs, sorted."""
    found: Mapping[str, None] = dict.fromkeys(name for slo in slos for name, _ in slo.labels)
    return tuple(sorted(found))
