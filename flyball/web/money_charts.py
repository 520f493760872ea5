"""The geometry of charts about money: numbers in, SVG coordinates and labels out. Templates draw, CSS colours.

Lines and areas live in the box of `flyball.web.charts`; every axis of money begins at zero.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from controlplane.model.event import RecordedEvent
from flyball.web import charts
from flyball.web.charts import Mark, Tick
from flyball.web.money_frame import Frame, Label, MoneyChart, Rows, Stroke
from flyball.web.money_history import BudgetHistory, UnitCostHistory
from flyball.web.money_pace import pace_course, share_at
from flyball.web.money_rows import BudgetRow, part_words
from flyball.web.money_status import Points

_ROOM: Final = 1.06  # of the largest value, so that nothing touches the upper edge
_MOST_MARKS: Final = 60
_EVENT_WORDS: Final = {
    names.EVENT_DEPLOYED: "deployment",
    names.EVENT_FLAG_CHANGED: "flag",
    names.EVENT_TIER_CHANGED: "tier",
    names.EVENT_COST_IMPORTED: "import",
    names.EVENT_COST_RESTATED: "restated",
    names.EVENT_COST_ISSUE: "cost issue",
}


def pace_chart(row: BudgetRow, history: BudgetHistory, events: Sequence[RecordedEvent]) -> MoneyChart:
    """Cumulative spend of the window against the pacing curve, with the amount and the forecast's band."""
    start, end = row.period
    amount, currency = float(row.amount), row.budget.currency
    pace = _paced(row)
    ahead = row.measured.outlook if row.ends_in is not None else None
    values = [amount, *(value for _, value in [*history.spent, *pace]), *([float(ahead.high)] if ahead else [])]
    high = max(values) * _ROOM or 1.0
    frame = Frame(start, end, high)
    fan = _fan(row, history, frame) if ahead else ()
    told = _told(row, history)
    return MoneyChart(
        name="pace",
        title=f"Spent this {row.window_words}" if row.ends_in is not None else f"Spent in the {row.window_words}",
        description=told,
        areas=fan,
        lines=tuple(
            it
            for it in (
                Stroke("amount", frame.path([(start, amount), (end, amount)])),
                Stroke("pace", frame.path(pace)),
                Stroke("money", frame.path(history.spent, gap=history.step)),
            )
            if it.path
        )
        if history.spent or row.measured.spent is not None
        else (),
        labels=_direct(row, history, frame, pace),
        y_ticks=frame.y_ticks(currency),
        x_ticks=charts.time_ticks(start, end),
        marks=_marks(history, events, frame),
        now_x=frame.x(row.now) if row.now < end else None,
        columns=(f"Spent, {currency}", f"Pace, {currency}"),
        rows=_course_rows(row, history),
    )


def burn_chart(row: BudgetRow, history: BudgetHistory) -> MoneyChart:
    """Burn rates of the last day, by window; 1 is the pace."""
    start, end = history.now - timedelta(days=1), history.now
    values = [value for _, points in history.burn for _, value in points]
    high = max([1.0, *values]) * _ROOM
    frame = Frame(start, end, high)
    lines = tuple(
        Stroke(f"burn w{at}", frame.path(points, gap=timedelta(minutes=10)))
        for at, (_, points) in enumerate(history.burn)
    )
    latest = [(window, points[-1][1]) for window, points in history.burn if points]  # shortest first
    said = ", ".join(f"{wording.times(value)} over {window}" for window, value in latest) or "No data"
    return MoneyChart(
        name="burn",
        title="Burn rate, 1 day",
        description=f"{said}. At 1× the budget lasts exactly its {row.window_words}.",
        lines=(Stroke("amount", frame.path([(start, 1.0), (end, 1.0)])), *lines) if values else (),
        labels=frame.spread([("", end, value, f"{window} window") for window, value in latest]),
        y_ticks=tuple(Tick(charts.plot_y(it, 0.0, high), wording.times(it)) for it in charts.round_values(0.0, high)),
        x_ticks=charts.time_ticks(start, end),
        columns=tuple(f"{window} window" for window, _ in history.burn),
        rows=_table([points for _, points in history.burn], wording.times),
    )


