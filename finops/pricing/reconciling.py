"""How the bill compares to the estimate, service by service: the ratio that corrects live spend.

Only days count for which both ledgers know a service, the estimate nearly without gaps: of a service that is always
there without gaps of its own, of one that comes and goes (a connector that scales to zero) of the ledger as a whole.
Single days that are far off the others (a bill that still grows, a correction that was booked at once) are left out and
told. What one ledger alone knows is told and gets no ratio: nothing is invented.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from enum import Enum
from statistics import median
from typing import Final

from controlplane.model.spend import SpendTable
from finops.pricing.model import BilledNames, Correction

BY: Final = ("day", "service")
"""What both tables are split by."""
_A_DAY: Final = timedelta(days=1)
_DIGITS: Final = 28
_PLACES: Final = Decimal("0.000001")  # of a ratio
Key = tuple[str, str]  # service and currency; the empty text stands for money of no service
Coverage = Mapping[tuple[datetime, str, str], Decimal]


class Outcome(Enum):
    """What was found about a service."""

    CORRECTED = "corrected"  # its ratio is published
    UNBELIEVABLE = "unbelievable"  # the ratio is outside of the bounds: names or units do not fit
    TOO_FEW_DAYS = "too_few_days"
    TOO_LITTLE = "too_little"  # so little money that the ratio is noise
    ONLY_BILLED = "only_billed"
    ONLY_ESTIMATED = "only_estimated"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a ratio must rest on. `least_spend` is money of the whole window, in its own currency.

    A ratio that differs from the one before by less than `hysteresis` does not change: budgets should not breathe.
    """

    days: int = 7
    fewest_days: int = 3
    least_coverage: Decimal = Decimal("0.95")
    least_spend: Decimal = Decimal(1)
    far_off: Decimal = Decimal("1.25")  # a day's ratio that is so many times the median, or its reciprocal, is left out
    hysteresis: Decimal = Decimal("0.02")


STANDARD: Final = Rules()


@dataclass(frozen=True, slots=True)
class Compared:
    """A service in both ledgers. Sums are of `days`; of all days that were asked for where there are none.

    `ratio` is billed ÷ estimated, None unless it is published. `left_out` are days that were far off the others.
    """

    service: str
    currency: str
    outcome: Outcome
    billed: Decimal
    estimated: Decimal
    ratio: Decimal | None = None
    days: tuple[datetime, ...] = ()
    left_out: tuple[datetime, ...] = ()

    @property
    def until(self) -> datetime | None:
        """The end of the last day that the ratio rests on."""
        return self.days[-1] + _A_DAY if self.days else None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one comparison found, by currency and service."""

    made_at: datetime
    services: tuple[Compared, ...] = ()

    @property
    def ratios(self) -> Mapping[Key, Decimal]:
        """The published ones."""
        return {(each.service, each.currency): each.ratio for each in self.services if each.ratio is not None}


@dataclass(slots=True)
class _Days:
    billed: dict[datetime, Decimal] = field(default_factory=dict)
    estimated: dict[datetime, Decimal] = field(default_factory=dict)


def reconcile(
    billed: SpendTable,
    estimated: SpendTable,
    *,
    coverage: Coverage,
    called: BilledNames,
    belief: Correction,
    previous: Mapping[Key, Decimal],
    now: datetime,
    rules: Rules = STANDARD,
) -> Reconciliation:
    """Compare tables split by day and service, in that order; of the bill its effective cost counts.

    `coverage` is the share of each day that the estimate knows, by day, service and currency; `called` tells what the
    bill calls our services; `previous` are the ratios that were published before. Days that `now` lies in do not count.
    """
    services = _by_service(billed, estimated, called, now)
    found = (
        _compared(key, services[key], coverage, belief, previous.get(key), rules)
        for key in sorted(services, key=_order)
    )
    return Reconciliation(now, tuple(found))


def _by_service(billed: SpendTable, estimated: SpendTable, called: BilledNames, now: datetime) -> Mapping[Key, _Days]:
    ours = {theirs: service for service, names in called.services for theirs in names}
    services: dict[Key, _Days] = {}
    for day, service, currency, amount in _rows(billed, now):
        days = services.setdefault((ours.get(service, service), currency), _Days()).billed
        days[day] = days.get(day, Decimal(0)) + amount
    for day, service, currency, amount in _rows(estimated, now):
        days = services.setdefault((service, currency), _Days()).estimated
        days[day] = days.get(day, Decimal(0)) + amount
    return services


def _rows(table: SpendTable, now: datetime) -> Iterator[tuple[datetime, str, str, Decimal]]:
    """Day, service, currency and money of each row; today's are not complete."""
    for row in table.rows:
        day, service = row.key
        begins = datetime.fromisoformat(day or "").astimezone(UTC)
        if begins + _A_DAY <= now:
            yield begins, service or "", row.currency, row.effective


