"""A unit cost: money for so many units of work, and what it may be."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.alerting import Urgency
from controlplane.model.source import SourcePosition

Scope = tuple[tuple[str, tuple[str, ...]], ...]
"""Any of several values by label; all labels must fit; the empty text stands for "has none"."""

WINDOWS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Units:
    """What is counted. `what` names it for people: `ingested events`.

    Either `counter` is a PromQL selector of counters, or `query` is PromQL with placeholders for its range
    (`{{.window}}`) that gives the units of that time.
    """

    what: str
    counter: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class TargetAlert:
    """When somebody is told: above the target over both windows for `hold`, and `least_excess` money beyond it.

    Once it fires it does so until the cost of either window is below `keep` × target, so that it does not flap.
    """

    urgency: Urgency = Urgency.TICKET
    long: timedelta = timedelta(days=1)
    short: timedelta = timedelta(hours=1)
    hold: timedelta = timedelta(minutes=15)
    least_excess: Decimal = Decimal(1)
    keep: Decimal = Decimal("0.95")


STANDARD_ALERT: Final = TargetAlert()


@dataclass(frozen=True, slots=True)
class NoUnitsAlert:
    """When spend without any units is told: more than `floor_per_hour` over an hour, for `hold`."""

    floor_per_hour: Decimal = Decimal(1)
    hold: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class UnitCost:
    """What `per` units cost, split `by` labels. `name` is unique in a workspace.

    `scope` selects the money by labels of live spend, `billed_scope` by dimensions of a billed ledger where these
    differ (None: the same). `target` is the most that `per` units may cost, in `currency`; None: it is only measured.
    `spread` is the key by which money that has no value of the (only) label in `by` is given to those values: live
    allocation of a service's cost to its routes, by the seconds of their spans, say.
    `windows` are those over which it is recorded, shortest first. Unit costs are equal when they ask for the same,
    wherever they are written.
    """

    name: str
    currency: str
    units: Units
    per: Decimal
    source: SourcePosition = field(compare=False)
    scope: Scope = ()
    billed_scope: Scope | None = None
    by: tuple[str, ...] = ()
    spread: Units | None = None
    target: Decimal | None = None
    windows: tuple[timedelta, ...] = WINDOWS
    alert: TargetAlert = STANDARD_ALERT
    no_units: NoUnitsAlert | None = None
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: tuple[tuple[str, str], ...] = ()
