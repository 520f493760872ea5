"""What a decision says that people have not heard yet: proposals, reasons to stay. Each is told once, until it ends."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.ladder import LadderState
from controlplane.ports import Transaction
from finops.ladder.deciding import Because, Decision, Note
from finops.ladder.model import Ladder, Mode

HELD: Final = "held"
ASKED: Final = "asked"
_ASKING: Final = (Because.NEEDS_APPROVAL, Because.GROWTH, Because.LOCKED)


def told_of(
    transaction: Transaction, ladder: Ladder, state: LadderState, decision: Decision, now: datetime
) -> dict[str, JSON]:
    """Append the events of what is new; what people were told from now on."""
    told = dict(state.told or {})
    asked: list[JSON] = [*decision.asks]
    holding = [note for note in decision.notes if note.is_alert and note.because not in _ASKING]
    held: list[JSON] = [*sorted({_key(note) for note in holding})]
    events = [
        *_proposals(ladder, decision, _list(told, ASKED), now),
        *(_held(ladder, note, now) for note in holding if _key(note) not in _list(told, HELD)),
    ]
    transaction.events.append_all(events, now)
    return {**told, HELD: held, ASKED: asked}


def _proposals(ladder: Ladder, decision: Decision, asked: list[JSON], now: datetime) -> Iterator[Event]:
    """What it asks for; in shadow mode also what it would have done."""
    why = {note.tier: note.text for note in decision.notes if note.because in _ASKING}
    for tier in decision.asks:
        if tier not in asked:
            yield _proposal(ladder, decision.state.tier, tier, why.get(tier, ""), now)
    move = decision.move
    if move is not None and ladder.mode is Mode.SHADOW:
        yield _proposal(ladder, move.from_tier, move.to_tier, move.reason, now)


def _proposal(ladder: Ladder, from_tier: int, to_tier: int, reason: str, now: datetime) -> Event:
    data: dict[str, JSON] = {
        "from": from_tier,
        "to": to_tier,
        "ladder": ladder.name,
        "mode": ladder.mode.value,
        "reason": reason,
    }
    id_ = f"{names.EVENT_TIER_PROPOSED}:{ladder.name}:{from_tier}-{to_tier}@{now.isoformat()}"
    return Event(id_, names.EVENT_TIER_PROPOSED, ladder.name, now, data)


def _held(ladder: Ladder, note: Note, now: datetime) -> Event:
    data: dict[str, JSON] = {
        "reason": note.text,
        "because": note.because.value,
        "tier": note.tier,
        "ladder": ladder.name,
        "mode": ladder.mode.value,
    }
    id_ = f"{names.EVENT_LADDER_HELD}:{ladder.name}:{_key(note)}@{now.isoformat()}"
    return Event(id_, names.EVENT_LADDER_HELD, ladder.name, now, data)


def _key(note: Note) -> str:
    return f"{note.because.value}:{note.tier}"


def _list(told: dict[str, JSON], key: str) -> list[JSON]:
    found = told.get(key)
    return found if isinstance(found, list) else []
