"""How much of their quotas tenants have used, and which thresholds that reaches. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from controlplane.conventions import EVENT_QUOTA_REACHED
from controlplane.model import exact
from controlplane.model.event import JSON, Event
from controlplane.model.usage import Aggregation, UsageTotal
from exporters.usage.periods import period_of, previous
from exporters.usage.terms import Quota, QuotaPeriod


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What a tenant used of a quota in one period: `2026-11`, or `2026-11-05`."""

    quota: Quota
    tenant: str
    period: str
    used: Decimal

    @property
    def ratio(self) -> Fraction:
        """Share of the limit; above 1 when it is exceeded."""
        return Fraction(self.used) / Fraction(self.quota.limit)

    @property
    def reached(self) -> tuple[Decimal, ...]:
        """The thresholds that it has reached."""
        return tuple(threshold for threshold in self.quota.thresholds if self.ratio >= Fraction(threshold))


def current(quotas: Iterable[Quota], totals: Sequence[UsageTotal], now: datetime) -> list[QuotaUse]:
    """The use of the periods that run now, sorted by quota and tenant; `totals` are those of this month."""
    return _used(quotas, totals, {QuotaPeriod.DAY: f"{now:%Y-%m-%d}", QuotaPeriod.MONTH: period_of(now)})


def ended(quotas: Iterable[Quota], totals: Sequence[UsageTotal], now: datetime) -> list[QuotaUse]:
    """The use of the periods before those: usage of yesterday may arrive today. `totals` hold both months."""
    yesterday = now - timedelta(days=1)
    return _used(
        quotas, totals, {QuotaPeriod.DAY: f"{yesterday:%Y-%m-%d}", QuotaPeriod.MONTH: previous(period_of(now))}
    )


def _used(quotas: Iterable[Quota], totals: Sequence[UsageTotal], names: dict[QuotaPeriod, str]) -> list[QuotaUse]:
    found = []
    for quota in quotas:
        name = names[quota.period]
        used: dict[str, Decimal] = dict.fromkeys(sorted(quota.tenants), exact.ZERO)
        for total in totals:
            within = total.period == name or f"{total.day:%Y-%m-%d}" == name
            if total.meter != quota.meter or not within or (quota.tenants and total.tenant not in quota.tenants):
                continue
            before = used.get(total.tenant, exact.ZERO)
            is_max = total.aggregation is Aggregation.MAX
            used[total.tenant] = max(before, total.quantity) if is_max else exact.add(before, total.quantity)
        found += [QuotaUse(quota, tenant, name, used[tenant]) for tenant in sorted(used)]
    return found


def events_of(uses: Iterable[QuotaUse], now: datetime) -> list[Event]:
    """One event for each threshold reached; its id makes it happen once a period."""
    return [_event(use, threshold, now) for use in uses for threshold in use.reached]


def _event(use: QuotaUse, threshold: Decimal, now: datetime) -> Event:
    share = exact.plain(threshold)
    data: dict[str, JSON] = {
        "quota": use.quota.name,
        "tenant": use.tenant,
        "meter": use.quota.meter,
        "period": use.period,
        "threshold": share,
        "used": exact.plain(use.used),
        "limit": exact.plain(use.quota.limit),
    }
    name = f"{EVENT_QUOTA_REACHED}:{use.quota.name}:{use.tenant}:{use.period}:{share}"
    return Event(name, EVENT_QUOTA_REACHED, use.tenant, now, data)


def months_of_interest(now: datetime) -> tuple[str, ...]:
    """The months whose totals `current` and `ended` need."""
    month = period_of(now)
    return previous(month), month