def daily_chart(days: Sequence[tuple[datetime, Decimal]], row: BudgetRow) -> MoneyChart:
    """What each day of the window cost; behind it what the pace expects of the day."""
    start, end = row.period[0].replace(hour=0, minute=0, second=0, microsecond=0), row.period[1]
    currency = row.budget.currency
    expected = _expected_days(row, start, end)
    largest = max([float(value) for _, value in days] + [value for _, value in expected], default=0.0)
    high = largest * _ROOM or 1.0
    frame = Frame(start, end, high)
    total = sum((value for _, value in days), Decimal(0))
    mean = wording.money(total / max(len(days), 1), currency)
    counted = f"{len(days)} {'day' if len(days) == 1 else 'days'}"
    told = f"{wording.money(total, currency)} in {counted}, {mean} a day on average."
    return MoneyChart(
        name="daily",
        title="Spent each day",
        description=f"{told} Behind the bars: what the pace expects of each day." if days else "",
        bars=(*frame.bars("expected", expected, currency), *frame.bars("day", days, currency)) if days else (),
        y_ticks=frame.y_ticks(currency),
        x_ticks=charts.time_ticks(start, end),
        columns=(f"Spent, {currency}",),
        rows=tuple((at, ((wording.money(value, ""), f"{value:f}"),)) for at, value in days),
    )


def unit_cost_chart(
    history: UnitCostHistory, *, currency: str, target: Decimal | None, span: str, per: str
) -> MoneyChart:  # fmt: skip
    """The course of the dearest parts of a unit cost against its target."""
    values = [value for _, points in history.parts for _, value in points]
    high = max([0.0, *values, *([float(target)] if target is not None else [])]) * _ROOM or 1.0
    frame = Frame(history.start, history.now, high)
    drawn = history.parts[:5]
    lines = [Stroke(f"part p{at}", frame.path(points, gap=history.step)) for at, (_, points) in enumerate(drawn)]
    aim = [] if target is None else [(history.start, float(target)), (history.now, float(target))]
    labels = [("", points[-1][0], points[-1][1], part_words(part)) for part, points in drawn]
    if aim:
        labels.append(("amount", history.start, float(target or 0), f"target {wording.money(target, currency)}"))
    return MoneyChart(
        name="unit-cost",
        title=f"Cost of {per or 'a unit'}, {span}",
        description=_unit_words(history, currency, target),
        lines=(*([Stroke("amount", frame.path(aim))] if aim else []), *lines) if values else (),
        labels=frame.spread(labels),
        y_ticks=frame.y_ticks(currency),
        x_ticks=charts.time_ticks(history.start, history.now),
        columns=tuple(part_words(part) for part, _ in drawn),
        rows=_table([points for _, points in drawn], lambda value: wording.money(value, "")),
    )


def _paced(row: BudgetRow) -> Points:
    """The pacing curve in money; of a window that rolls it is the amount all along, and not drawn again."""
    amount = float(row.amount)
    if row.ends_in is None:
        return ()
    return tuple((at, share * amount) for at, share in pace_course(row.budget.pace, *row.period))


def _fan(row: BudgetRow, history: BudgetHistory, frame: Frame) -> tuple[Stroke, ...]:
    """From what is spent now to the forecast of the window's end, spread in between as the pace is."""
    ahead, spent = row.measured.outlook, row.measured.spent
    if ahead is None or spent is None:
        return ()
    curve = pace_course(row.budget.pace, *row.period) or ((row.now, 0.0), (row.period[1], 1.0))
    begun = share_at(curve, row.now)
    later = [(row.now, begun), *[(at, share) for at, share in curve if at > row.now]]

    def towards(end: Decimal) -> Points:
        rest = float(end - spent)
        return tuple((at, float(spent) + rest * (share - begun) / ((1 - begun) or 1.0)) for at, share in later)

    band = Stroke("band", frame.polygon(towards(ahead.low), towards(ahead.high)))
    return (band, Stroke("forecast", frame.path(towards(ahead.middle))))


