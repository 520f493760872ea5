"""What people may ask of a ladder: steps, drills, approvals, holds. Each is written down together with its audit entry.

Whoever leads carries orders out. What cannot be is refused here, at once and in words; whatever changes between here
and there is judged again when it is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.ladder import (
    Approval,
    ApprovalScope,
    LadderHold,
    LadderOrder,
    LadderState,
    OrderKind,
)
from controlplane.ports import Store, Transaction
from finops.ladder.model import Ladder, Mode

LONGEST_APPROVAL: Final = timedelta(hours=24)
LONGEST_EXTENSION: Final = timedelta(days=7)
_LONGEST_TEXT: Final = 500
HELD: Final = "ladder.held"
RESUMED: Final = "ladder.resumed"
APPROVED: Final = "ladder.approved"
WITHDRAWN: Final = "ladder.approval_withdrawn"
STEP_ORDERED: Final = "ladder.step_ordered"
DRILL_ORDERED: Final = "ladder.drill_ordered"
CHOICE_ORDERED: Final = "ladder.choice_ordered"
ORDER_WITHDRAWN: Final = "ladder.order_withdrawn"


class Refused(Exception):
    """It cannot be done: why, and what could be done instead."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, why, and when. Raises `Refused` when the reason or the name says nothing or cannot be kept."""

    by: str
    why: str
    now: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "by", _words(self.by, "who it is"))
        object.__setattr__(self, "why", _words(self.why, "why"))


@dataclass(frozen=True, slots=True)
class Target:
    """The ladder that is meant. `ladder` is None when it is declared no more and has only its state left."""

    name: str
    ladder: Ladder | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """What `resume` did: the hold that it lifted, and the order about flags that people changed."""

    lifted: LadderHold | None
    order: LadderOrder | None


def order_step(store: Store, target: Target, who: Who, *, order: str, to: int) -> LadderOrder:
    """Go to a tier by verified steps; `order` is the id that it gets."""
    with _writing(store) as transaction:
        state = transaction.ladders.state(target.name)
        _check_way(transaction, target, state, to, who.now)
        return _place(transaction, LadderOrder(order, target.name, OrderKind.STEP, to, who.by, who.why, who.now))


def order_drill(store: Store, target: Target, who: Who, *, order: str, to: int) -> LadderOrder:
    """Go up to a tier and back to where it stood, by verified steps."""
    with _writing(store) as transaction:
        state = transaction.ladders.state(target.name)
        if to <= _tier(state):
            raise Refused(f"{target.name} is at tier {_tier(state)}: a drill goes up, to a tier above that one")
        _check_way(transaction, target, state, to, who.now)
        return _place(transaction, LadderOrder(order, target.name, OrderKind.DRILL, to, who.by, who.why, who.now))


def check_rehearsal(target: Target, state: LadderState | None, to: int) -> Ladder:
    """The ladder, when a drill up to that tier can be rehearsed, in any mode. Raises `Refused`."""
    tier, ladder = _tier(state), target.ladder
    if ladder is None:
        raise Refused(f"{target.name} is not declared any more: there is nothing to drill")
    if not tier < to <= ladder.top:
        raise Refused(f"{target.name} is at tier {tier} of {ladder.top}: a drill goes up, to a tier above that one")
    return ladder


def withdraw_order(store: Store, order: str, who: Who) -> LadderOrder:
    """It will not be carried out; `Refused` once it was begun."""
    with _writing(store) as transaction:
        found = transaction.ladders.order(order)
        if found is None or found.done_at is not None:
            raise Refused(f"no order {order} waits: flyball ladder status lists those that do")
        if found.begun_at is not None:
            way = f"flyball ladder hold {found.ladder} stops what comes after its present step"
            raise Refused(f"order {order} was begun at {wording.utc(found.begun_at)}: {way}")
        gone = replace(found, done_at=who.now, is_done_well=False, result=f"withdrawn by {who.by}: {who.why}")
        transaction.ladders.put_order(gone)
        _audit(transaction, who, ORDER_WITHDRAWN, found.ladder, {"order": order})
        return gone


