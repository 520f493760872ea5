"""Pages and missed incidents: our conditions against the classic ones, on five months of fifty services."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import budget_shape, classic_shape
from benchmarks.month import STEP_SECONDS, ServiceMonth, service_months
from benchmarks.report import Figure, show
from controlplane.burn_rate import Urgency

SEEDS: Final = (20, 21, 22, 23, 24)
SERVICES: Final = 50
ONE_NOTIFICATION: Final = 5  # minutes: what fires again within Alertmanager's default group_interval is not told again
TOLD_WITHIN: Final = 15  # minutes after an incident's end
SPENT_TOO_LITTLE: Final = 0.02
WORTH_AN_ALERT: Final = 0.05
SIX_HOURS: Final = 6 * 3600 // STEP_SECONDS
MINUTE_STEPS: Final = 60 // STEP_SECONDS

Minutes = NDArray[np.bool_]


def run() -> None:
    """Measure and print."""
    ours, classic = np.zeros(4, dtype=int), np.zeros(4, dtype=int)
    big = 0
    for seed in SEEDS:
        for month in service_months(SERVICES, seed):
            alerting = budget_shape.alerting(month)
            ours += judged(month, alerting[Urgency.PAGE], alerting[Urgency.TICKET])
            pages, tickets = (classic_shape.alerting(month, p) for p in (classic_shape.PAGE, classic_shape.TICKET))
            classic += judged(month, pages, tickets)
            big += len(worth_an_alert(month))
    show("Pages: five months of fifty services", figures(ours, classic, big))


def figures(ours: NDArray[np.int_], classic: NDArray[np.int_], big: int) -> list[Figure]:
    """The two sets side by side."""
    return [
        Figure("pages, classic set", int(classic[0]), "pages", detail=f"{classic[1]} had spent < 2 % in six hours"),
        Figure("pages, ours", int(ours[0]), "pages", int(classic[0]) - 1, detail=f"{ours[1]} had spent < 2 %"),
        Figure("incidents ≥ 5 % not paged, classic", int(classic[2]), f"of {big}"),
        Figure("incidents ≥ 5 % not paged, ours", int(ours[2]), f"of {big}"),
        Figure("incidents ≥ 5 % neither paged nor ticketed, classic", int(classic[3]), f"of {big}"),
        Figure("incidents ≥ 5 % neither paged nor ticketed, ours", int(ours[3]), f"of {big}", 0),
    ]


def judged(month: ServiceMonth, pages: Minutes, tickets: Minutes) -> NDArray[np.int_]:
    """Pages; pages that had spent < 2 %; incidents ≥ 5 % without a page; without a page or a ticket."""
    begins = notifications(pages)
    little = sum(_spent_before(month, (begin + 1) * MINUTE_STEPS) < SPENT_TOO_LITTLE for begin in begins)
    windows = worth_an_alert(month)
    unpaged = sum(not pages[window].any() for window in windows)
    untold = sum(not (pages[window].any() or tickets[window].any()) for window in windows)
    return np.array([len(begins), little, unpaged, untold])


def notifications(firing: Minutes) -> list[int]:
    """Minutes at which somebody is told: it fires, and did not in the five minutes before."""
    minutes = np.flatnonzero(firing)
    return [int(m) for m, gap in zip(minutes, np.diff(minutes, prepend=-1000), strict=True) if gap > ONE_NOTIFICATION]


def worth_an_alert(month: ServiceMonth) -> list[slice]:
    """The minutes in which somebody should hear of each incident that spent 5 % of the budget or more."""
    return [
        slice(incident.start // MINUTE_STEPS, incident.end // MINUTE_STEPS + TOLD_WITHIN)
        for incident in month.incidents
        if month.budget_spent(incident.start, incident.end) >= WORTH_AN_ALERT
    ]


def _spent_before(month: ServiceMonth, step: int) -> float:
    return month.budget_spent(max(0, step - SIX_HOURS), step)
