"""What a controller remembers, as JSON without floats, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from finops.ladder.deciding import ControllerState

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Restored:
    """A state to go on from. `problem` says why nothing of what was kept could be used; empty when it could."""

    state: ControllerState
    problem: str = ""


def state_as_json(state: ControllerState) -> dict[str, JSON]:
    """A state as JSON: times in ISO 8601, tiers as the keys of objects."""
    return {
        "version": _VERSION,
        "tier": state.tier,
        "since": _text(state.since),
        "entering": {str(tier): count for tier, count in sorted(state.entering.items())},
        "leaving": state.leaving,
        "jumping": state.jumping,
        "moves": [at.isoformat() for at in state.moves],
        "entered": {str(tier): at.isoformat() for tier, at in sorted(state.entered.items())},
        "failures": {str(tier): [times, at.isoformat()] for tier, (times, at) in sorted(state.failures.items())},
        "locked": [*sorted(state.locked)],
        "sampledAt": _text(state.sampled_at),
    }


def state_from_json(kept: Mapping[str, JSON], clean: ControllerState, *, tier: int | None = None) -> Restored:
    """What was kept, or the clean state (see `initial`) when it cannot be read, with the reason.

    `tier` is the one that flags say is in force: with another one in what was kept, that is not believed. None, in
    shadow mode: there is nothing to compare with. Nothing kept is a clean start without a problem. Nothing is raised.
    """
    if not kept:
        return Restored(clean)
    try:
        state = _state(kept)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        return Restored(clean, f"what the ladder remembered cannot be read ({error}): it counts anew")
    if tier is not None and state.tier != tier:
        told = f"the ladder remembered tier {state.tier}, and tier {tier} is in force: it counts anew"
        return Restored(clean, told)
    return Restored(state)


def _state(kept: Mapping[str, JSON]) -> ControllerState:
    if kept["version"] != _VERSION:
        raise ValueError(f"its version is {kept['version']!r}, and {_VERSION} is known")
    locked, moves = kept["locked"], kept["moves"]
    if not isinstance(locked, list) or not isinstance(moves, list):
        raise TypeError("locked and moves are lists")
    return ControllerState(
        tier=_count(kept["tier"]),
        since=_optional(kept["since"]),
        entering={tier: _count(count) for tier, count in _by_tier(kept["entering"]).items()},
        leaving=_count(kept["leaving"]),
        jumping=_count(kept["jumping"]),
        moves=tuple(_time(at) for at in moves),
        entered={tier: _time(at) for tier, at in _by_tier(kept["entered"]).items()},
        failures={tier: _failure(failed) for tier, failed in _by_tier(kept["failures"]).items()},
        locked=frozenset(_count(tier) for tier in locked),
        sampled_at=_optional(kept["sampledAt"]),
    )


def _by_tier(value: JSON) -> dict[int, JSON]:
    if not isinstance(value, dict):
        raise TypeError("what is kept by tier is an object")
    return {_count(int(tier)): each for tier, each in value.items()}


def _failure(value: JSON) -> tuple[int, datetime]:
    if not isinstance(value, list) or len(value) != len(("times", "at")):
        raise TypeError("a failure is a number and a time")
    return _count(value[0]), _time(value[1])


def _count(value: JSON) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _time(value: JSON) -> datetime:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no time")
    at = datetime.fromisoformat(value)
    if at.utcoffset() != timedelta(0):
        raise ValueError(f"{value!r} is not in UTC")
    return at


def _optional(value: JSON) -> datetime | None:
    return None if value is None else _time(value)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