def hold(store: Store, target: Target, who: Who, *, until: datetime | None) -> LadderHold:
    """No automatic move until then; None: until somebody resumes it. Replaces an earlier hold."""
    if until is not None and until <= who.now:
        raise Refused(f"{wording.utc(until)} is over")
    with _writing(store) as transaction:
        made = LadderHold(target.name, who.by, who.why, who.now, until)
        transaction.ladders.put_hold(made)
        _audit(transaction, who, HELD, target.name, {"until": None if until is None else until.isoformat()})
        return made


def resume(store: Store, target: Target, who: Who, *, order: str, choice: OrderKind | None) -> Resumed:
    """Lift the hold; `choice` says what becomes of flags that people changed (KEEP_THEIRS or TAKE_BACK)."""
    with _writing(store) as transaction:
        state = transaction.ladders.state(target.name)
        theirs = sorted((state.theirs if state else None) or {})
        before = transaction.ladders.hold(target.name)
        lifted = before if transaction.ladders.lift_hold(target.name) else None
        if choice is None and lifted is None:
            ways = f"flyball ladder resume {target.name} --keep-theirs, or --take-back"
            ways = f"people changed {', '.join(theirs)}, and it waits to be told what becomes of that: {ways}"
            raise Refused(ways if theirs else f"nothing holds {target.name}: flyball ladder explain says why it stays")
        if choice is not None and not theirs:
            raise Refused(f"no flag of {target.name} was changed by people: resume it without saying what becomes")
        _audit(transaction, who, RESUMED, target.name, {"choice": choice.value if choice else "", "flags": [*theirs]})
        if choice is None:
            return Resumed(lifted, None)
        _check_alone(transaction, target.name)
        made = LadderOrder(order, target.name, choice, None, who.by, who.why, who.now)
        return Resumed(lifted, _place(transaction, made))


def approve(
    store: Store, target: Target, who: Who, *, approval: str, tier: int, scope: ApprovalScope, until: datetime
) -> Approval:
    """Allow one step into a tier, one jump to it, or that it stays until then; `approval` is the id that it gets."""
    ladder = target.ladder
    if ladder is None:
        raise Refused(f"{target.name} is not declared any more: it moves up no more, and needs no approval to go down")
    _check_end(who.now, until, LONGEST_EXTENSION if scope is ApprovalScope.EXTEND else LONGEST_APPROVAL)
    if not 1 <= tier <= ladder.top:
        raise Refused(f"{target.name} has no tier {tier}: its tiers are 1 to {ladder.top}")
    if scope is ApprovalScope.JUMP and (ladder.emergency is None or ladder.emergency.tier != tier):
        jumps = f"only to tier {ladder.emergency.tier}" if ladder.emergency else "nowhere: it declares no emergency"
        raise Refused(f"{target.name} jumps {jumps}")
    with _writing(store) as transaction:
        _check_scope(transaction, target.name, tier, scope, who.now)
        made = Approval(approval, target.name, tier, scope, who.by, who.why, who.now, until)
        transaction.ladders.put_approval(made)
        about: dict[str, JSON] = {"approval": approval, "tier": tier, "scope": scope.value, "until": until.isoformat()}
        _audit(transaction, who, APPROVED, target.name, about)
        return made


def withdraw(store: Store, approval: str, who: Who) -> Approval:
    """It allows nothing any more; `Refused` when it is used or over."""
    with _writing(store) as transaction:
        found = transaction.ladders.approval(approval)
        if found is None:
            raise Refused(f"there is no approval {approval}: flyball ladder status lists those that are valid")
        if not found.is_valid(who.now):
            said = f"used by step {found.used_by}" if found.used_by else "withdrawn" if found.withdrawn_at else "over"
            raise Refused(f"approval {approval} is {said} already")
        gone = replace(found, withdrawn_at=who.now)
        transaction.ladders.put_approval(gone)
        _audit(transaction, who, WITHDRAWN, found.ladder, {"approval": approval, "tier": found.tier})
        return gone


def unapproved(ladder: Ladder, approvals: list[Approval], from_tier: int, to_tier: int, now: datetime) -> list[int]:
    """Tiers on the way up that need an approval and have none."""
    valid = {each.tier for each in approvals if each.scope is ApprovalScope.STEP and each.is_valid(now)}
    return [each.number for each in ladder.tiers[from_tier:to_tier] if each.needs_approval and each.number not in valid]


