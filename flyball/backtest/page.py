"""A backtest as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from controlplane import wording
from finops.ladder.deciding import Because
from finops.ladder.simulation import sentences
from finops.ladder.simulation.book import HOLDS
from finops.ladder.simulation.fail_on import FailOn
from finops.ladder.simulation.model import Held, Moved, Simulation, Stretch
from flyball.web.charts import Lines, Tick, lines_of, plot_y, round_values, time_ticks
from flyball.web.pages import STATIC, environment
from slo.status import Points

_SHEETS: Final = ("tokens.css", "console.css", "replay.css", "backtest.css")
_ROW: Final = 28  # pixels of a tier
_NARROWEST: Final = 0.15  # per cent: what is shorter is drawn that wide
_ROWS: Final = 500  # of a timeline; --json has them all


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle over time: x and width in per cent, y and height in pixels, and what it says."""

    x: float
    width: float
    y: float
    height: float
    told: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Staircase:
    """Tiers over time. `floor` is the y of full service."""

    height: float
    floor: float
    steps: tuple[Block, ...]
    blind: tuple[Block, ...]
    held: tuple[Block, ...]
    rows: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    description: str


@dataclass(frozen=True, slots=True)
class SpendChart:
    """Money an hour, as it was and as it would have been."""

    was: Lines
    would_be: Lines
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    description: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """One simulation as the page shows it."""

    it: Simulation
    stairs: Staircase
    spend: SpendChart | None
    rows: tuple[Moved | Held, ...]
    left_out: int


def as_html(simulations: Sequence[Simulation], failed: Sequence[tuple[str, FailOn]] = ()) -> str:
    """The page. Everything that users wrote is escaped; colours follow the reader's scheme, or the switch."""
    first = simulations[0]
    return environment().get_template("backtest.html").render(
        {
            "views": [_view(each) for each in simulations],
            "first": first,
            "failed": failed,
            "length": wording.duration(first.until - first.since),
            "sheets": [Markup((STATIC / name).read_text()) for name in _SHEETS],  # noqa: S704 -- our own files
            "definitions": sentences.definitions(first),
            "notes": list(dict.fromkeys(note for each in simulations for note in each.notes)),
            "say": sentences,
            "money": wording.money,
            "is_move": lambda row: isinstance(row, Moved),
        }
    )  # fmt: skip


def _view(simulation: Simulation) -> PolicyView:
    rows: list[Moved | Held] = sorted([*simulation.moves, *simulation.held], key=_when)
    return PolicyView(
        simulation, _stairs(simulation), _spend(simulation), tuple(rows[:_ROWS]), max(len(rows) - _ROWS, 0)
    )


def _when(row: Moved | Held) -> tuple[datetime, int]:
    return (row.at, 1) if isinstance(row, Moved) else (row.since, 0)


def _stairs(simulation: Simulation) -> Staircase:
    names = {tier.number: tier.name for tier in simulation.ladder.tiers}
    top = max(simulation.totals.max_tier, 1)
    floor = float(top * _ROW + 8)
    steps = tuple(
        _block(
            simulation, each, floor - each.tier * _ROW, each.tier * _ROW, f"tier {each.tier} {names.get(each.tier, '')}"
        )
        for each in simulation.stretches
        if each.tier
    )
    blind = [each for each in simulation.held if each.because is Because.NO_DATA]
    held = [each for each in simulation.held if each.because in HOLDS]
    rows = [Tick(floor - tier * _ROW, f"{tier} {names.get(tier, '')}") for tier in range(1, top + 1)]
    return Staircase(
        height=floor + 32,
        floor=floor,
        steps=steps,
        blind=tuple(_block(simulation, each, 0, floor, each.text) for each in blind),
        held=tuple(_block(simulation, each, floor + 2, 4, f"held by {sentences.because(each)}") for each in held),
        rows=tuple(rows),
        x_ticks=time_ticks(simulation.since, simulation.until),
        description=" ".join(_told(simulation)),
    )


def _titled(tier: int, names: Mapping[int, str]) -> str:
    return f"tier {tier} {names.get(tier, '')}".strip()


def _told(simulation: Simulation) -> Iterator[str]:
    totals = simulation.totals
    if not totals.moves:
        yield "It would not have moved."
    else:
        share = sentences.share_of_time(simulation)
        yield (
            f"{sentences.plural(totals.moves, 'move')}, up to tier {totals.max_tier}; "
            f"reduced for {share} of the time; {sentences.plural(totals.flaps, 'flap')}."
        )
    if totals.held_minutes:
        yield f"Held for {sentences.spell(totals.held_minutes)}."
    if totals.minutes_without_data:
        yield f"Without data for {sentences.spell(totals.minutes_without_data)}."


def _block(simulation: Simulation, of: Stretch | Held, y: float, height: float, told: str) -> Block:
    whole = simulation.until - simulation.since
    x = (of.since - simulation.since) / whole * 100
    width = max((of.until - of.since) / whole * 100, _NARROWEST)
    when = f"{wording.utc(of.since)} to {wording.utc(of.until)}, {wording.duration(of.until - of.since)}"
    return Block(round(min(x, 100 - _NARROWEST), 3), round(width, 3), y, height, f"{told}: {when}")


def _spend(simulation: Simulation) -> SpendChart | None:
    points = simulation.spend
    if len(points) < 2:
        return None
    was = tuple((point.at, float(point.was)) for point in points)
    would_be = tuple((point.at, float(point.would_be)) for point in points)
    high = max(value for _, value in was) or 1.0
    step = max(points[1].at - points[0].at, timedelta(minutes=1))

    def lines(course: Points) -> Lines:
        return lines_of(course, start=simulation.since, end=simulation.until, step=step * 2, low=0.0, high=high)

    currency = simulation.ladder.currency
    return SpendChart(
        lines(was),
        lines(would_be),
        tuple(Tick(plot_y(value, 0.0, high), wording.money(value, currency)) for value in round_values(0.0, high)),
        time_ticks(simulation.since, simulation.until),
        f"Highest {wording.money(high, currency)} an hour without the ladder. "
        f"Saved in all: {wording.money(simulation.totals.saved, currency)}.",
    )
