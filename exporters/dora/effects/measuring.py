"""One deployment's effects, from what is recorded of its service and what else happened around it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.delivery import Deployment
from exporters.dora.effects.confounding import Surroundings, confounders
from exporters.dora.effects.estimating import Estimate, Method, Question, Scale, TooLittle, estimate
from exporters.dora.effects.fetching import Recorded, RecordedSLO, RecordedUnitCost
from exporters.dora.effects.model import (
    Amount,
    Confounder,
    ConfounderKind,
    Effect,
    Figures,
    Spent,
    State,
    Subject,
)
from exporters.dora.effects.slots import Slots, Window
from exporters.dora.effects.windows import LATE, LEAST, TooClose, Windows, named, windows
from exporters.dora.policy.model import EffectTerms

_HOUR: Final = timedelta(hours=1)
_DIGITS: Final = 12
_NOTHING_RECORDED: Final = "no SLO and no unit cost belongs to the service"
_Amounts = tuple[Amount, Amount, Amount | None]  # the change, what is extra, and that as a share or as money
_Figured = Callable[[Estimate], _Amounts]


def effects(
    deployment: Deployment, around: Surroundings, recorded: Recorded, terms: EffectTerms, now: datetime
) -> list[Effect]:
    """One for each SLO and unit cost of its service; one that says so where there is none."""
    blank = Effect(
        deployment.id,
        deployment.service,
        deployment.environment,
        deployment.at,
        deployment.version or deployment.revision[:12],
        Subject.NONE,
        "",
        State.UNKNOWN,
        url=deployment.url,
    )
    slos = recorded.slos.get(deployment.service, ())
    unit_costs = recorded.unit_costs.get(deployment.service, ())
    if not slos and not unit_costs:
        return [replace(blank, reason=_NOTHING_RECORDED)]
    try:
        compared = windows(deployment, around.previous, around.following, terms)
    except TooClose as error:
        unknown = replace(blank, reason=str(error))
        return [
            *(replace(unknown, subject=Subject.SLO, name=each.name, period=each.period) for each in slos),
            *(replace(unknown, subject=Subject.UNIT_COST, name=each.unit_cost.name) for each in unit_costs),
        ]
    judge = _Judge(blank, around, compared, terms, now)
    return [*(judge.slo(each) for each in slos), *(judge.unit_cost(each) for each in unit_costs)]


@dataclass(frozen=True, slots=True)
class _Judge:
    """Measures each subject of one deployment over the same windows."""

    blank: Effect
    around: Surroundings
    windows: Windows
    terms: EffectTerms
    now: datetime

    def slo(self, recorded: RecordedSLO) -> Effect:
        """The effect on an error budget."""
        effect = replace(self.blank, subject=Subject.SLO, name=recorded.name, period=recorded.period)
        budget = recorded.budget(self.blank.at)

        def figured(found: Estimate) -> _Amounts:
            change = _amount(*(found.after - each for each in (found.expected, found.high, found.low)))
            extra = _times(change, found.whole)
            return change, extra, _times(extra, 1 / budget) if budget else None

        return self._measured(effect, recorded.slots, Scale.DIFFERENCE, figured, recorded.excluded)

    def unit_cost(self, recorded: RecordedUnitCost) -> Effect:
        """The effect on what a unit costs."""
        declared = recorded.unit_cost
        effect = replace(
            self.blank,
            subject=Subject.UNIT_COST,
            name=declared.name,
            currency=declared.currency,
            per=f"{declared.per:,f} {declared.units.what}",
        )

        def figured(found: Estimate) -> _Amounts:
            change = _amount(*(found.after / each - 1 for each in (found.expected, found.high, found.low)))
            money = _amount(*(found.part - found.whole * each for each in (found.expected, found.high, found.low)))
            return change, money, money

        return self._measured(effect, recorded.slots, Scale.QUOTIENT, figured)

    def _measured(
        self,
        effect: Effect,
        slots: Slots,
        scale: Scale,
        figured: _Figured,
        excluded: Sequence[tuple[datetime, str]] = (),
    ) -> Effect:
        others = confounders(self.around, self.windows, excluded)
        try:
            found = estimate(slots, self._question(self.windows.after, scale))
        except TooLittle as error:
            return replace(effect, reason=str(error), confounders=others)
        change, extra, whole = figured(found)
        hours = self.windows.after.length / _HOUR
        figures = Figures(
            _decimal(found.before),
            _decimal(found.after),
            _amount(found.expected, found.low, found.high),
            change,
            extra,
            _times(whole, 1 / hours) if whole else None,
            self._spent(slots, scale, figured, (change, extra, whole)),
            self.windows.before.start,
            self.windows.before.end,
            self.windows.after.start,
            self.windows.after.end,
            found.method.value,
            found.pasts,
            self.terms.confidence,
        )
        return replace(
            effect, state=State.MEASURED, figures=figures, confounders=(*others, *_shaky(found.method, found.pasts))
        )  # fmt: skip

    def _spent(self, slots: Slots, scale: Scale, figured: _Figured, compared: _Amounts) -> Spent:
        """For as long as it went on being worse: until it was ended, or was as before, or up to now."""
        change, extra, whole = compared
        total = self.windows.total
        end, is_final, by = self.windows.after.end, True, ""
        if change.leaves_out_zero and change.value > 0:
            known = min(total.end, self.now - LATE)
            end = self._worse_until(slots, scale, figured, known)
            is_final = end < known or known >= total.end
            by = named(self.windows.ended_by) if self.windows.ended_by and end >= total.end else ""
            try:
                _, extra, whole = figured(estimate(slots, self._question(Window(total.start, end), scale)))
            except TooLittle:
                end = self.windows.after.end
        return Spent(end, extra, whole if scale is Scale.DIFFERENCE else None, by, is_final)

    def _worse_until(self, slots: Slots, scale: Scale, figured: _Figured, known: datetime) -> datetime:
        """The end of the last stretch, each as long as the window, in which it was still measurably worse."""
        end = self.windows.after.end
        while known - end >= LEAST:
            stretch = Window(end, min(end + self.terms.window, known))
            try:
                change, _, _ = figured(estimate(slots, self._question(stretch, scale)))
            except TooLittle:
                return end
            if change.lower <= 0:
                return end
            end = stretch.end
        return known

    def _question(self, after: Window, scale: Scale) -> Question:
        return Question(
            self.blank.at,
            self.windows.before,
            after,
            self.around.others,
            scale,
            float(self.terms.confidence),
        )


def _shaky(method: str | Method, pasts: int) -> tuple[Confounder, ...]:
    if method is Method.SLOTS:
        return (Confounder(ConfounderKind.PAST, "there is no past to compare with: the interval may be too narrow"),)
    if method is Method.FEW_PASTS:
        return (Confounder(ConfounderKind.PAST, f"the interval rests on {pasts} stretches of the past only"),)
    return ()


def _amount(value: float, lower: float, upper: float) -> Amount:
    return Amount(_decimal(value), _decimal(lower), _decimal(upper))


def _times(amount: Amount, factor: float) -> Amount:
    return _amount(*(float(each) * factor for each in (amount.value, amount.lower, amount.upper)))


def _decimal(value: float) -> Decimal:
    """With 12 significant digits: more are noise of binary fractions."""
    if not math.isfinite(value):
        return Decimal(0)
    found = Decimal(f"{value:.{_DIGITS - 1}e}")
    return Decimal(0) if not found else found.normalize()
