"""What each day cost, in all and by service: a ledger's answer as rows and small bars."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.model.spend import SpendTable

MOST_SERVICES: Final = 12
_DAY: Final = timedelta(days=1)
_HEIGHT: Final = 100


@dataclass(frozen=True, slots=True)
class SmallBar:
    """One day, as places in a box of 1000 × 100."""

    x: float
    width: float
    y: float
    height: float
    told: str


@dataclass(frozen=True, slots=True)
class ServiceDays:
    """One service in the window: what it cost, its share of all, its latest whole day, and a bar for each day."""

    service: str
    total: Decimal
    share: float | None
    latest: Decimal | None
    bars: tuple[SmallBar, ...]


@dataclass(frozen=True, slots=True)
class Daily:
    """The days of a window in one currency, and its services, dearest first; the last may stand for several.

    `latest` is the last day that is whole. `others` are sums in other currencies, which are never added.
    """

    days: tuple[tuple[datetime, Decimal], ...]
    services: tuple[ServiceDays, ...]
    latest: datetime | None
    others: tuple[tuple[str, Decimal], ...]


def daily_of(table: SpendTable, *, currency: str, start: datetime, end: datetime, now: datetime) -> Daily:
    """Rows by day and service, in one currency; days outside of [start, end) are left out."""
    by_day: dict[datetime, Decimal] = defaultdict(Decimal)
    by_service: dict[str, dict[datetime, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    others: dict[str, Decimal] = defaultdict(Decimal)
    for row in table.rows:
        if row.currency != currency:
            others[row.currency] += row.effective
            continue
        at = datetime.fromisoformat(row.key[0] or "").astimezone(UTC)
        if start - _DAY < at < end:
            by_day[at] += row.effective
            by_service[row.key[1] or "(none)"][at] += row.effective
    latest = max((at for at in by_day if at + _DAY <= now), default=None)
    return Daily(
        tuple(sorted(by_day.items())),
        _services(_largest(by_service), sum(by_day.values(), Decimal(0)), start=start, end=end, latest=latest,
                  currency=currency),
        latest,
        tuple(sorted(others.items())),
    )  # fmt: skip


Days = dict[datetime, Decimal]


def _largest(by_service: dict[str, Days]) -> list[tuple[str, Days]]:
    """The dearest services, and the rest as one."""
    ordered = sorted(by_service.items(), key=lambda it: (-sum(it[1].values(), Decimal(0)), it[0]))
    shown, rest = ordered[:MOST_SERVICES], ordered[MOST_SERVICES:]
    if rest:
        together: Days = defaultdict(Decimal)
        for _, days in rest:
            for at, value in days.items():
                together[at] += value
        shown.append((f"{len(rest)} more", together))
    return shown


def _services(
    chosen: Sequence[tuple[str, Days]],
    total: Decimal,
    *,
    start: datetime,
    end: datetime,
    latest: datetime | None,
    currency: str,
) -> tuple[ServiceDays, ...]:
    high = max((value for _, days in chosen for value in days.values()), default=Decimal(0)) or Decimal(1)
    found = []
    for service, days in chosen:
        own = sum(days.values(), Decimal(0))
        bars = tuple(
            _bar(at, value, high, start=start, end=end, currency=currency) for at, value in sorted(days.items())
        )
        share = float(own / total) if total > 0 else None
        found.append(ServiceDays(service, own, share, days.get(latest) if latest else None, bars))
    return tuple(found)


def _bar(at: datetime, value: Decimal, high: Decimal, *, start: datetime, end: datetime, currency: str) -> SmallBar:
    span = (end - start) / _DAY
    height = round(float(max(value, Decimal(0)) / high) * _HEIGHT, 2) if high > 0 else 0.0
    width = 1000 / span
    x = round((at - start) / _DAY * width + width * 0.15, 2)
    told = f"{at:%Y-%m-%d}: {wording.money(value, currency)}"
    return SmallBar(x, round(width * 0.7, 2), round(_HEIGHT - height, 2), height, told)
