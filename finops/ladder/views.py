"""Ladders as they stand: text of at most 80 columns for people, JSON for programs and the console."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.ladder import Approval, LadderHold, LadderOrder, SavingsReceipt, StepRecord
from finops.ladder.lines import Field, ago, block, number, reading_in_words, tier_in_words, wrapped
from finops.ladder.readings import Reading
from finops.ladder.savings.believing import saves_nothing
from finops.ladder.standing import Standing

_MOST: Final = Decimal("0.9")  # of the spend: from there on it is as good as all of it
NOBODY_LEADS: Final = "Nobody leads: no `flyball up` runs on this database, so nothing is judged and nothing moves."


def status_text(standings: Sequence[Standing], *, leader: str | None, stopped: str = "") -> str:
    """Every ladder as a block. `stopped`: what has set the kill switch; `leader`: who leads, None: nobody."""
    lines: list[str] = []
    if stopped:
        lines += [*wrapped(f"The kill switch is set: {stopped}. No flag is written."), ""]
    if leader is None:
        lines += [*wrapped(NOBODY_LEADS), ""]
    for one in standings:
        lines += [*block(f"{one.name}: {_where(one)}", _fields(one)), ""]
    return "\n".join(lines).rstrip()


def status_data(standings: Sequence[Standing], *, leader: str | None, stopped: str = "") -> dict[str, JSON]:
    """The same as JSON. Times are ISO 8601 in UTC, decimals strings."""
    return {"kill_switch": stopped, "leader": leader, "ladders": [standing_data(one) for one in standings]}


def standing_data(one: Standing) -> dict[str, JSON]:
    """One ladder as JSON."""
    ladder, last = one.ladder, one.last
    declared = one.declared(one.tier)
    return {
        "ladder": one.name,
        "declared": ladder is not None,
        "mode": ladder.mode.value if ladder else None,
        "tier": one.tier,
        "tier_name": declared.name if declared else None,
        "top": ladder.top if ladder else None,
        "since": time_data(one.since),
        "shadow_tier": last.tier if last and one.is_shadow else None,
        "judged_at": time_data(last.at if last else None),
        "signals": {name: reading_data(each) for name, each in sorted(last.readings.signals.items())} if last else {},
        "step": step_data(one.step) if one.step else None,
        "hold": hold_data(one.hold) if one.hold else None,
        "yielded": dict(one.theirs),
        "asks": list(one.asks),
        "approvals": [approval_data(each) for each in one.approvals],
        "orders": [order_data(each) for each in one.orders],
        "savings": [receipt_data(each, one.at) for each in _in_force(one)],
        "saved": [{"currency": currency, "amount": _exact(amount)} for currency, amount in _saved(one).items()],
    }


def step_data(step: StepRecord) -> dict[str, JSON]:
    """A step as JSON."""
    return {
        "step": step.id,
        "ladder": step.ladder,
        "from": step.from_tier,
        "to": step.to_tier,
        "cause": step.cause.value,
        "reason": step.reason,
        "actor": step.actor,
        "phase": step.phase.value,
        "decided_at": time_data(step.decided_at),
        "written_at": time_data(step.written_at),
        "visible_at": time_data(step.visible_at),
        "verified_at": time_data(step.verified_at),
        "ended_at": time_data(step.ended_at),
        "outcome": step.outcome.value if step.outcome else None,
        "detail": step.detail,
        "attempts": step.attempts,
        "changes": [
            {"tier": each.tier, "flag": each.flag, "before": each.before, "after": each.after} for each in step.changes
        ],
    }


def approval_data(approval: Approval) -> dict[str, JSON]:
    """An approval as JSON."""
    return {
        "approval": approval.id,
        "ladder": approval.ladder,
        "tier": approval.tier,
        "scope": approval.scope.value,
        "by": approval.by,
        "why": approval.why,
        "at": time_data(approval.at),
        "until": time_data(approval.until),
        "used_by": approval.used_by or None,
        "withdrawn_at": time_data(approval.withdrawn_at),
    }


def hold_data(hold: LadderHold) -> dict[str, JSON]:
    """A hold as JSON."""
    since, until = time_data(hold.since), time_data(hold.until)
    return {"ladder": hold.ladder, "by": hold.by, "why": hold.why, "since": since, "until": until}


def order_data(order: LadderOrder) -> dict[str, JSON]:
    """An order as JSON."""
    return {
        "order": order.id,
        "ladder": order.ladder,
        "kind": order.kind.value,
        "to": order.argument,
        "by": order.by,
        "why": order.why,
        "at": time_data(order.at),
        "begun_at": time_data(order.begun_at),
        "done_at": time_data(order.done_at),
        "done_well": order.is_done_well,
        "result": order.result,
        "progress": None if order.progress is None else dict(order.progress),
    }


def receipt_data(receipt: SavingsReceipt, now: datetime) -> dict[str, JSON]:
    """A savings receipt as JSON. `remaining`: the share of the spend of when the tier came that there still is."""
    return {
        "step": receipt.step,
        "tier": receipt.tier,
        "currency": receipt.currency,
        "predicted_per_hour": _exact(receipt.predicted),
        "realised_per_hour": _exact(receipt.realised),
        "low": _exact(receipt.low),
        "high": _exact(receipt.high),
        "saved": _exact(receipt.saved),
        "remaining": _exact(receipt.remaining),
        "saves_nothing": saves_nothing(receipt, now),
        "since": time_data(receipt.since),
        "until": time_data(receipt.until),
        "note": receipt.note,
    }


def reading_data(reading: Reading) -> dict[str, JSON]:
    """A reading as JSON."""
    return {
        "quality": reading.quality.value,
        "value": _exact(reading.value),
        "at": time_data(reading.at),
        "per_hour": _exact(reading.per_hour),
        "reason": reading.reason,
    }


def time_data(at: datetime | None) -> str | None:
    """ISO 8601, UTC, to the second: `2026-11-30T12:34:56Z`."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _where(one: Standing) -> str:
    words = tier_in_words(one.ladder, one.tier)
    since = "" if one.since is None else f" since {wording.utc(one.since)}, {wording.duration(one.at - one.since)}"
    if one.is_shadow and one.last is not None:
        return f"{words}{since}; had it acted, {tier_in_words(one.ladder, one.last.tier)}"
    return words + since


