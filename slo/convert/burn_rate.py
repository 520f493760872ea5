"""The alerts that Sloth or Pyrra would make of an SLO, as tiers of the burn-rate method."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from controlplane.burn_rate import number, seconds, threshold
from controlplane.model.alerting import STANDARD_TIERS, AlertMethod, Tier, Urgency
from controlplane.model.slo import SLO, Dialect

SHORTEST: Final = timedelta(minutes=5)  # what one value of the rolling pair counts
_MINUTE: Final = timedelta(minutes=1)
_LEDGER: Final = timedelta(minutes=5)
_DAY: Final = timedelta(days=1)

# Pyrra, slo/rules.go, func Windows: urgency, factor, and for, short and long window for a period of 28 days.
_PYRRA_PERIOD: Final = timedelta(days=28)
_PYRRA: Final = (
    (Urgency.PAGE, 14, timedelta(minutes=2), timedelta(minutes=5), timedelta(hours=1)),
    (Urgency.PAGE, 7, timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=6)),
    (Urgency.TICKET, 2, timedelta(hours=1), timedelta(hours=2), timedelta(days=1)),
    (Urgency.TICKET, 1, timedelta(hours=3), timedelta(hours=6), timedelta(days=4)),
)


def as_burn_rate(slo: SLO) -> SLO:
    """The SLO with the alerts of the tool that its file is written for: rates alone, whatever was spent.

    Sloth's thresholds are not held at 1 or above: 10 % of 28 days in 3 days is a rate of 0.93. Pyrra's windows grow and
    shrink with the period. Neither looks at less than 5 minutes here.
    """
    alerting = slo.alerting
    dialect = slo.legacy_names.dialect if slo.legacy_names is not None else Dialect.OPENSLO
    tiers = alerting.tiers
    if dialect is Dialect.SLOTH:
        tiers = tuple(_with_rate(tier, slo.window.length) for tier in tiers)
    elif dialect is Dialect.PYRRA:
        kept = {tier.urgency for tier in tiers}
        tiers = tuple(tier for tier in pyrra_tiers(slo.window.length) if tier.urgency in kept)
    return replace(slo, alerting=replace(alerting, tiers=tiers, method=AlertMethod.BURN_RATE))


def with_windows_of_its_tool(slo: SLO) -> SLO:
    """An SLO of Sloth's or Pyrra's that asks for burn rates and for no other tiers: with those of its tool."""
    if slo.alerting.method is not AlertMethod.BURN_RATE or slo.legacy_names is None:
        return slo
    own = {tier.urgency for tier in slo.alerting.tiers}
    is_standard = slo.alerting.tiers == tuple(tier for tier in STANDARD_TIERS if tier.urgency in own)
    return as_burn_rate(slo) if is_standard or slo.legacy_names.dialect is Dialect.SLOTH else slo


def pyrra_tiers(period: timedelta) -> tuple[Tier, ...]:
    """Pyrra's four conditions for a period."""
    return tuple(_pyrra_tiers(period))


def _pyrra_tiers(period: timedelta) -> Iterator[Tier]:
    for urgency, factor, hold, short, long in _PYRRA:
        near = max(_scaled(short, period), SHORTEST)
        far = max(_in_entries(_scaled(long, period)), near + SHORTEST)
        share = min(Decimal(1), Decimal(number(factor * seconds(far) / seconds(period))))
        within = (near, far) if near == SHORTEST else (far,)
        yield Tier(urgency, share, _in_entries(near), far, within, Decimal(factor), _scaled(hold, period))


def _with_rate(tier: Tier, period: timedelta) -> Tier:
    rate = Decimal(number(tier.budget_share * seconds(period) / seconds(tier.long)))
    return tier if tier.burn_rate is not None or rate == threshold(tier, period) else replace(tier, burn_rate=rate)


def _scaled(length: timedelta, period: timedelta) -> timedelta:
    """A length for a period of 28 days as one for this period, to whole minutes, halves up as Go rounds them."""
    minutes = seconds(length * (period / _MINUTE)) / seconds(_PYRRA_PERIOD)
    return int(minutes.to_integral_value(ROUND_HALF_UP)) * _MINUTE


def _in_entries(length: timedelta) -> timedelta:
    """Windows of a day and more are sums of five-minute entries."""
    return length if length < _DAY else length // _LEDGER * _LEDGER
