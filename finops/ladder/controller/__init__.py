"""The controller of a ladder: pure. Whoever acts asks `decide` with each sample, and says how the move ended.

`decide` → a move is made → `moved` or `failed` → `decide` with the next sample. Samples farther apart than three
intervals of the ladder (or the longest `staleAfter`, if that is longer) are not in a row: whoever steps through history
in other steps sets `every` to theirs. In shadow mode it decides as in `enforce`; its caller does not act.
"""

from finops.ladder.controller.codec import Restored, state_as_json, state_from_json
from finops.ladder.controller.decision import decide
from finops.ladder.controller.expiring import expiries
from finops.ladder.controller.explaining import ExplainedComparison, ExplainedCondition, explained
from finops.ladder.controller.gates import retry_wait
from finops.ladder.controller.judging import Verdict, judge, saving_of, without
from finops.ladder.controller.moving import failed, initial, moved

__all__ = [
    "ExplainedComparison",
    "ExplainedCondition",
    "Restored",
    "Verdict",
    "decide",
    "expiries",
    "explained",
    "failed",
    "initial",
    "judge",
    "moved",
    "retry_wait",
    "saving_of",
    "state_as_json",
    "state_from_json",
    "without",
]
