"""The worst deployments of a time: by error budget that they spent, and by money."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from exporters.dora.effects.model import Effect, State, Subject
from exporters.dora.effects.rows import from_row

if TYPE_CHECKING:
    from controlplane.ports import Transaction
    from exporters.dora.policy.model import DeliveryPolicy

TEN: Final = 10
_MOST: Final = 5_000  # effects that are ranked: those with the highest scores


@dataclass(frozen=True, slots=True)
class Worst:
    """`budgets`: one effect for each deployment, the SLO that it cost most; `money` by currency, likewise.

    Only effects whose interval leaves out 0, and that made something worse. `measured`, `unknown` and `waiting` count
    deployments; `calm` are measured ones without any measurable effect, `better` those that only improved something.
    `is_partial`: there are more effects than are looked through, which were the largest; nobody counted who waits.
    """

    start: datetime
    end: datetime
    budgets: tuple[Effect, ...]
    money: Mapping[str, tuple[Effect, ...]]
    measured: int
    calm: int
    better: int
    unknown: int
    waiting: int
    is_partial: bool = False


def worst(
    transaction: "Transaction",
    start: datetime,
    end: datetime,
    policy: "DeliveryPolicy",
    *,
    service: str = "",
    number: int = TEN,
) -> Worst:
    """Of deployments into production that finished in [start, end)."""
    kept = transaction.delivery.effects_between(start, end, service=service, limit=_MOST)
    found = [from_row(row) for row in kept]
    if len(found) == _MOST:
        return replace(ranked(found, start, end, number=number), is_partial=True)
    ids = {
        each.id
        for environment in policy.production
        for each in transaction.delivery.deployments_between(start, end, service=service, environment=environment)
    }
    return ranked(found, start, end, number=number, waiting=len(ids - {each.deployment for each in found}))


def ranked(found: Sequence[Effect], start: datetime, end: datetime, *, number: int = TEN, waiting: int = 0) -> Worst:
    """From effects alone."""
    by_deployment: dict[str, list[Effect]] = defaultdict(list)
    for each in found:
        by_deployment[each.deployment].append(each)
    measured = {key: own for key, own in by_deployment.items() if any(it.state is State.MEASURED for it in own)}
    measurable = {key: [it for it in own if it.is_measurable] for key, own in measured.items()}
    worse = [it for own in measurable.values() for it in own if is_worse(it)]
    money = [it for it in worse if it.subject is Subject.UNIT_COST]
    return Worst(
        start,
        end,
        _first_of_each([it for it in worse if it.subject is Subject.SLO], number),
        {
            currency: _first_of_each([it for it in money if it.currency == currency], number)
            for currency in sorted({it.currency for it in money})
        },
        measured=len(measured),
        calm=sum(not own for own in measurable.values()),
        better=sum(bool(own) and not any(map(is_worse, own)) for own in measurable.values()),
        unknown=len(by_deployment) - len(measured),
        waiting=waiting,
    )


def is_worse(effect: Effect) -> bool:
    """Whether more events were bad, or a unit was dearer."""
    return effect.figures is not None and effect.figures.change.value > 0


def _size(effect: Effect) -> tuple[float, float]:
    """What it spent: of the budget (or else in bad events), or money."""
    assert effect.figures
    spent = effect.figures.spent
    return float(spent.budget.value) if spent.budget else 0.0, float(spent.extra.value)


def _first_of_each(found: Sequence[Effect], number: int) -> tuple[Effect, ...]:
    """The largest of each deployment, largest first."""
    chosen: dict[str, Effect] = {}
    for each in sorted(found, key=lambda it: (*(-part for part in _size(it)), it.at, it.deployment, it.name)):
        chosen.setdefault(each.deployment, each)
    return tuple(chosen.values())[:number]
