"""A service as Prometheus recorded it: eight days of ledgers, with a deployment that is known to hurt."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from controlplane import conventions as names
from controlplane.model.series import Series

AT = datetime(2026, 11, 20, 10, 3, 20, tzinfo=UTC)  # the bad deployment
HEALED = AT + timedelta(minutes=42)  # it was rolled back
DAYS = 8
BEGIN = AT - timedelta(days=DAYS)
END = AT + timedelta(hours=30)
BUDGET = 90_000.0
PER_MINUTE = 600
USUAL, BROKEN = 0.001, 0.05
DEARER = 1.4
_PHASE = 137  # seconds after whole five minutes at which ledgers are written


@dataclass(frozen=True, slots=True)
class Truth:
    """What the deployment did."""

    extra_bad: float
    extra_money: float


def recording(seed: int = 7) -> tuple[list[Series], Truth]:
    """All series, as their rules would have written them, and what they hide.

    `checkout` suffers until it is healed, `leaky` for ever, `old` was described later than it was measured; `catalogue`
    is calm; `gap` has no entries for the hour after; `rare` has a request in a while.
    """
    random = np.random.default_rng(seed)
    minutes = int((END - BEGIN) / timedelta(minutes=1))
    at = int((AT - BEGIN) / timedelta(minutes=1))
    healed = int((HEALED - BEGIN) / timedelta(minutes=1))
    events = random.poisson(PER_MINUTE, minutes)
    usual = random.binomial(events, USUAL)
    extra = np.zeros(minutes, dtype=np.int64)
    extra[at:healed] = random.binomial(events[at:healed] - usual[at:healed], BROKEN)
    lasting = np.zeros(minutes, dtype=np.int64)
    lasting[at:] = random.binomial(events[at:] - usual[at:], BROKEN)
    calm = random.binomial(events, USUAL)
    few = random.poisson(0.5, minutes)
    some = random.binomial(few, 0.02)
    units = events.astype(np.float64)
    money = units * 0.001 * np.exp(random.normal(0, 0.02, minutes))
    dearer = money * 0
    dearer[at:healed] = money[at:healed] * (DEARER - 1)
    series = [
        *_slo("checkout-availability", "checkout", usual + extra, events),
        *_slo("catalogue-availability", "catalogue", calm, events),
        *_slo("gap-availability", "gap", calm, events, gap=(AT, AT + timedelta(hours=2))),
        *_slo("rare-availability", "rare", some, few),
        *_slo("leaky-availability", "leaky", usual + lasting, events),
        *_later_described(_slo("old-availability", "old", usual + extra, events)),
        _ledger({"__name__": names.UNIT_COST_SPEND_LEDGER, "unit_cost": "calls", "currency": "USD"}, money + dearer),
        _ledger({"__name__": names.UNIT_COST_UNITS_LEDGER, "unit_cost": "calls"}, units),
        _ledger({"__name__": names.EXCLUDED, "slo": "catalogue-availability", "exclusion": "night"}, _night(minutes)),
    ]
    return series, Truth(float(extra.sum()), float(dearer.sum()))


def _later_described(series: list[Series]) -> list[Series]:
    """As where ledgers were computed for a time before Flyball came: only the last hours tell what they are."""
    late = END - timedelta(hours=2)
    return [
        each
        if each.labels["__name__"] == names.LEDGER_EVENTS
        else Series(each.labels, tuple(point for point in each.points if point[0] > late))
        for each in series
    ]


def _slo(
    slo: str, service: str, bad: "np.ndarray", events: "np.ndarray", gap: tuple[datetime, datetime] | None = None
) -> list[Series]:
    steady = np.ones(len(events))
    return [
        _ledger({"__name__": names.LEDGER_EVENTS, "slo": slo, "event": "bad"}, bad, gap),
        _ledger({"__name__": names.LEDGER_EVENTS, "slo": slo, "event": "all"}, events, gap),
        _ledger({"__name__": names.SLO_INFO, "slo": slo, "service": service, "window": "30d"}, steady / 5),
        _ledger({"__name__": names.BUDGET_EVENTS, "slo": slo}, steady * BUDGET / 5),
    ]


def _ledger(
    labels: dict[str, str], minutes: "np.ndarray", gap: tuple[datetime, datetime] | None = None
) -> Series:  # fmt: skip
    """The mean of five rolling sums of five minutes, every five minutes (RULES.md)."""
    rolling = np.convolve(minutes, np.ones(5))[: len(minutes)]
    means = np.convolve(rolling, np.ones(5) / 5)[: len(minutes)]
    first = BEGIN + timedelta(seconds=(_PHASE - BEGIN.timestamp()) % 300)
    points = []
    for number in range(2, int((END - first) / timedelta(minutes=5))):
        at = first + number * timedelta(minutes=5)
        if gap is None or not gap[0] <= at < gap[1]:
            last = int((at - BEGIN) / timedelta(minutes=1)) - 1  # the last whole minute before it
            points.append((at, float(means[last])))
    return Series(labels, tuple(points))


def _night(minutes: int) -> "np.ndarray":
    found = np.zeros(minutes)
    found[int((AT - BEGIN) / timedelta(minutes=1)) - 30 :] = 0.2
    return found
