"""Whether what a step was decided on is still so: one that had to wait must not begin on data of before."""

from datetime import datetime
from typing import Final

from controlplane import wording
from controlplane.model.ladder import LadderState, StepCause, StepRecord
from finops.ladder.controller import Verdict, judge
from finops.ladder.last_decision import last_of
from finops.ladder.model import Ladder

_BY_SIGNALS: Final = (StepCause.SIGNALS, StepCause.EMERGENCY)


def why_over(step: StepRecord, ladder: Ladder | None, state: LadderState | None, now: datetime) -> str:
    """Why a step by signals that has written nothing yet is not begun any more; empty when it may be.

    The newest sample must ask for it. It is taken while a step waits, too; one that is stale by now asks for nothing.
    """
    if ladder is None or step.cause not in _BY_SIGNALS or now - step.decided_at <= ladder.every:
        return ""
    said = _newest(step, ladder, state, now)
    if said is Verdict.HOLDS:
        return ""
    told = "the signals do not ask for it any more" if said is Verdict.FAILS else "nobody knows what signals say now"
    return f"it could not begin for {wording.duration(now - step.decided_at)}, and {told}"


def _newest(step: StepRecord, ladder: Ladder, state: LadderState | None, now: datetime) -> Verdict:
    last = last_of(state)
    if last is None or step.from_tier > ladder.top or step.to_tier > ladder.top:
        return Verdict.UNKNOWN
    judged = judge(ladder, step.from_tier, last.readings, now)
    if step.cause is StepCause.EMERGENCY:
        return judged.emergency
    if not step.is_up:
        return judged.exit
    if judged.enters[step.to_tier] is Verdict.UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.HOLDS if judged.asking(step.to_tier) is not None else Verdict.FAILS
