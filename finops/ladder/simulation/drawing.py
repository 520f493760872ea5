"""Tiers over time in characters: a staircase for one ladder, a lane for each of several."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from finops.ladder.deciding import Because
from finops.ladder.simulation.model import Simulation

WIDTH: Final = 80
_DAY: Final = timedelta(days=1)
_STEPS: Final = tuple(timedelta(hours=count) for count in (1, 3, 6, 12, 24, 48, 120, 168, 336, 720, 2400))
_LABEL_ROOM: Final = 12
_REDUCED: Final = "█"
_BLIND: Final = "?"
_FULL: Final = "·"
_EMPTY: Final = " "


def staircase(simulation: Simulation) -> Iterator[str]:
    """A row for each tier up to the highest in force, full service below them all; then the axis of time."""
    names = {tier.number: tier.name for tier in simulation.ladder.tiers}
    top = max(simulation.totals.max_tier, 1)
    room = min(max(12, *(len(names.get(tier, "")) for tier in range(1, top + 1))), 16)
    cells = WIDTH - room - 4
    highest, blind = _highest(simulation, cells), _blind(simulation, cells)
    for tier in range(top, 0, -1):
        row = "".join(_REDUCED if cell >= tier else _EMPTY for cell in highest)
        yield f"{names.get(tier, '')[:room]:>{room}} {tier} ┤{row}".rstrip()
    full = "".join(_BLIND if dark and not cell else _FULL for cell, dark in zip(highest, blind, strict=True))
    yield f"{'full service'[:room]:>{room}} 0 ┤{full}"
    yield from _axis(simulation.since, simulation.until, cells, room + 4)
    if any(blind):
        yield f"{_BLIND} no data for some of that time"


def lanes(simulations: Sequence[Simulation]) -> Iterator[str]:
    """A line for each: the highest tier in force in each cell, `·` for full service."""
    room = min(max(len(each.label) for each in simulations), 24)
    cells = WIDTH - room - 2
    for each in simulations:
        highest, blind = _highest(each, cells), _blind(each, cells)
        row = "".join(
            str(cell) if cell else _BLIND if dark else _FULL for cell, dark in zip(highest, blind, strict=True)
        )
        yield f"{_fit(each.label, room):<{room}} │{row}"
    yield from _axis(simulations[0].since, simulations[0].until, cells, room + 2)


def ticks(since: datetime, until: datetime, most: int) -> list[datetime]:
    """Round moments in UTC within a time, `most` at most: hours or midnights, evenly apart."""
    step = next((each for each in _STEPS if (until - since) / each <= most), _STEPS[-1])
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    count = -(-(since - midnight) // step)
    found, at = [], midnight + count * step
    while at < until:
        found.append(at)
        at += step
    return found


def tick_label(at: datetime, since: datetime, until: datetime) -> str:
    """A day, or an hour of one where all of it takes a few days."""
    return f"{at:%b} {at.day}" if until - since > 4 * _DAY else f"{at:%d %H:%M}"


def _axis(since: datetime, until: datetime, cells: int, indent: int) -> Iterator[str]:
    line = [" "] * (cells + indent)
    free = 0
    for at in ticks(since, until, cells // _LABEL_ROOM):
        label = tick_label(at, since, until)
        place = indent + int((at - since) / (until - since) * cells)
        if place >= free and place + len(label) <= len(line):
            line[place : place + len(label)] = label
            free = place + len(label) + 1
    yield "".join(line).rstrip()


def _highest(simulation: Simulation, cells: int) -> list[int]:
    """The highest tier in force in each of so many equal parts of the time, however short it was."""
    found = [0] * cells
    for stretch in simulation.stretches:
        if stretch.tier:
            for cell in _cells(simulation, stretch.since, stretch.until, cells):
                found[cell] = max(found[cell], stretch.tier)
    return found


def _blind(simulation: Simulation, cells: int) -> list[bool]:
    found = [False] * cells
    for held in simulation.held:
        if held.because is Because.NO_DATA:
            for cell in _cells(simulation, held.since, held.until, cells):
                found[cell] = True
    return found


def _cells(simulation: Simulation, since: datetime, until: datetime, cells: int) -> range:
    whole = simulation.until - simulation.since
    first = int((since - simulation.since) / whole * cells)
    last = int((until - simulation.since) / whole * cells)
    if (until - simulation.since) * cells % whole == timedelta(0) and last > first:
        last -= 1
    return range(min(first, cells - 1), min(last, cells - 1) + 1)


def _fit(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