@contextmanager
def _writing(store: Store) -> Iterator[Transaction]:
    with store.transaction() as transaction:
        transaction.ladders.lock()
        yield transaction


def _place(transaction: Transaction, order: LadderOrder) -> LadderOrder:
    transaction.ladders.put_order(order)
    actions = {OrderKind.STEP: STEP_ORDERED, OrderKind.DRILL: DRILL_ORDERED}
    about: dict[str, JSON] = {"order": order.id, "kind": order.kind.value, "to": order.argument}
    who = Who(order.by, order.why, order.at)
    _audit(transaction, who, actions.get(order.kind, CHOICE_ORDERED), order.ladder, about)
    return order


def _audit(transaction: Transaction, who: Who, action: str, ladder: str, about: dict[str, JSON]) -> None:
    transaction.audit.append(
        at=who.now, actor=who.by, action=action, subject=ladder, detail={"reason": who.why, **about}
    )


def _check_way(transaction: Transaction, target: Target, state: LadderState | None, to: int, now: datetime) -> None:
    """Whether people may send it there now."""
    tier, ladder = _tier(state), target.ladder
    top = max(tier, ladder.top if ladder else 0)
    if not 0 <= to <= top:
        raise Refused(f"{target.name} has no tier {to}: it goes from 0, full service, to {top}")
    if to == tier:
        raise Refused(f"{target.name} is at tier {to} already")
    if state is not None and state.theirs:
        ways = f"flyball ladder resume {target.name} --keep-theirs, or --take-back"
        raise Refused(f"people changed {', '.join(sorted(state.theirs))}; say first what becomes of that: {ways}")
    _check_alone(transaction, target.name)
    if to > tier:
        _check_up(transaction, target, tier, to, now)


def _check_up(transaction: Transaction, target: Target, tier: int, to: int, now: datetime) -> None:
    ladder = target.ladder
    if ladder is None or to > ladder.top:
        raise Refused(f"{target.name} is not declared up to tier {to} any more: it goes down only")
    if ladder.mode is Mode.SHADOW:
        raise Refused(f"{target.name} is in shadow mode, which changes no flag: set spec.mode to recommend or enforce")
    missing = unapproved(ladder, transaction.ladders.approvals(target.name, now), tier, to, now)
    if missing:
        way = f"flyball ladder approve {target.name} --tier {missing[0]} --why …"
        raise Refused(f"tier {missing[0]} needs an approval: {way}")


def _check_alone(transaction: Transaction, name: str) -> None:
    for order in transaction.ladders.open_orders(name):
        way = f"flyball ladder step --withdraw {order.id}" if order.begun_at is None else "wait until it is done"
        raise Refused(f"order {order.id} of {order.by} ({order.kind.value}) is not done yet: {way}")


def _check_end(now: datetime, until: datetime, longest: timedelta) -> None:
    if until <= now:
        raise Refused(f"{wording.utc(until)} is over")
    if until - now > longest:
        raise Refused(f"{wording.utc(until)} is too far away: at most {wording.duration(longest)}")


def _check_scope(transaction: Transaction, name: str, tier: int, scope: ApprovalScope, now: datetime) -> None:
    stands_at = _tier(transaction.ladders.state(name))
    if scope is ApprovalScope.EXTEND:
        if tier > stands_at:
            raise Refused(f"{name} is at tier {stands_at}: only a tier in force can be extended")
        return
    for other in transaction.ladders.approvals(name, now):
        if (other.tier, other.scope) == (tier, scope) and other.is_valid(now):
            way = f"flyball ladder approve --withdraw {other.id} first, to replace it"
            raise Refused(f"tier {tier} is approved by {other.by} until {wording.utc(other.until)} already: {way}")


def _tier(state: LadderState | None) -> int:
    return state.tier if state is not None else 0


def _words(text: str, what: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise Refused(f"say {what}")
    if len(words) > _LONGEST_TEXT:
        raise Refused(f"{what} is told in {_LONGEST_TEXT} characters at most")
    if not words.isprintable():
        raise Refused(f"{what} holds characters that cannot be shown")
    return words
