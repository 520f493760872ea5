"""A simulation for the terminal: what, where, next, in 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from controlplane import wording
from controlplane.problem_report import printable
from finops.ladder.simulation import sentences
from finops.ladder.simulation.drawing import WIDTH, lanes, staircase
from finops.ladder.simulation.fail_on import FailOn
from finops.ladder.simulation.model import Held, InTier, Moved, Simulation

_WHEN: Final = 16
_MOVE: Final = 6
_MONEY: Final = 14
_WHY: Final = WIDTH - _WHEN - _MOVE - _MONEY - 6
_SHOWN: Final = 200
"""Rows of a timeline; --json has them all."""


def as_text(simulations: Sequence[Simulation], failed: Sequence[tuple[str, FailOn]] = ()) -> str:
    """The report, with a newline at the end. `failed`: which conditions hold, of which one."""
    lines = list(_head(simulations))
    if len(simulations) > 1:
        lines += [*lanes(simulations), "", *_compared(simulations), ""]
    for each in simulations:
        lines += [*_one(each, is_alone=len(simulations) == 1), ""]
    for text in sentences.definitions(simulations[0]):
        lines += _wrapped(text, 0)
    for note in dict.fromkeys(note for each in simulations for note in each.notes):
        lines += _wrapped(f"Note: {note}", 0)
    if failed:
        lines.append("")
        lines += [line for label, each in failed for line in _wrapped(f"Failed: {label}: {each}", 0)]
    return "\n".join(lines) + "\n"


def _head(simulations: Sequence[Simulation]) -> Iterator[str]:
    first = simulations[0]
    length = wording.duration(first.until - first.since)
    what = f"{len(simulations)} policies" if len(simulations) > 1 else f"Ladder {first.label}"
    yield from _wrapped(f"{what} over {length}: {wording.utc(first.since)} to {wording.utc(first.until)}", 0)
    if first.origin:
        yield from _wrapped(first.origin, 0)
    yield ""


def _one(simulation: Simulation, *, is_alone: bool) -> Iterator[str]:
    if not is_alone:
        yield printable(simulation.label)
    if simulation.moves:
        yield from staircase(simulation)
        yield ""
    yield from _timeline(simulation)
    yield ""
    yield from _tiers(simulation)
    yield from _totals(simulation)


def _timeline(simulation: Simulation) -> Iterator[str]:
    rows: list[Moved | Held] = sorted([*simulation.moves, *simulation.held], key=_when)
    if not rows:
        yield "It would not have moved."
        return
    yield f"{'WHEN (UTC)':<{_WHEN}}  {'MOVE':<{_MOVE}}  {'WHY':<{_WHY}}  {'SAVES AN HOUR':>{_MONEY}}"
    for row in rows[:_SHOWN]:
        yield from _moved(row, simulation) if isinstance(row, Moved) else _held(row)
    if len(rows) > _SHOWN:
        yield f"… and {len(rows) - _SHOWN:,} more rows (--json has them all)"


def _when(row: Moved | Held) -> tuple[datetime, int]:
    return (row.at, 1) if isinstance(row, Moved) else (row.since, 0)


def _moved(move: Moved, simulation: Simulation) -> Iterator[str]:
    ended = sentences.ended(move)
    words = [move.reason, *([f"({ended})"] if ended else [])]
    saving = wording.money(move.saving_per_hour, simulation.ladder.currency)
    yield from _row(f"{move.at:%Y-%m-%d %H:%M}", sentences.arrow(move), " ".join(words), saving)


def _held(held: Held) -> Iterator[str]:
    lasted = wording.duration(held.until - held.since)
    place = f"({held.tier})" if held.tier else ""
    yield from _row(f"{held.since:%Y-%m-%d %H:%M}", "held", f"{place} for {lasted}: {held.text}".strip(), "")


def _row(when: str, move: str, why: str, money: str) -> Iterator[str]:
    first, *more = _cut(printable(why), _WHY) or [""]
    yield f"{when:<{_WHEN}}  {move:<{_MOVE}}  {first:<{_WHY}}  {money:>{_MONEY}}".rstrip()
    for line in more:
        yield f"{'':<{_WHEN}}  {'':<{_MOVE}}  {line}"


def _tiers(simulation: Simulation) -> Iterator[str]:
    reached = [each for each in simulation.tiers if each.time]
    if not reached:
        return
    users = "USER-MINUTES" if simulation.has_users else "MINUTES"
    yield f"{'TIER':<24} {'ENTERED':>8} {'TIME IN IT':>14} {users:>14} {'SAVED':>16}"
    for each in reached:
        yield _tier(each, simulation.ladder.currency)
    yield ""


def _tier(each: InTier, currency: str) -> str:
    name = f"{each.tier} {each.name}"[:24]
    return (
        f"{name:<24} {each.entered:>8} {wording.duration(each.time):>14} {sentences.users(each.user_minutes):>14} "
        f"{wording.money(each.saved, currency):>16}"
    )


def _totals(simulation: Simulation) -> Iterator[str]:
    totals = simulation.totals
    share = sentences.saved_share(simulation)
    saved = wording.money(totals.saved, simulation.ladder.currency)
    yield _total("money saved", saved + (f" ({share})" if share else ""))
    reduced = sentences.spell(totals.degraded_minutes)
    yield _total("reduced on purpose", f"{reduced} ({sentences.share_of_time(simulation)} of the time)")
    if simulation.has_users:
        yield _total("user-minutes degraded", sentences.users(totals.degraded_user_minutes))
    undone = f", {totals.undone} of them undone" if totals.undone else ""
    yield _total("moves", f"{totals.moves}{undone}; highest tier {totals.max_tier}")
    yield _total("flaps", str(totals.flaps))
    for flap in simulation.flaps[:5]:
        yield f"  {flap.at:%Y-%m-%d %H:%M}  {sentences.flap(flap)}"
    yield _total("held", sentences.spell(totals.held_minutes))
    yield _total("without data", sentences.spell(totals.minutes_without_data))


def _total(name: str, value: str) -> str:
    return f"{name:<22} {value}"


def _compared(simulations: Sequence[Simulation]) -> Iterator[str]:
    room = min(max(len(each.label) for each in simulations), 20)
    heads = (f"{'SAVED':>11} {'REDUCED':>10} {'USER-MIN':>10}", f"{'MOVES':>5} {'FLAPS':>5} {'TOP':>3} {'HELD':>9}")
    yield f"{'POLICY':<{room}} {' '.join(heads)}"
    for each in simulations:
        totals = each.totals
        label = each.label if len(each.label) <= room else f"{each.label[: room - 1]}…"
        yield (
            f"{printable(label):<{room}} {wording.money(totals.saved, each.ladder.currency):>11} "
            f"{sentences.spell(totals.degraded_minutes):>10} {sentences.users(totals.degraded_user_minutes):>10} "
            f"{totals.moves:>5} {totals.flaps:>5} {totals.max_tier:>3} {sentences.spell(totals.held_minutes):>9}"
        )


def _cut(text: str, width: int) -> list[str]:
    together = text.replace(" %", "\u00a0%")
    return [line.replace("\u00a0", " ") for line in textwrap.wrap(together, width)]


def _wrapped(text: str, indent: int) -> list[str]:
    return [f"{' ' * indent}{line}" for line in _cut(printable(text), WIDTH - indent)]