def _direct(
    row: BudgetRow, history: BudgetHistory, frame: Frame, pace: Points
) -> tuple[Label, ...]:  # fmt: skip
    currency = row.budget.currency
    wanted = [("amount", frame.start, float(row.amount), f"amount {wording.money(row.amount, currency)}")]
    if history.spent:
        at, value = history.spent[-1]
        wanted.append(("money", at, value, f"spent {wording.money(value, '')}"))
    if pace:
        wanted.append(("pace", *pace[len(pace) * 3 // 4], "pace"))
    if row.measured.outlook and row.ends_in is not None:
        ahead = row.measured.outlook
        wanted.append(("forecast", frame.end, float(ahead.middle), f"forecast {wording.money(ahead.middle, '')}"))
    return frame.spread(wanted)


def _marks(history: BudgetHistory, events: Sequence[RecordedEvent], frame: Frame) -> tuple[Mark, ...]:
    """Alerts, then new versions, then what the event log tells; the latest where there are very many."""
    bare = [
        Mark(it.severity or "alert", frame.x(it.start), round(frame.x(it.end) - frame.x(it.start), 2),
             it.severity or "alert", "", f"{it.alert}, {it.severity}: {wording.utc(it.start)} to {wording.utc(it.end)}")
        for it in history.fired
    ]  # fmt: skip
    bare += [
        Mark("deployment", frame.x(at), 0, version, "", f"deployment of {service} {version}: {wording.utc(at)}")
        for service, version, at in history.versions[-_MOST_MARKS:]
    ]
    bare += [_event_mark(it, frame) for it in list(events)[:_MOST_MARKS] if it.event.kind in _EVENT_WORDS]
    return charts.labelled(bare)


def _event_mark(it: RecordedEvent, frame: Frame) -> Mark:
    word = _EVENT_WORDS[it.event.kind]
    told = f"{word} of {it.event.subject}: {wording.utc(it.event.occurred_at)}"
    return Mark("deployment", frame.x(it.event.occurred_at), 0, word, "", told)


def _told(row: BudgetRow, history: BudgetHistory) -> str:
    if not history.spent:
        return "No data for what was spent in this window."
    at, value = history.spent[-1]
    fired = {0: "No alert fired.", 1: "One alert fired."}.get(
        len(history.fired), f"Alerts fired {len(history.fired)} times."
    )
    return f"{wording.money(value, row.budget.currency)} spent by {wording.utc(at)}. {fired}"


def _course_rows(
    row: BudgetRow, history: BudgetHistory
) -> Rows:  # fmt: skip
    amount, shares = float(row.amount), dict(history.pace)
    found = []
    for at, value in charts.thinned(history.spent):
        share = shares.get(at)
        due = (wording.MISSING, "") if share is None else (wording.money(share * amount, ""), repr(share * amount))
        found.append((at, ((wording.money(value, ""), repr(value)), due)))
    return tuple(found)


def _table(
    courses: Sequence[Points], say: Callable[[float], str]
) -> Rows:  # fmt: skip
    by_time = [dict(points) for points in courses]
    times = sorted({at for points in by_time for at in points})
    kept = {at for at, _ in charts.thinned([(at, 0.0) for at in times])}
    return tuple(
        (at, tuple((say(it[at]), repr(it[at])) if at in it else (wording.MISSING, "") for it in by_time))
        for at in times
        if at in kept
    )


def _expected_days(row: BudgetRow, start: datetime, end: datetime) -> list[tuple[datetime, float]]:
    """What the pace expects of each day of the window, or of the part of a day that lies in it."""
    curve = pace_course(row.budget.pace, *row.period)
    amount, days = float(row.amount), []
    at = start
    while at < end:
        after = at + timedelta(days=1)
        days.append((at, (share_at(curve, after) - share_at(curve, at)) * amount))
        at = after
    return days


def _unit_words(history: UnitCostHistory, currency: str, target: Decimal | None) -> str:
    if not history.parts:
        return "No data for this unit cost in this time."
    part, points = history.parts[0]
    values = [value for _, value in points]
    said = f"The dearest, {part_words(part)}, costs {wording.money(values[-1], currency)}"
    aim = "" if target is None else f"; at most {wording.money(target, currency)} is wanted"
    low, high = (wording.money(pick(values), "") for pick in (min, max))
    return f"{said} ({low} to {high} in this time){aim}."
