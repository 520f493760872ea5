"""Tiers in force that only people can leave: the ladder is gone, shorter, in shadow mode, or in another store."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.ladder import LadderState
from finops.ladder.acting.journal import Journal
from finops.ladder.acting.telling import Page
from finops.ladder.model import Ladder, Mode

STRANDED: Final = "stranded"


def why_stranded(ladder: Ladder | None, state: LadderState | None) -> str:
    """Why the tier in force is not left by itself, in words; empty when it may be, or when there is none."""
    if state is None or not state.applied:
        return ""
    if ladder is None:
        return "its file is gone"
    if ladder.mode is Mode.SHADOW:
        return "it is in shadow mode"
    if state.tier > ladder.top:
        return f"it declares {ladder.top} tiers only"
    if state.store != ladder.store:
        return f"its flags were written into flag store {state.store}, and it declares {ladder.store}"
    return ""


def tell(journal: Journal, now: datetime) -> None:
    """Tell people once for each reason; its end ends the alert."""
    state = journal.state()
    why = why_stranded(journal.ladder, state)
    told = (state.told or {}).get(STRANDED) if state is not None else None
    before = told if isinstance(told, dict) else {}
    if state is None or before.get("why", "") == why:
        return
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.lock()
        fresh = transaction.ladders.state(journal.name) or state
        others = {key: value for key, value in (fresh.told or {}).items() if key != STRANDED}
        entry: dict[str, JSON] = {"why": why, "since": now.isoformat()}
        transaction.ladders.put_state(
            replace(fresh, told={**others, STRANDED: entry} if why else others, updated_at=now)
        )
        if before:
            since = datetime.fromisoformat(str(before["since"]))
            journal.page(transaction, _page(state, str(before["why"]), since), now, is_over=True)
        if why:
            transaction.events.append(_event(state, why, now), now)
            journal.page(transaction, _page(state, why, now), now)


def _event(state: LadderState, why: str, now: datetime) -> Event:
    data: dict[str, JSON] = {
        "ladder": state.ladder,
        "tier": state.tier,
        "because": STRANDED,
        "reason": f"Tier {state.tier} is in force, and {why}: it is left by people only.",
    }
    id_ = f"{names.EVENT_LADDER_HELD}:{state.ladder}:{STRANDED}@{now.isoformat()}"
    return Event(id_, names.EVENT_LADDER_HELD, state.ladder, now, data)


def _page(state: LadderState, why: str, since: datetime) -> Page:
    return Page(
        alert=names.ALERT_LADDER_STRANDED,
        key=STRANDED,
        summary=f"ladder {state.ladder}: tier {state.tier} is in force, and {why}",
        description=(
            "Nothing leaves it by itself. The values of before are kept: "
            f"`flyball ladder step {state.ladder} --to 0 --why …` puts them back, one verified tier after the other."
        ),
        starts_at=since,
    )