def _fields(one: Standing) -> Iterator[Field]:
    yield "mode", one.ladder.mode.value if one.ladder else "declared no more: only people move it, and only down"
    yield "judged", _judged(one)
    if one.last is not None and one.last.readings.signals:
        readings = sorted(one.last.readings.signals.items())
        yield "signals", ", ".join(f"{name} {reading_in_words(each)}" for name, each in readings)
    yield from _steps(one)
    yield from _held(one)
    for tier in one.asks:
        way = f"flyball ladder approve {one.name} --tier {tier} --why …"
        yield "asks", f"for an approval of {tier_in_words(one.ladder, tier)}: {way}"
    for each in one.approvals:
        until = f"until {wording.utc(each.until)}, by {each.by}: {each.why}"
        yield "approvals", f"{each.id}: {each.scope.value}, tier {each.tier}, {until}"
    for receipt in _in_force(one):
        yield "savings", _saving(receipt, one.at)
    for currency, amount in _saved(one).items():
        yield "saved", f"{wording.money(amount, currency)} in the last 30 days"


def _judged(one: Standing) -> str:
    if one.last is None:
        return "not yet" if one.ladder else "no more"
    return f"{ago(one.last.at, one.at)}, {wording.utc(one.last.at)}"


def _steps(one: Standing) -> Iterator[Field]:
    step = one.step
    if step is not None:
        tried = f", tried {step.attempts} times" if step.attempts > 1 else ""
        begun = f"{ago(step.decided_at, one.at)} by {step.actor}{tried}"
        yield "step", f"{step.from_tier} → {step.to_tier}, {step.phase.value}, begun {begun}: {step.reason}"
        if step.detail:
            yield "step", step.detail
    for order in one.orders:
        to = "" if order.argument is None else f" to tier {order.argument}"
        state = "waits" if order.begun_at is None else "goes on"
        asked = f"asked {ago(order.at, one.at)} by {order.by}: {order.why}"
        yield "orders", f"{order.id}: {order.kind.value}{to}, {state}, {asked}"


def _held(one: Standing) -> Iterator[Field]:
    hold = one.hold
    if hold is not None:
        until = "until it is resumed" if hold.until is None else f"until {wording.utc(hold.until)}"
        yield "held", f"{until}, by {hold.by}: {hold.why}"
    if one.theirs:
        ours = ", ".join(f"{flag} (we had set {_value(value)})" for flag, value in sorted(one.theirs.items()))
        yield "yielded", f"people changed {ours}: flyball ladder resume {one.name} --keep-theirs, or --take-back"


def _value(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_force(one: Standing) -> list[SavingsReceipt]:
    return [each for each in one.receipts if each.until is None]


def _saved(one: Standing) -> dict[str, Decimal]:
    """Money of the last 30 days by currency, as far as it was measured."""
    sums: dict[str, Decimal] = {}
    for each in one.receipts:
        if each.saved is not None:
            sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.saved
    return sums


def _saving(receipt: SavingsReceipt, now: datetime) -> str:
    predicted = f"tier {receipt.tier}: {number(receipt.predicted)} {receipt.currency} an hour predicted"
    if receipt.realised is None:
        measured = "not measured yet" + (f": {receipt.note}" if receipt.note else "")
    else:
        range_ = "" if None in (receipt.low, receipt.high) else f" ({_short(receipt.low)} to {_short(receipt.high)})"
        measured = f"{number(receipt.realised)}{range_} measured" + (f"; {receipt.note}" if receipt.note else "")
    pays = "does not pay: " if saves_nothing(receipt, now) else ""
    return f"{pays}{predicted}, {measured}{_remaining(receipt)}"


def _remaining(receipt: SavingsReceipt) -> str:
    """How much there still is to save a share of, where that is less."""
    left = receipt.remaining
    if left is None or left >= _MOST:
        return ""
    return f"; spend is {wording.significant(float(left * 100), 2)} % of what it was then"


def _short(value: Decimal | None) -> str:
    return wording.MISSING if value is None else number(value)


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
