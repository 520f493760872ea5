"""Why a ladder stays or moves, as text of at most 80 columns and as JSON."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from finops.ladder.controller import ExplainedComparison, ExplainedCondition
from finops.ladder.controller.telling import figure
from finops.ladder.deciding import Because
from finops.ladder.explanation import NEVER_READ, Braking, Explanation
from finops.ladder.lines import ago, number, reading_in_words, table, tier_in_words, wrapped
from finops.ladder.standing import Standing
from finops.ladder.views import reading_data, standing_data

_UNKNOWN: Final = "unknown"
_AS_IT_IS: Final = (Because.HELD, Because.THEIRS)  # told as it is now: people may have spoken since the last decision


def explain_text(told: Explanation) -> str:
    """Everything that bears on the next move."""
    lines = [*wrapped(_where(told), "", "  "), *_why(told)]
    for each in told.conditions:
        lines += ["", *_condition(told, each)]
    lines += [*_jump(told), *_brakes(told.brakes), *_growth(told)]
    return "\n".join(lines)


def explain_data(told: Explanation) -> dict[str, JSON]:
    """The same as JSON, together with how the ladder stands."""
    last, jump = told.standing.last, told.jump
    return {
        **standing_data(told.standing),
        "judged_tier": told.tier,
        "saving_per_hour": _exact(told.saving),
        "notes": [
            {"because": note.because.value, "text": note.text, "tier": note.tier, "alert": note.is_alert}
            for note in (last.notes if last else ())
        ],
        "move": _move(told.standing),
        "conditions": [_condition_data(each) for each in told.conditions],
        "emergency": None if jump is None else {
            "tier": jump.tier,
            "samples": jump.samples,
            "streak": jump.streak,
            "comparisons": [_comparison_data(each) for each in jump.comparisons],
        },
        "brakes": [_braking_data(each) for each in told.brakes],
        "growth": _comparison_data(told.growth) if told.growth else None,
    }  # fmt: skip


def _where(told: Explanation) -> str:
    one = told.standing
    if one.ladder is None:
        stands = f"{one.name} is declared no more, and tier {one.tier} is in force"
        return f"{stands}. Only people move it: flyball ladder step {one.name} --to 0 --why …"
    mode = f"It is in {one.ladder.mode.value} mode"
    judged = "was not judged yet" if one.last is None else f"was judged {ago(one.last.at, one.at)}"
    if one.is_shadow:
        would = f": had it acted, it would be at {tier_in_words(one.ladder, told.tier)}" if one.last else ""
        return f"{one.name} is at {tier_in_words(one.ladder, one.tier)}. {mode}{would}. It {judged}."
    since = "" if one.since is None else f" since {wording.utc(one.since)}"
    return f"{one.name} is at {tier_in_words(one.ladder, one.tier)}{since}. {mode}, and {judged}."


def _why(told: Explanation) -> Iterator[str]:
    last, one = told.standing.last, told.standing
    said: list[str] = []
    if last is not None and last.move is not None:
        verb = "It would move" if one.is_shadow else "It moves" if one.step is not None else "It decided to move"
        said.append(f"{verb} to {tier_in_words(one.ladder, last.move.to_tier)}: {last.move.reason}")
    said += [note.text for note in last.notes if note.because not in _AS_IT_IS] if last is not None else []
    if one.hold is not None:
        until = f"until {wording.utc(one.hold.until)}" if one.hold.until else "until it is resumed"
        said.append(f"{one.hold.by} holds it {until}: {one.hold.why}")
    if one.theirs:
        said.append(f"People changed {', '.join(sorted(one.theirs))}, and it waits to be told what becomes of that.")
    if said:
        yield ""
    for text in dict.fromkeys(said):
        yield from wrapped(text, "- ", "  ")


def _condition(told: Explanation, each: ExplainedCondition) -> Iterator[str]:
    verb = "leave" if each.is_exit else "enter"
    which = "this" if len(each.comparisons) == 1 else "all of these" if each.needs_all else "any of these"
    where = tier_in_words(told.standing.ladder, each.tier)
    yield from wrapped(f"To {verb} {where}: {which}, {_streak(each.streak, each.samples)}", "", "  ")
    if each.is_exit:
        yield from _leaving(told, each)
    else:
        yield from _comparisons(told, each.comparisons)


def _streak(streak: int, samples: int) -> str:
    return f"{samples} sample{'' if samples == 1 else 's'} in a row, {min(streak, samples)} so far"


def _comparisons(told: Explanation, compared: Sequence[ExplainedComparison], sign: str = "≥") -> Iterator[str]:
    rows = [(each.signal, f"{sign} {number(each.threshold)}", _holds(each), _value(told, each)) for each in compared]
    yield from table(("SIGNAL", "NEEDS", "HOLDS", "VALUE"), rows)


def _leaving(told: Explanation, each: ExplainedCondition) -> Iterator[str]:
    ladder = told.standing.ladder
    if told.saving and ladder is not None:
        saving = wording.money(told.saving, ladder.currency)
        yield f"  judged by what would be without it: it saves {saving} an hour"
    rows = [
        (row.signal, f"< {number(row.threshold)}", _holds(row), _without(row), _value(told, row))
        for row in each.comparisons
    ]
    yield from table(("SIGNAL", "NEEDS", "HOLDS", "WITHOUT", "VALUE"), rows)


def _holds(each: ExplainedComparison) -> str:
    return _UNKNOWN if each.holds is None else "yes" if each.holds else "no"


def _without(each: ExplainedComparison) -> str:
    return _UNKNOWN if each.without is None else figure(each.without, each.threshold)


def _value(told: Explanation, each: ExplainedComparison) -> str:
    if each.value is not None:
        return figure(each.value, each.threshold)
    reading = told.readings.signals.get(each.signal)
    return "not read yet" if reading is None else f"{reading_in_words(reading)}" if reading.reason else each.fault


def _jump(told: Explanation) -> Iterator[str]:
    jump = told.jump
    if jump is not None:
        where = tier_in_words(told.standing.ladder, jump.tier)
        needs = f"two of these of different groups, {_streak(jump.streak, jump.samples)}, and an approval"
        yield from ("", *wrapped(f"To jump to {where}: {needs}", "", "  "))
        yield from _comparisons(told, jump.comparisons)


def _brakes(brakes: Sequence[Braking]) -> Iterator[str]:
    if brakes:
        yield from ("", "Brakes, by the share of an error budget that is left")
        rows = [(each.slo, f"≤ {number(each.minimum)}", _tells(each.brakes), _left(each)) for each in brakes]
        yield from table(("SLO", "AT", "BRAKES", "LEFT"), rows)


def _tells(brakes: bool | None) -> str:
    return _UNKNOWN if brakes is None else "yes" if brakes else "no"


def _left(each: Braking) -> str:
    what = f"from tier {each.from_tier} on" + (", leaving those in force" if each.releases else "")
    said = "not read yet" if each.reading == NEVER_READ else reading_in_words(each.reading)
    return f"{said}; {what}"


def _growth(told: Explanation) -> Iterator[str]:
    if told.growth is not None:
        yield from ("", "Growth: while the cost of a unit is flat, steps up need an approval")
        yield from _comparisons(told, [told.growth], "<")


def _condition_data(each: ExplainedCondition) -> dict[str, JSON]:
    return {
        "tier": each.tier,
        "to": "leave" if each.is_exit else "enter",
        "needs": "all" if each.needs_all else "any",
        "verdict": each.verdict.value,
        "samples": each.samples,
        "streak": each.streak,
        "comparisons": [_comparison_data(row) for row in each.comparisons],
    }


def _comparison_data(each: ExplainedComparison) -> dict[str, JSON]:
    return {
        "signal": each.signal,
        "threshold": _exact(each.threshold),
        "value": _exact(each.value),
        "without_tier": _exact(each.without),
        "holds": each.holds,
        "fault": each.fault,
    }


def _braking_data(each: Braking) -> dict[str, JSON]:
    return {
        "slo": each.slo,
        **reading_data(each.reading),
        "minimum": _exact(each.minimum),
        "from_tier": each.from_tier,
        "releases": each.releases,
        "brakes": each.brakes,
    }


def _move(one: Standing) -> dict[str, JSON] | None:
    move = one.last.move if one.last else None
    if move is None:
        return None
    return {"from": move.from_tier, "to": move.to_tier, "cause": move.cause.value, "reason": move.reason}


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
