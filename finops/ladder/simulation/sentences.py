"""What reports say, for the terminal and for pages alike."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from finops.ladder.deciding import Because
from finops.ladder.simulation.model import Flap, Held, Moved, Simulation

_MINUTE: Final = timedelta(minutes=1)
_BECAUSE: Final = {
    Because.BRAKE: "a brake",
    Because.NEEDS_APPROVAL: "an approval was missing",
    Because.GROWTH: "growth: an approval was missing",
    Because.CAP: "the cap on changes a day",
    Because.RETRY_LATER: "the last try was undone",
    Because.LOCKED: "the tier had expired",
    Because.CONTRADICTION: "conditions for up and down at once",
    Because.NO_DATA: "no data",
    Because.EXPIRES: "the tier expires",
}
DEFINITIONS: Final = (
    "Money saved: what the tiers in force are declared to save, for as long as they stood: with less spend than when a "
    "tier came, that share of it, and never more than was spent. Lowered signals are what the controller saw: windows "
    "fill with the saving as they move over it.",
    "User-minutes degraded: minutes in a tier × users at that time × the tier's weight (1 unless said otherwise). "
    "Where nobody knows the users, minutes.",
    "A flap: a tier that is left soon after it was entered, or entered soon after it was left. Soon is {within}.",
    "Held: a brake, an approval, the cap, a lock or a failed try kept the ladder from a move that signals asked for.",
)


def definitions(simulation: Simulation) -> tuple[str, ...]:
    """What the figures mean."""
    within = wording.duration(simulation.flap_within)
    return tuple(each.replace("{within}", f"{within} or less") for each in DEFINITIONS)


def arrow(move: Moved) -> str:
    """`0 → 1`."""
    return f"{move.from_tier} → {move.to_tier}"


def ended(move: Moved) -> str:
    """What came of a move, where that is not that it stood."""
    if move.undone:
        return "undone: a journey failed"
    if move.until is None:
        return "not ended when the history does"
    return ""


def because(held: Held) -> str:
    """Why the ladder was held, in short."""
    return _BECAUSE.get(held.because, held.because.value)


def flap(found: Flap) -> str:
    """`tier 2 was left and entered again after 12 min`."""
    what = "left and entered again" if found.entered_again else "entered and left"
    return f"tier {found.tier} was {what} after {wording.duration(found.after)}"


def spell(minutes: Decimal) -> str:
    """Minutes as people say them."""
    return wording.duration(timedelta(microseconds=int(minutes * 60_000_000))) if minutes else "0 min"


def share_of_time(simulation: Simulation) -> str:
    """How much of the time service was reduced."""
    whole = simulation.until - simulation.since
    reduced = sum((each.until - each.since for each in simulation.stretches if each.tier), timedelta(0))
    return wording.percent(reduced / whole)


def saved_share(simulation: Simulation) -> str:
    """`(9.7 % of 12,345 USD)`; empty where nobody knows what was spent."""
    totals, currency = simulation.totals, simulation.ladder.currency
    if totals.spent is None:
        return ""
    share = f"{wording.percent(float(totals.saved / totals.spent))} of " if totals.spent else "of "
    return f"{share}{wording.money(totals.spent, currency)} spent"


def users(amount: Decimal) -> str:
    """User-minutes."""
    return wording.count(float(amount))


def plural(count: int, noun: str) -> str:
    """`1 flap`, `2 flaps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
