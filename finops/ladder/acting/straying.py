"""A write that came after its step had ended: a leader was frozen between being asked for its lease and writing.

The step was undone by the next leader, and then its flags change once more. They are ours, and put back.
"""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import LadderState, StepOutcome, StepPhase, StepRecord
from finops.flags.model import FlagWrite
from finops.flags.ports import Conflict
from finops.ladder.acting import plan, remembering
from finops.ladder.acting.act import Act
from finops.ladder.acting.flag_calls import Stopped, StoreDown, StoreRefused, noted
from finops.ladder.acting.hands import Hand, Seen, hands, same, undoing

LATEST: Final = timedelta(hours=1)  # after the end of a step
log = logging.getLogger(__name__)


def may_stray(step: StepRecord | None, now: datetime) -> bool:
    """Whether the newest step of a ladder was undone, and not long ago."""
    return (
        step is not None
        and step.phase is StepPhase.ENDED
        and step.outcome in (StepOutcome.UNDONE, StepOutcome.YIELDED)
        and all(change.is_read for change in step.changes)
        and step.ended_at is not None
        and now - step.ended_at <= LATEST
    )


def put_back(act: Act, step: StepRecord, state: LadderState | None) -> list[str]:
    """Put back what the newest step, which was undone, wrote after that; the flags. A person's edit stays."""
    before, after = plan.sources(step), plan.targets(step)
    theirs = (state.theirs if state else None) or {}
    with suppress(StoreDown, StoreRefused, Stopped, Conflict):  # the next turn looks again
        seen = act.flags.look(after, step.decided_at)
        ours = [
            flag
            for flag, hand in hands(step, seen).items()
            if hand is Hand.OURS and _is_sure(seen[flag]) and flag not in theirs and not same(before[flag], after[flag])
        ]
        writes = [FlagWrite(seen[flag].state, before[flag]) for flag in reversed(ours)]
        act.flags.write(writes, noted(step, undoing(step)))
        _note(act, step, ours)
        return ours
    return []


def _is_sure(seen: Seen) -> bool:
    """Whether the store says that the write was ours; by its value alone it might be a person's."""
    return seen.last_write is not None or bool(seen.edits)


def _note(act: Act, step: StepRecord, flags: list[str]) -> None:
    if not flags:
        return
    journal, told = act.journal, [*flags]
    detail: dict[str, JSON] = {"step": step.id, "flags": list[JSON](told)}
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.audit.append(
            at=journal.clock.now(),
            actor=remembering.ACTOR,
            action="ladder.late_write_put_back",
            subject=journal.name,
            detail=detail,
        )
    log.warning("finops.late_write_put_back", extra={"ladder": journal.name, "step": step.id, "flags": flags})
