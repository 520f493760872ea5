"""The last decision of a ladder, as its state keeps it for people: `LadderState.counters["last"]`.

    {"at": TIME, "mode": "enforce", "tier": 2, "since": TIME or null,
     "notes": [{"because": "dwell", "text": "…", "tier": 3, "alert": false}, …],
     "readings": {SIGNAL: {"quality": "good", "value": "2.4", "at": TIME, "per_hour": "0.5", "reason": ""}, …},
     "brakes": {SLO: the same}, "savings": {"2": "1.2"}, "asks": [3],
     "streaks": {"entering": {"3": 1}, "leaving": 0, "jumping": 0},
     "move": {"from": 2, "to": 3, "cause": "signals", "reason": "…", "approval": ""} or null}

Times are ISO 8601 in UTC, numbers with a point are decimal strings. Reading takes what is missing for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import LadderState, StepCause
from finops.ladder.deciding import Because, Decision, Move, Note
from finops.ladder.model import Mode
from finops.ladder.readings import Quality, Reading, Readings

LAST: Final = "last"


@dataclass(frozen=True, slots=True)
class LastDecision:
    """What was decided last, on what grounds. `tier` is where the ladder stood then, in shadow mode where it would."""

    at: datetime
    mode: Mode
    tier: int
    since: datetime | None
    readings: Readings
    notes: tuple[Note, ...] = ()
    asks: tuple[int, ...] = ()
    entering: Mapping[int, int] = field(default_factory=dict)
    leaving: int = 0
    jumping: int = 0
    move: Move | None = None


def last_as_json(decision: Decision, readings: Readings, mode: Mode, now: datetime) -> dict[str, JSON]:
    """A decision made `now` on these readings."""
    state, move = decision.state, decision.move
    streaks: dict[str, JSON] = {
        "entering": {str(tier): count for tier, count in sorted(state.entering.items())},
        "leaving": state.leaving,
        "jumping": state.jumping,
    }
    return {
        "at": _time(now),
        "mode": mode.value,
        "tier": state.tier,
        "since": None if state.since is None else _time(state.since),
        "notes": [_note(note) for note in decision.notes],
        "readings": {name: _reading(each) for name, each in sorted(readings.signals.items())},
        "brakes": {name: _reading(each) for name, each in sorted(readings.brakes.items())},
        "savings": {str(tier): _number(saving) for tier, saving in sorted(readings.savings.items())},
        "asks": list(decision.asks),
        "streaks": streaks,
        "move": None if move is None else _move(move),
    }


def last_of(state: LadderState | None) -> LastDecision | None:
    """The last decision; None where there was none, or where what is kept is none of ours."""
    written = state.counters.get(LAST) if state is not None else None
    if not isinstance(written, dict):
        return None
    at, mode = _time_of(written.get("at")), str(written.get("mode", ""))
    if at is None or mode not in [each.value for each in Mode]:
        return None
    streaks = _object(written.get("streaks"))
    return LastDecision(
        at=at,
        mode=Mode(mode),
        tier=_count(written.get("tier")),
        since=_time_of(written.get("since")),
        readings=Readings(
            at,
            {name: _reading_of(each) for name, each in _object(written.get("readings")).items()},
            {name: _reading_of(each) for name, each in _object(written.get("brakes")).items()},
            _savings_of(written.get("savings")),
        ),
        notes=tuple(note for note in map(_note_of, _list(written.get("notes"))) if note is not None),
        asks=tuple(_count(tier) for tier in _list(written.get("asks"))),
        entering={int(tier): _count(n) for tier, n in _object(streaks.get("entering")).items() if tier.isdecimal()},
        leaving=_count(streaks.get("leaving")),
        jumping=_count(streaks.get("jumping")),
        move=_move_of(written.get("move")),
    )


def _note(note: Note) -> dict[str, JSON]:
    return {"because": note.because.value, "text": note.text, "tier": note.tier, "alert": note.is_alert}


def _note_of(written: JSON) -> Note | None:
    about = _object(written)
    because = str(about.get("because", ""))
    if because not in [each.value for each in Because]:
        return None
    return Note(Because(because), str(about.get("text", "")), _count(about.get("tier")), about.get("alert") is True)


def _reading(reading: Reading) -> dict[str, JSON]:
    return {
        "quality": reading.quality.value,
        "value": None if reading.value is None else _number(reading.value),
        "at": None if reading.at is None else _time(reading.at),
        "per_hour": None if reading.per_hour is None else _number(reading.per_hour),
        "reason": reading.reason,
    }


def _reading_of(written: JSON) -> Reading:
    about = _object(written)
    quality = str(about.get("quality", ""))
    return Reading(
        Quality(quality) if quality in [each.value for each in Quality] else Quality.MISSING,
        _number_of(about.get("value")),
        _time_of(about.get("at")),
        _number_of(about.get("per_hour")),
        str(about.get("reason", "")),
    )


def _savings_of(written: JSON) -> dict[int, Decimal]:
    numbers = {tier: _number_of(saving) for tier, saving in _object(written).items()}
    return {int(tier): saving for tier, saving in numbers.items() if tier.isdecimal() and saving is not None}


def _move(move: Move) -> dict[str, JSON]:
    return {
        "from": move.from_tier,
        "to": move.to_tier,
        "cause": move.cause.value,
        "reason": move.reason,
        "approval": move.approval,
    }


def _move_of(written: JSON) -> Move | None:
    about = _object(written)
    cause = str(about.get("cause", ""))
    if cause not in [each.value for each in StepCause]:
        return None
    ends = _count(about.get("from")), _count(about.get("to"))
    return Move(*ends, StepCause(cause), str(about.get("reason", "")), str(about.get("approval", "")))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _time_of(written: JSON) -> datetime | None:
    try:
        found = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None


def _number(value: Decimal) -> str:
    return format(value, "f") if value.is_finite() else str(value)


def _number_of(written: JSON) -> Decimal | None:
    try:
        found = Decimal(written) if isinstance(written, str) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _count(written: JSON) -> int:
    return written if isinstance(written, int) else 0


def _object(written: JSON) -> dict[str, JSON]:
    return written if isinstance(written, dict) else {}


def _list(written: JSON) -> list[JSON]:
    return written if isinstance(written, list) else []
