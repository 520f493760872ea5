"""How long tiers may stand: somebody has to look at them again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane import wording
from controlplane.model.ladder import Approval, ApprovalScope
from finops.ladder.controller.telling import capital, named
from finops.ladder.controller.turn import Turn
from finops.ladder.deciding import Because, ControllerState, Note
from finops.ladder.model import Ladder

_SOON: Final = timedelta(hours=1)


def expiries(
    ladder: Ladder, state: ControllerState, approvals: Sequence[Approval], now: datetime
) -> Mapping[int, datetime]:
    """Until when each tier in force may stand that expires at all.

    An approval of scope EXTEND for that tier, or for one above, lets it stand until the approval ends.
    """
    ends: dict[int, datetime] = {}
    for number, since in state.entered.items():
        tier = ladder.tier(number)
        if tier is None or tier.expires_after is None or number > state.tier:
            continue
        extended = [
            each.until
            for each in approvals
            if each.scope is ApprovalScope.EXTEND
            and each.tier >= number
            and each.ladder == ladder.name
            and each.is_valid(now)
        ]
        ends[number] = max((since + tier.expires_after, *extended))
    return ends


def expired(ends: Mapping[int, datetime], now: datetime) -> int:
    """The lowest tier that has expired, 0 for none. It is left tier by tier from the top."""
    return min((tier for tier, end in ends.items() if end <= now), default=0)


def notes(turn: Turn, ends: Mapping[int, datetime]) -> Iterator[Note]:
    """Of the tier that expires first, and of each that expires soon or has expired.

    Soon is the last tenth of its time or the last hour, whichever is longer, but never before half of it.
    """
    first = min(ends.values(), default=turn.now)
    for number, end in sorted(ends.items()):
        tier = turn.ladder.tier(number)
        rest = end - turn.now
        title = capital(named(turn.ladder, number))
        if rest <= timedelta(0):
            text = f"{title} expired at {wording.utc(end)}: the ladder steps down from it unless somebody extends it."
            yield Note(Because.EXPIRES, text, number, is_alert=True)
        elif tier and tier.expires_after:
            soon = min(max(tier.expires_after / 10, _SOON), tier.expires_after / 2)
            if rest <= soon or end == first:
                text = f"{title} expires at {wording.utc(end)}, in {wording.duration(rest)}, unless it is extended."
                yield Note(Because.EXPIRES, text, number, is_alert=rest <= soon)
