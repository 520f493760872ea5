"""Service credits: what a tenant gets back for a month in which less was achieved than was promised. Pure.

The lowest threshold of the contract's table that was broken counts; no credit is more than the cap. A breach counts as
caused by our own downshift when the month would not have broken that threshold without the events of the time in which
a tier above 0 held. It is given back all the same: the mark is for whoever reads the bill, and for the ladder.
Without data nothing is decided: it is never taken for 100 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import InvoiceLine, LineKind
from exporters.usage.ports import Achieved
from exporters.usage.rating import rounded
from exporters.usage.terms import Contract, CreditStep, Rounding

_SHOWN_DECIMALS = 6


class Verdict(Enum):
    """KEPT: nothing to give back. NO_DATA: not decided, to be asked again when a later month is closed."""

    CREDIT = "credit"
    KEPT = "kept"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a contract means for one tenant and month. `ratio` is what was achieved; None without data."""

    contract: str
    tenant: str
    period: str
    verdict: Verdict
    reason: str
    ratio: Fraction | None = None
    line: InvoiceLine | None = None
    downshift_minutes: int = 0
    own_downshift: bool = False

    def as_data(self) -> dict[str, JSON]:
        """As it is kept with the month, and in JSON."""
        return {
            "contract": self.contract,
            "tenant": self.tenant,
            "period": self.period,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "achieved": None if self.ratio is None else shown(self.ratio),
            "amount": None if self.line is None else format(self.line.amount, "f"),
            "currency": "" if self.line is None else self.line.currency,
            "downshift_minutes": self.downshift_minutes,
            "own_downshift": self.own_downshift,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one tenant and month: all of it, and the part of it during downshifts."""

    whole: Achieved | None
    during_downshift: Achieved | None = None
    downshift_minutes: int = 0


def decide(
    contract: Contract, tenant: str, period: str, evidence: Evidence, usage: Sequence[InvoiceLine], *, booked: str
) -> Decision:
    """Credit, kept or no data. `usage` are the tenant's usage lines of `period`; the line goes to `booked`."""
    whole = evidence.whole
    missing = _missing(contract, whole)
    if whole is None or missing:
        return Decision(contract.name, tenant, period, Verdict.NO_DATA, missing)
    ratio = achieved_ratio(whole)
    if ratio is None:
        return Decision(contract.name, tenant, period, Verdict.KEPT, "there were no events")
    step = _step(contract, ratio)
    if step is None:
        reason = f"{shown(ratio)} of {contract.slo} was achieved"
        return Decision(contract.name, tenant, period, Verdict.KEPT, reason, ratio)
    own = _would_have_kept(step, whole, evidence.during_downshift)
    reason = f"{shown(ratio)} of {contract.slo} was achieved, less than {exact.plain(step.below)}"
    if own:
        reason += f"; caused by our own downshift of {evidence.downshift_minutes} min"
    elif evidence.downshift_minutes:
        reason += f"; downshifted for {evidence.downshift_minutes} min, which did not cause it"
    line = _line(contract, tenant, step, usage, booked=booked, period=period, note=reason)
    return Decision(
        contract.name, tenant, period, Verdict.CREDIT, reason, ratio, line, evidence.downshift_minutes, own
    )  # fmt: skip


def achieved_ratio(found: Achieved) -> Fraction | None:
    """Good ÷ all; None without events."""
    return None if found.events <= 0 else 1 - Fraction(found.bad) / Fraction(found.events)


def shown(ratio: Fraction) -> str:
    """A ratio as decimal text of six places, rounded down: 0.9989995 is not 0.999."""
    return exact.plain(rounded(ratio, _SHOWN_DECIMALS, Rounding.DOWN))


def _missing(contract: Contract, whole: Achieved | None) -> str:
    if whole is None:
        return f"nothing was recorded of {contract.slo}"
    if whole.coverage < contract.minimum_coverage:
        share = exact.plain(rounded(Fraction(whole.coverage) * 100, 1, Rounding.DOWN))
        needed = exact.plain(contract.minimum_coverage * 100)
        return f"only {share} % of the month was measured, {needed} % are needed"
    return ""


def _step(contract: Contract, ratio: Fraction) -> CreditStep | None:
    broken = [step for step in contract.credits if ratio < Fraction(step.below)]
    return broken[-1] if broken else None


def _would_have_kept(step: CreditStep, whole: Achieved, during: Achieved | None) -> bool:
    if during is None or during.bad <= 0:
        return False
    events = max(whole.events - during.events, Decimal(0))
    bad = max(whole.bad - during.bad, Decimal(0))
    rest = achieved_ratio(Achieved(events, bad, whole.coverage))
    return rest is None or rest >= Fraction(step.below)


def _line(
    contract: Contract,
    tenant: str,
    step: CreditStep,
    usage: Sequence[InvoiceLine],
    *,
    booked: str,
    period: str,
    note: str,
) -> InvoiceLine:
    fee = contract.fee
    base = fee.amount
    if fee.usage:
        base = exact.add(base, exact.total(line.amount for line in usage if line.currency == fee.currency))
    percent = min(step.percent, contract.cap)
    amount = rounded(Fraction(max(base, exact.ZERO)) * Fraction(percent) / 100, fee.decimals, fee.rounding)
    return InvoiceLine(
        booked=booked,
        kind=LineKind.CREDIT,
        tenant=tenant,
        item=contract.name,
        period=period,
        unit="",
        quantity=exact.ZERO,
        free=exact.ZERO,
        billed=exact.ZERO,
        currency=fee.currency,
        amount=-amount if amount else amount,
        terms={"percent": exact.plain(percent), "of": exact.plain(base), "below": exact.plain(step.below)},
        note=note,
    )
