"""A simulation for programs: money and users as decimal strings, times in RFC 3339, minutes as numbers."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from finops.ladder.simulation.fail_on import FIGURES, FailOn, value_of
from finops.ladder.simulation.model import Flap, Held, InTier, Moved, Simulation

_MONEY = frozenset({"saved", "degraded_user_minutes"})


def as_json(simulations: Sequence[Simulation], failed: Sequence[tuple[str, FailOn]] = ()) -> str:
    """One document. The ladder that was asked about comes first, those that it is compared with after it."""
    first = simulations[0]
    document = {
        "from": _time(first.since),
        "to": _time(first.until),
        "policies": [_one(each) for each in simulations],
        "failed": [{"policy": label, "condition": str(each)} for label, each in failed],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _one(simulation: Simulation) -> Mapping[str, object]:
    return {
        "policy": simulation.label,
        "ladder": simulation.ladder.name,
        "mode": simulation.ladder.mode.value,
        "currency": simulation.ladder.currency,
        "history": simulation.origin,
        "notes": list(simulation.notes),
        "flap_within_seconds": int(simulation.flap_within.total_seconds()),
        "totals": _totals(simulation),
        "tiers": [_tier(each) for each in simulation.tiers],
        "timeline": [_moved(each) for each in simulation.moves],
        "stretches": [
            {"tier": each.tier, "from": _time(each.since), "to": _time(each.until)} for each in simulation.stretches
        ],
        "held": [_held(each) for each in simulation.held],
        "flaps": [_flap(each) for each in simulation.flaps],
    }


def _totals(simulation: Simulation) -> Mapping[str, object]:
    totals = simulation.totals
    found: dict[str, object] = {}
    for figure in FIGURES:
        value = value_of(totals, figure)
        found[figure] = _plain(value) if figure in _MONEY else _number(value)
    found["spent"] = None if totals.spent is None else _plain(totals.spent)
    return found


def _tier(each: InTier) -> Mapping[str, object]:
    return {
        "tier": each.tier,
        "name": each.name,
        "entered": each.entered,
        "minutes": _number(Decimal(each.time.total_seconds()) / 60),
        "user_minutes": _plain(each.user_minutes),
        "saved": _plain(each.saved),
    }


def _moved(move: Moved) -> Mapping[str, object]:
    return {
        "at": _time(move.at),
        "ended_at": None if move.until is None else _time(move.until),
        "from": move.from_tier,
        "to": move.to_tier,
        "cause": move.cause.value,
        "reason": move.reason,
        "outcome": "undone" if move.undone else "open" if move.until is None else "committed",
        "approved": move.approved,
        "saving_per_hour": _plain(move.saving_per_hour),
    }


def _held(held: Held) -> Mapping[str, object]:
    return {
        "from": _time(held.since),
        "to": _time(held.until),
        "because": held.because.value,
        "tier": held.tier,
        "text": held.text,
    }


def _flap(flap: Flap) -> Mapping[str, object]:
    kind = "left-and-entered" if flap.entered_again else "entered-and-left"
    return {"at": _time(flap.at), "tier": flap.tier, "kind": kind, "after_seconds": int(flap.after.total_seconds())}


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _plain(value: Decimal) -> str:
    text = f"{round(value, 6):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else round(float(value), 3)
