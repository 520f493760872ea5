"""History out of a Prometheus: what the live reader would have read at each moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from controlplane.model.budget import Budget
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend
from finops.ladder.model import Ladder, Signal
from finops.ladder.readings import Reading, Readings
from finops.ladder.signals.queries import data_query
from finops.ladder.signals.scopes import NO_SCOPES, OF_BUDGETS, MoneyScope, Scopes
from finops.ladder.simulation.before_rules import begins_late, filled, ledger_course, notes
from finops.ladder.simulation.columns import Column, Grid, column
from finops.ladder.simulation.computed import BudgetCourse, follows
from finops.ladder.simulation.courses import SignalCourse, SourceCourse, brake_course, source_course
from finops.ladder.simulation.model import History, Point
from finops.ladder.simulation.part_queries import COARSE, FINE, Part, brakes_of, parts_of, spend_of

_AT_ONCE: Final = 2  # questions: enough for two cores of a Prometheus, and others want to ask, too
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where recorded history is, and what helps to read it: whose money signals count, and how many users there were.

    `budgets` by name. `users_query` is PromQL for the number of users; empty: nobody knows.
    """

    backend: MetricsBackend
    scopes: Scopes = NO_SCOPES
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    users_query: str = ""
    origin: str = ""


def recorded_history(
    ladder: Ladder, of: Recorded, start: datetime, end: datetime, progress: Progress = lambda share: None
) -> History:
    """What was recorded from `start` to before `end`, a point each minute or as often as the ladder samples.

    Raises what the backend raises.
    """
    grid = grid_of(ladder, start, end)
    coarse = grid.coarser(max(COARSE, grid.step) // grid.step * grid.step)
    asked = _asked(ladder, of, grid, coarse)
    answers = _answers(of.backend, asked, progress)
    scopes = {scope for signal in ladder.signals if (scope := of.scopes.of(ladder, signal)) is not None}
    sources = {scope: source_course(answers["data", scope.matchers], coarse) for scope in scopes}
    courses = [_course(ladder, signal, of.scopes, answers, (grid, coarse), sources) for signal in ladder.signals]
    late, ledgers = _late(ladder, of, courses, grid)
    brakes = brake_course(ladder, answers.get(("brakes", ""), ()), coarse)
    spend = _summed([answers["spend", name] for name in counted_budgets(ladder, of.budgets)], coarse)
    users = _summed([answers["users", ""]] if of.users_query else [], coarse)
    readings = [
        filled(course, ledgers[course.signal.subject], grid) if course.signal.name in late else course.readings()
        for course in courses
    ]
    signals = [course.signal.name for course in courses]
    points = _points(dict(zip(signals, readings, strict=True)), brakes, (spend, users), grid, coarse.step // grid.step)
    said = tuple(notes(late, grid))
    return History(grid.start, grid.step, points, budgets_of(ladder, of.budgets), of.origin, said)


def _late(
    ladder: Ladder, of: Recorded, courses: Sequence[SignalCourse], grid: Grid
) -> tuple[dict[str, SignalCourse], dict[str, BudgetCourse]]:
    """Signals that were not recorded from the beginning on, as far as ledgers of their budgets know more."""
    about = budgets_of(ladder, of.budgets)
    late = {
        each.signal.name: each
        for each in courses
        if each.signal.name in about and follows(each.signal) and begins_late(each, grid)
    }
    budgets = {about[name].name: about[name] for name in late}
    ledgers = {
        name: found for name, each in budgets.items() if (found := ledger_course(of.backend, each, grid)) is not None
    }
    return {name: each for name, each in late.items() if each.signal.subject in ledgers}, ledgers


def grid_of(ladder: Ladder, start: datetime, end: datetime) -> Grid:
    """Whole minutes; as far apart as the ladder's samples where these are farther."""
    step = max(FINE, ladder.every)
    first = start.replace(second=0, microsecond=0)
    return Grid(first, step, max((end - first) // step, 1))


def budgets_of(ladder: Ladder, budgets: Mapping[str, Budget]) -> dict[str, Budget]:
    """The budget that each signal is about, as far as they are known."""
    return {
        signal.name: budgets[signal.subject]
        for signal in ladder.signals
        if signal.measure in OF_BUDGETS and signal.subject in budgets
    }


_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Question:
    key: _Key
    expr: str
    grid: Grid


def _asked(ladder: Ladder, of: Recorded, grid: Grid, coarse: Grid) -> list[_Question]:
    """Every question once, the dear ones first."""
    found: dict[_Key, _Question] = {}

    def ask(kind: str, what: str, expr: str, over: Grid) -> None:
        found.setdefault((kind, what), _Question((kind, what), expr, over))

    for signal in ladder.signals:
        for part in parts_of(signal).values():
            ask("part", _what(part), part.expr, grid if part.is_fine else coarse)
        scope = of.scopes.of(ladder, signal)
        if scope is not None:
            ask("data", scope.matchers, data_query(scope), coarse)
    brakes = brakes_of(ladder)
    if brakes is not None:
        ask("brakes", "", brakes, coarse)
    for name in counted_budgets(ladder, of.budgets):
        ask("spend", name, spend_of(name, ladder.currency), coarse)
    if of.users_query:
        ask("users", "", of.users_query, coarse)
    return sorted(found.values(), key=lambda each: each.grid.step)


def _what(part: Part) -> str:
    return f"{part.is_fine} {part.expr}"


def _answers(backend: MetricsBackend, asked: Sequence[_Question], progress: Progress) -> dict[_Key, Sequence[Series]]:
    def ask(question: _Question) -> Sequence[Series]:
        return backend.query_range(question.expr, question.grid.start, question.grid.last, question.grid.step)

    answers: dict[_Key, Sequence[Series]] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for question, answer in zip(asked, pool.map(ask, asked), strict=True):
            answers[question.key] = answer
            progress(len(answers) / len(asked))
    return answers


def _course(
    ladder: Ladder,
    signal: Signal,
    scopes: Scopes,
    answers: Mapping[_Key, Sequence[Series]],
    grids: tuple[Grid, Grid],
    sources: Mapping[MoneyScope, SourceCourse],
) -> SignalCourse:
    grid, coarse = grids
    parts = parts_of(signal)
    columns: dict[str, Column] = {
        name: column(answers["part", _what(part)], grid if part.is_fine else coarse) for name, part in parts.items()
    }
    scope = scopes.of(ladder, signal)
    behind = {} if scope is None else {"sources": sources[scope]}
    return SignalCourse(ladder, signal, parts, columns, grid, coarse, **behind)


def _points(
    readings: Mapping[str, Iterator[Reading]],
    brakes: Sequence[Mapping[str, Reading]],
    others: tuple[Sequence[Decimal | None], Sequence[Decimal | None]],
    grid: Grid,
    every: int,
) -> list[Point]:
    spend, users = others
    points = []
    for place in range(grid.count):
        block = place // every
        said = Readings(grid.at(place), {name: next(course) for name, course in readings.items()}, brakes[block])
        points.append(Point(said, users[block], spend[block]))
    return points


def counted_budgets(ladder: Ladder, budgets: Mapping[str, Budget]) -> list[str]:
    """The budgets that the ladder is about, in its currency; one whose scope is part of another's counts once."""
    about = {each.name: each for each in budgets_of(ladder, budgets).values() if each.currency == ladder.currency}
    return sorted(name for name in about if not any(_is_part(about[name], other) for other in about.values()))


def _is_part(budget: Budget, other: Budget) -> bool:
    """Whether another budget counts all of this one's money, too; of two that count the same, one is part."""
    if other is budget or not _holds(other, budget):
        return False
    return not _holds(budget, other) or other.name < budget.name


def _holds(wide: Budget, narrow: Budget) -> bool:
    """Whether all spend in the second scope is in the first one."""
    asked = dict(narrow.scope)
    return all(label in asked and set(asked[label]) <= set(values) for label, values in wide.scope)


def _summed(answers: Sequence[Sequence[Series]], coarse: Grid) -> list[Decimal | None]:
    """The sum of all series at each coarse point; None where there is none."""
    found: list[Decimal | None] = [None] * coarse.count
    for answer in answers:
        for series in answer:
            for at, value in series.points:
                place = (at - coarse.start) // coarse.step
                if 0 <= place < coarse.count and isfinite(value):
                    found[place] = (found[place] or Decimal(0)) + Decimal(repr(value))
    return found
