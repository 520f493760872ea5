"""A delivery policy: names, teams, and the rules by which deliveries are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class EffectTerms:
    """How the effect of a deployment is measured: `window` before it against `window` after `settle`."""

    window: timedelta = timedelta(hours=1)
    settle: timedelta = timedelta(minutes=5)
    confidence: Decimal = Decimal("0.95")


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """One per workspace; without a document the defaults hold.

    `environments` and `services` lead from other spellings to ours; `teams` from a service to who owns it.
    `production` are the environments that reports show unless told otherwise. An incident is held against the service's
    last deployment within `attribution_window` before it. `priorities`: of incidents that count. `time_zone` is that of
    days and weeks in reports. `clusters` names the report edition that performance is compared with (empty: none).
    """

    name: str = "default"
    production: tuple[str, ...] = ("production",)
    environments: Mapping[str, str] = field(default_factory=lambda: {"prod": "production", "live": "production"})
    services: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    attribution_window: timedelta = timedelta(hours=4)
    rollback_window: timedelta = timedelta(days=1)
    priorities: frozenset[str] = frozenset({"P0", "P1", "P2", ""})
    hotfix_labels: tuple[str, ...] = ("hotfix",)
    hotfix_branches: tuple[str, ...] = ("hotfix/*",)
    time_zone: str = "UTC"
    clusters: str = "2024"
    effects: EffectTerms = field(default_factory=EffectTerms)

    def environment(self, name: str) -> str:
        """Our name of an environment."""
        return self.environments.get(name, name)

    def service(self, name: str) -> str:
        """Our name of a service."""
        return self.services.get(name, name)

    def team(self, service: str) -> str:
        """Who owns it; empty when nobody says."""
        return self.teams.get(service, "")
