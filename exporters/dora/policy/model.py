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

    `environments` (in small letters) and `services` lead from other spellings to ours; `teams` from a service to its
    owner. `production` are the environments that reports show unless told otherwise. An incident is held against the
    service's last deployment within `attribution_window` before it. `priorities` (in capitals; "" for none) are those
    of incidents that count. `hotfix_…` tell hotfixes by labels, and by patterns (`*`, `?`) of branches and titles.
    `time_zone` is that of days and weeks in reports. `clusters` names the report edition that performance is compared
    with (empty: none).
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
    hotfix_titles: tuple[str, ...] = ("hotfix:*", "hotfix(*):*")
    time_zone: str = "UTC"
    clusters: str = "2024"
    effects: EffectTerms = field(default_factory=EffectTerms)

    def environment(self, name: str) -> str:
        """Our name of an environment. Cases don't matter, and of a path (`/clusters/eu/prod`) the last part counts.

        An environment that no policy names is written in small letters.
        """
        for spelling in (name, name.lower(), _last_part(name).lower()):
            if spelling in self.environments:
                return self.environments[spelling]
        return _last_part(name).lower()

    def service(self, name: str) -> str:
        """Our name of a service; of a path (`/apps/checkout`, as CDEvents may have it) the last part counts."""
        for spelling in (name, _last_part(name)):
            if spelling in self.services:
                return self.services[spelling]
        return _last_part(name)

    def counts(self, priority: str) -> bool:
        """Whether incidents of this priority count; cases don't matter."""
        return priority.upper() in self.priorities

    def team(self, service: str) -> str:
        """Who owns it; empty when nobody says."""
        return self.teams.get(service, "")


def _last_part(name: str) -> str:
    """`checkout` of `/apps/checkout/`; a name that does not begin with a slash is whole."""
    return name.rstrip("/").rpartition("/")[2] if name.startswith("/") else name
