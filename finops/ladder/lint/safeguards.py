"""What must hold a ladder back: journeys, brakes, the emergency jump, growth, times."""

from datetime import timedelta
from typing import Final

from controlplane.burn_rate import duration
from finops.budgets.spec import CALENDAR_WORDS, BudgetDocument
from finops.ladder.lint.examined import Examined, at_tier, called
from finops.ladder.lint.overlapping import why_dependent
from finops.ladder.lint.references import is_money
from finops.ladder.model import Measure, Signal, Tier

JOURNEY: Final = "ladder-journey"
BRAKE: Final = "ladder-brake"
EMERGENCY: Final = "ladder-emergency"
GROWTH: Final = "ladder-growth"
TIMING: Final = "ladder-timing"
_RECORDED_EVERY: Final = timedelta(minutes=1)
_INDEPENDENT: Final = 2


def check(it: Examined) -> None:
    """Each of them."""
    for tier in it.ladder.tiers:
        _journeys(it, tier)
        _late_exit(it, tier)
        _dwell(it, tier)
    _brakes(it)
    _emergency(it)
    _growth(it)
    _staleness(it)


def _journeys(it: Examined, tier: Tier) -> None:
    known, at = it.ground.named("Journey"), (*at_tier(tier.number), "journeys")
    if not tier.journeys:
        message = f"nothing verifies {called(tier)}: no journey must be green before it stands"
        hint = f"name some: {', '.join(sorted(known))}" if known else "declare a Journey over your core flow"
        it.report.error(*at, message=message, hint=hint, rule=JOURNEY)
    for number, name in enumerate(it.spec.tiers[tier.number - 1].journeys):
        if name not in known and not it.ground.may_be_declared(name):
            it.report.unknown(
                *at, number, what="Journey", name=name, known=known, hint="declare a Journey", rule=JOURNEY,
                on_key=False,
            )  # fmt: skip


def _brakes(it: Examined) -> None:
    seen: set[str] = set()
    for number, brake in enumerate(it.ladder.brakes):
        at = ("spec", "brakes", number)
        if brake.slo in seen:
            message = f"SLO `{brake.slo[:80]}` brakes already"
            it.report.error(*at, "slo", message=message, hint="one brake for each SLO: the lower tier", rule=BRAKE)
        seen.add(brake.slo)
        slos = it.ground.slos
        if slos is not None and brake.slo not in slos and not it.ground.may_be_declared(brake.slo):
            it.report.unknown(
                *at, "slo", what="SLO", name=brake.slo, known=slos, hint="declare the SLO", rule=BRAKE, on_key=False
            )
        if brake.from_tier > it.ladder.top:
            message = f"brakes no tier: there are only {it.ladder.top}"
            it.report.error(*at, "fromTier", message=message, hint=f"at most {it.ladder.top}", rule=BRAKE)
        elif brake.from_tier == 1:
            message = f"no tier lies below it: while the budget of `{brake.slo[:80]}` is gone nothing saves money"
            hint = "brake from the first tier on that degrades this flow"
            it.report.warning(*at, "fromTier", message=message, hint=hint, rule=BRAKE)


def _emergency(it: Examined) -> None:
    jump = it.ladder.emergency
    if jump is None:
        return
    at = ("spec", "emergency")
    if jump.tier > it.ladder.top:
        message = f"there is no tier {jump.tier}: there are only {it.ladder.top}"
        it.report.error(*at, "tier", message=message, hint=f"at most {it.ladder.top}", rule=EMERGENCY)
    elif jump.tier == 1:
        message = "jumps over nothing: tier 1 is the next one from full service"
        it.report.warning(*at, "tier", message=message, hint="remove it, or name a higher tier", rule=EMERGENCY)
    signals = [found for each in jump.comparisons if (found := it.ladder.signal(each.signal)) is not None]
    groups = sorted({signal.group for signal in signals})
    if len(signals) == len(jump.comparisons) and len(groups) < _INDEPENDENT:
        message = f"its signals do not confirm each other: all are of the group `{groups[0]}`"
        hint = "two must hold that come from different sources: add a signal of another budget, unit cost or query"
        it.report.error(*at, "any", message=message, hint=hint, rule=EMERGENCY)
    _dependent(it, signals)


def _dependent(it: Examined, signals: list[Signal]) -> None:
    """Groups may differ in name only: spend of a part is spend of the whole, and one metric feeds both."""
    for number, one in enumerate(signals):
        for other in signals[:number]:
            why = why_dependent(it.ground, one, other) if one.group != other.group else ""
            if why:
                message = f"`{other.name}` and `{one.name}` are not independent: {why}"
                hint = "give both the same `group`, and add a signal from another source"
                at = ("spec", "emergency", "any", one.name)
                it.report.warning(*at, message=message, hint=hint, rule=EMERGENCY, on_key=True)


def _growth(it: Examined) -> None:
    growth = it.ladder.growth
    signal = it.ladder.signal(growth.signal) if growth else None
    if signal is not None and signal.measure is not Measure.UNIT_COST:
        message = f"`{signal.name}` is no unit cost: whether spend grows with use is not to be seen from it"
        hint = "name a signal with `unitCost`"
        it.report.warning("spec", "growth", "signal", message=message, hint=hint, rule=GROWTH)


def _late_exit(it: Examined, tier: Tier) -> None:
    """What only adds up within a period falls when the next one begins."""
    names = [each.signal for each in tier.exit.comparisons if _only_adds_up(it, it.ladder.signal(each.signal))]
    if not names or (not tier.exit.needs_all and len(names) < len(tier.exit.comparisons)):
        return
    at = (*at_tier(tier.number), "exit", "all" if tier.exit.needs_all else "any", names[0])
    message = f"`{names[0]}` only rises until its period ends: {called(tier)} stands until then"
    hint = "leave by burnRate, forecast or spike, or set `expires`"
    if tier.expires_after is None:
        it.report.warning(*at, message=message, hint=hint, rule=TIMING)


def _only_adds_up(it: Examined, signal: Signal | None) -> bool:
    if signal is None or signal.measure is not Measure.SPENT:
        return signal is not None and signal.measure is Measure.QUOTA
    document = it.ground.named("Budget").get(signal.subject)
    value = document.value if document is not None else None
    return isinstance(value, BudgetDocument) and value.spec.window.every in CALENDAR_WORDS


def _dwell(it: Examined, tier: Tier) -> None:
    if tier.dwell < it.ladder.every:
        message = f"shorter than the time between two samples ({duration(it.ladder.every)}): it keeps nothing"
        it.report.warning(*at_tier(tier.number), "dwell", message=message, hint="such as 15m", rule=TIMING)


def _staleness(it: Examined) -> None:
    """Spend is recorded every minute: what may be no older than that is stale again and again."""
    hint = f"{duration(2 * _RECORDED_EVERY)} at least"
    whole = False
    for number, part in enumerate(it.spec.signals):
        signal = it.ladder.signal(part.name)
        if signal is None or not is_money(signal) or signal.stale_after >= 2 * _RECORDED_EVERY:
            continue
        if part.stale_after is not None:
            message = f"`{signal.name}` is recorded once a minute: it would count as stale again and again"
            it.report.warning("spec", "signals", number, "staleAfter", message=message, hint=hint, rule=TIMING)
        whole = whole or part.stale_after is None
    if whole:
        message = "spend is recorded once a minute: it would count as stale again and again"
        it.report.warning("spec", "staleAfter", message=message, hint=hint, rule=TIMING)