def _compared(
    key: Key, days: _Days, coverage: Coverage, belief: Correction, previous: Decimal | None, rules: Rules
) -> Compared:
    service, currency = key
    if not days.billed or not days.estimated:
        outcome = Outcome.ONLY_BILLED if days.billed else Outcome.ONLY_ESTIMATED
        return Compared(service, currency, outcome, _sum(days.billed), _sum(days.estimated))
    covered = _covered(key, days.estimated, coverage, rules)
    known = sorted(
        day for day in days.billed.keys() & days.estimated.keys() if days.estimated[day] > 0 and day in covered
    )[-rules.days :]
    used, left_out = _without_far_off(known, days, rules)
    if not used:
        outcome = Outcome.TOO_FEW_DAYS
        return Compared(service, currency, outcome, _sum(days.billed), _sum(days.estimated), left_out=left_out)
    sums = (_sum(days.billed, used), _sum(days.estimated, used))
    ratio, outcome = _ratio(*sums, belief, rules)
    if len(used) < rules.fewest_days:
        ratio, outcome = None, Outcome.TOO_FEW_DAYS
    if ratio is not None and previous is not None and abs(ratio / previous - 1) < rules.hysteresis:
        ratio = previous
    return Compared(service, currency, outcome, *sums, ratio, used, left_out)


def _covered(key: Key, days: Mapping[datetime, Decimal], coverage: Coverage, rules: Rules) -> frozenset[datetime]:
    """Days that the estimate knows nearly without gaps."""
    service, currency = key
    whole: dict[datetime, Decimal] = {}
    for (day, _, of), share in coverage.items():
        if of == currency:
            whole[day] = max(share, whole.get(day, Decimal(0)))
    own = {day: coverage.get((day, service, currency), Decimal(0)) for day in days}
    is_always_there = bool(own) and median(own.values()) >= rules.least_coverage
    shares = own if is_always_there else whole
    return frozenset(day for day in days if shares.get(day, Decimal(0)) >= rules.least_coverage)


def _without_far_off(
    known: list[datetime], days: _Days, rules: Rules
) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    ratios = {day: days.billed[day] / days.estimated[day] for day in known}
    middle = median(ratios.values()) if ratios else Decimal(0)
    far = {
        day
        for day, ratio in ratios.items()
        if middle > 0 and not middle / rules.far_off <= ratio <= middle * rules.far_off
    }
    return tuple(day for day in known if day not in far), tuple(sorted(far))


def _ratio(billed: Decimal, estimated: Decimal, belief: Correction, rules: Rules) -> tuple[Decimal | None, Outcome]:
    if estimated < rules.least_spend or billed < rules.least_spend:
        return None, Outcome.TOO_LITTLE
    with localcontext() as context:
        context.prec = _DIGITS
        ratio = (billed / estimated).quantize(_PLACES)
    if not belief.lowest <= ratio <= belief.highest:
        return None, Outcome.UNBELIEVABLE
    return ratio, Outcome.CORRECTED


def _sum(days: Mapping[datetime, Decimal], of: tuple[datetime, ...] | None = None) -> Decimal:
    return sum((days[day] for day in (days if of is None else of)), start=Decimal(0))


def _order(key: Key) -> tuple[str, str]:
    return key[1], key[0]
