"""Control totals of a month: accepted = billed + free + quarantined + adjusted, for every tenant and meter.

`accepted` is reckoned from the events themselves, the rest from the lines: two ways to one figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import Aggregation, InvoiceLine, LineKind, Tally, UsageTotal

Key = tuple[str, str, str]  # period, tenant, meter


@dataclass(frozen=True, slots=True)
class Control:
    """One tenant and meter. Quantities of MAX are not sums: `accepted` is what its lines say."""

    tenant: str
    meter: str
    accepted: Decimal
    billed: Decimal
    free: Decimal
    quarantined: Decimal
    adjusted: Decimal
    events: int
    quarantined_events: int

    @property
    def holds(self) -> bool:
        """Whether the sum is right."""
        parts = (self.billed, self.free, self.quarantined, self.adjusted)
        return self.accepted == exact.total(parts)

    def as_data(self) -> dict[str, JSON]:
        """As it stands in manifests."""
        return {
            "tenant": self.tenant,
            "meter": self.meter,
            "accepted": exact.plain(self.accepted),
            "billed": exact.plain(self.billed),
            "free": exact.plain(self.free),
            "quarantined": exact.plain(self.quarantined),
            "adjusted": exact.plain(self.adjusted),
            "events": self.events,
            "quarantined_events": self.quarantined_events,
        }


def tallied(totals: Iterable[UsageTotal | Tally]) -> dict[Key, Tally]:
    """Totals over days and dimensions, or over pages of a recount."""
    found: dict[Key, Tally] = {}
    for one in totals:
        key = (one.period, one.tenant, one.meter)
        before = found.get(key)
        found[key] = _together(before, one)
    return found


def _together(before: Tally | None, one: UsageTotal | Tally) -> Tally:
    if before is None:
        before = Tally(one.period, one.tenant, one.meter, one.aggregation, exact.ZERO, 0)
    is_max = one.aggregation is Aggregation.MAX
    return Tally(
        before.period,
        before.tenant,
        before.meter,
        one.aggregation,
        max(before.quantity, one.quantity) if is_max else exact.add(before.quantity, one.quantity),
        before.events + one.events,
        exact.add(before.quarantined, one.quarantined),
        before.quarantined_events + one.quarantined_events,
    )


def differences(totals: Mapping[Key, Tally], recounted: Mapping[Key, Tally]) -> list[str]:
    """Where the totals that were kept up and the events themselves say something else."""
    return [
        f"{tenant} {meter} of {period}: totals say {_said(totals.get(key))}, events {_said(recounted.get(key))}"
        for key in sorted(totals.keys() | recounted.keys())
        if totals.get(key) != recounted.get(key)
        for period, tenant, meter in [key]
    ]


def _said(tally: Tally | None) -> str:
    if tally is None:
        return "nothing"
    aside = f", {exact.plain(tally.quarantined)} in {tally.quarantined_events} set aside"
    return f"{exact.plain(tally.quantity)} in {tally.events} events{aside if tally.quarantined_events else ''}"


def controls_of(booked: str, tallies: Mapping[Key, Tally], lines: Sequence[InvoiceLine]) -> list[Control]:
    """The control totals of a month, sorted by tenant and meter."""
    pairs = sorted({(tenant, meter) for _, tenant, meter in tallies})
    return [_control(booked, pair, tallies, lines) for pair in pairs]


def _control(booked: str, pair: tuple[str, str], tallies: Mapping[Key, Tally], lines: Sequence[InvoiceLine]) -> Control:
    own = [tally for (_, tenant, meter), tally in tallies.items() if (tenant, meter) == pair]
    usage, late = (
        [line for line in lines if line.kind is kind and (line.tenant, line.item) == pair]
        for kind in (LineKind.USAGE, LineKind.ADJUSTMENT)
    )
    adjusted = exact.total(line.quantity for line in late)
    accepted = [tally.quantity for tally in own if tally.period == booked or tally.aggregation is not Aggregation.MAX]
    if any(tally.aggregation is Aggregation.MAX for tally in own):
        accepted.append(adjusted)
    quarantined = exact.total(tally.quarantined for tally in own)
    return Control(
        *pair,
        accepted=exact.add(exact.total(accepted), quarantined),
        billed=exact.total(line.billed for line in usage),
        free=exact.total(line.free for line in usage),
        quarantined=quarantined,
        adjusted=adjusted,
        events=sum(tally.events for tally in own),
        quarantined_events=sum(tally.quarantined_events for tally in own),
    )
