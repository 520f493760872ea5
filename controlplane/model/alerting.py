"""When somebody is told that a budget burns: tiers as data, and what a user may change about them."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final


class Urgency(Enum):
    """Who is told: a page wakes somebody up, a ticket waits for the working day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Tier:
    """One alerting condition: the budget burns fast over `short`, and `budget_share` of it went in a `spent_within`.

    `long` is the window that sets the threshold: the rate at which `budget_share` goes in that time, or `burn_rate`
    where somebody chose one. `hold` is for how long the condition must last (Prometheus: `for`).
    """

    urgency: Urgency
    budget_share: Decimal
    short: timedelta
    long: timedelta
    spent_within: tuple[timedelta, ...]
    burn_rate: Decimal | None = None
    hold: timedelta = timedelta(0)


# Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", table 5-8, for a period of 30 days. The first
# tier also looks at 5 minutes alone: an outage that spends 2 % at once pages in the first minute (RULES.md).
STANDARD_TIERS: Final = (
    Tier(
        Urgency.PAGE,
        Decimal("0.02"),
        timedelta(minutes=5),
        timedelta(hours=1),
        (timedelta(minutes=5), timedelta(hours=1)),
    ),
    Tier(Urgency.PAGE, Decimal("0.05"), timedelta(minutes=30), timedelta(hours=6), (timedelta(hours=6),)),
    Tier(Urgency.TICKET, Decimal("0.1"), timedelta(hours=2), timedelta(days=1), (timedelta(days=1),)),
    Tier(Urgency.TICKET, Decimal("0.1"), timedelta(hours=6), timedelta(days=3), (timedelta(days=3),)),
)


class AlertMethod(Enum):
    """What the long window of a tier asks: how many bad events there were, or (as others do) how fast it burned."""

    BUDGET = "budget"
    BURN_RATE = "burn-rate"


@dataclass(frozen=True, slots=True)
class AlertText:
    """What a user adds to the alerts of one urgency. `severity` and `name` replace ours where they are given."""

    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    severity: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Alerting:
    """The alerts of an SLO. No tier of an urgency: no alert of it. `fewest_bad_events`: nobody is told of fewer.

    `fewest_bad_events` matters to the budget method only: the burn-rate method asks for rates alone.
    """

    tiers: tuple[Tier, ...] = STANDARD_TIERS
    method: AlertMethod = AlertMethod.BUDGET
    fewest_bad_events: Decimal = Decimal(3)
    page: AlertText = AlertText()
    ticket: AlertText = AlertText()
    absence: AlertText = AlertText()  # of the alert that says that the series are gone

    def text(self, urgency: Urgency) -> AlertText:
        """What was added to the alerts of this urgency."""
        return self.page if urgency is Urgency.PAGE else self.ticket


STANDARD_ALERTING: Final = Alerting()
