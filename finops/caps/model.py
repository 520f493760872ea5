"""Autoscaling caps as values: which workload, which budget, what a replica costs, and what scales it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from controlplane.model.source import SourcePosition


class Scaler(Enum):
    """Who scales the workload."""

    KEDA = "keda"  # a ScaledObject of keda.sh/v1alpha1
    HPA = "hpa"  # a HorizontalPodAutoscaler of autoscaling/v2


@dataclass(frozen=True, slots=True)
class Target:
    """The workload that is scaled, as Kubernetes names it."""

    namespace: str
    name: str
    api_version: str = "apps/v1"
    kind: str = "Deployment"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """Money that a replica costs for an hour, in the budget's currency."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class QueriedPrice:
    """PromQL that says the same; the roof asks it."""

    query: str


@dataclass(frozen=True, slots=True)
class PriceOfItem:
    """`units` an hour of an item of a PriceMap, by the schedule of its prices."""

    price_map: str
    item: str
    units: Decimal


ReplicaPrice = FixedPrice | QueriedPrice | PriceOfItem


@dataclass(frozen=True, slots=True)
class PrometheusTrigger:
    """One replica for each `threshold` of what `query` says; `activation`: below it there is nothing to do (KEDA)."""

    server: str
    query: str
    threshold: Decimal
    activation: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ResourceTrigger:
    """Percent of the requested `cpu` or `memory` that replicas use on the average."""

    resource: str
    utilization: int


Trigger = PrometheusTrigger | ResourceTrigger


@dataclass(frozen=True, slots=True)
class AutoscalingCap:
    """How far one workload may be scaled. `name` is unique in a workspace.

    `budget` names a Budget; `share` is the part of what is left of it that this workload may spend. Its maximum never
    falls below `p0_minimum` (0: may be switched off when the money is gone) nor rises above `ceiling`. `minimum` is how
    many run while there is work; with `idle_to_zero` none run while there is none. A maximum is raised only when the
    money pays for `hysteresis` more than the next higher number. State older than `stale_after` is no state.
    """

    name: str
    target: Target
    budget: str
    price: ReplicaPrice
    share: Decimal
    p0_minimum: int
    minimum: int
    ceiling: int
    triggers: tuple[Trigger, ...]
    source: SourcePosition = field(compare=False)
    scaler: Scaler = Scaler.KEDA
    idle_to_zero: bool = False
    polling: timedelta = timedelta(seconds=30)
    cooldown: timedelta = timedelta(minutes=5)
    stabilization: timedelta = timedelta(minutes=5)
    hysteresis: Decimal = Decimal("0.1")
    stale_after: timedelta = timedelta(minutes=10)
    labels: tuple[tuple[str, str], ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What is left of a budget. `remaining` is negative when it is overspent, None when nobody knows.

    `hours_left`: for how long it must last. `at`: when that was so; None: not measured, but the whole amount for the
    whole window, as when files are all there is.
    """

    currency: str
    remaining: Decimal | None
    hours_left: Decimal
    at: datetime | None = None
