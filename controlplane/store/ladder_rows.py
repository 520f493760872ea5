"""Records of downshift ladders as rows, and back."""

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping

from controlplane.model import exact
from controlplane.model.ladder import (
    AppliedTier,
    Approval,
    ApprovalScope,
    FlagChange,
    LadderHold,
    LadderOrder,
    LadderState,
    OrderKind,
    SavingsReceipt,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)

Row = dict[str, Any]
_DECIMALS: Final = ("predicted", "realised", "low", "high", "saved", "remaining")


def state_row(state: LadderState) -> Row:
    """Where a ladder stands, for its table."""
    return _plain(state) | {
        "applied": [
            {"tier": each.tier, "since": _stamp(each.since), "step": each.step, "changes": _changes(each.changes)}
            for each in state.applied
        ],
    }


def state_of(row: RowMapping) -> LadderState:
    """Where a ladder stands, from its table."""
    applied = tuple(
        AppliedTier(each["tier"], datetime.fromisoformat(each["since"]), each["step"], _changes_of(each["changes"]))
        for each in row["applied"]
    )
    return LadderState(**dict(row) | {"applied": applied})


def step_row(step: StepRecord) -> Row:
    """A step for its table, but for its number."""
    row = _plain(step)
    row["order_id"] = row.pop("order")
    return row | {
        "cause": step.cause.value,
        "phase": step.phase.value,
        "changes": _changes(step.changes),
        "journeys": list(step.journeys),
        "outcome": step.outcome.value if step.outcome else None,
        "undo_as": step.undo_as.value,
    }


def step_of(row: RowMapping) -> StepRecord:
    """A step from its table."""
    values = _numberless(row)
    values["order"] = values.pop("order_id")
    return StepRecord(
        **values
        | {
            "cause": StepCause(row["cause"]),
            "phase": StepPhase(row["phase"]),
            "changes": _changes_of(row["changes"]),
            "journeys": tuple(row["journeys"]),
            "outcome": StepOutcome(row["outcome"]) if row["outcome"] else None,
            "undo_as": StepOutcome(row["undo_as"]),
        }
    )


def approval_row(approval: Approval) -> Row:
    """An approval for its table, but for its number."""
    row = _plain(approval) | {"scope": approval.scope.value}
    row["actor"] = row.pop("by")
    return row


def approval_of(row: RowMapping) -> Approval:
    """An approval from its table."""
    values = _numberless(row) | {"scope": ApprovalScope(row["scope"])}
    values["by"] = values.pop("actor")
    return Approval(**values)


def hold_row(hold: LadderHold) -> Row:
    """A hold for its table."""
    row = _plain(hold)
    row["actor"] = row.pop("by")
    return row


def hold_of(row: RowMapping) -> LadderHold:
    """A hold from its table."""
    return LadderHold(row["ladder"], row["actor"], row["why"], row["since"], row["until"])


def order_row(order: LadderOrder) -> Row:
    """An order for its table, but for its number."""
    row = _plain(order) | {"kind": order.kind.value}
    row["actor"] = row.pop("by")
    return row


def order_of(row: RowMapping) -> LadderOrder:
    """An order from its table."""
    values = _numberless(row) | {"kind": OrderKind(row["kind"])}
    values["by"] = values.pop("actor")
    return LadderOrder(**values)


def receipt_row(receipt: SavingsReceipt) -> Row:
    """A receipt for its table."""
    row = _plain(receipt)
    return row | {name: None if row[name] is None else _decimal(row[name]) for name in _DECIMALS}


def receipt_of(row: RowMapping) -> SavingsReceipt:
    """A receipt from its table."""
    return SavingsReceipt(**dict(row) | {name: None if row[name] is None else Decimal(row[name]) for name in _DECIMALS})


def _plain(record: Any) -> Row:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _numberless(row: RowMapping) -> Row:
    values = dict(row)
    del values["number"]
    return values


def _changes(changes: tuple[FlagChange, ...]) -> list[list[Any]]:
    return [[each.tier, each.flag, each.before, each.after, each.is_read] for each in changes]


def _changes_of(written: list[list[Any]]) -> tuple[FlagChange, ...]:
    return tuple(FlagChange(*each) for each in written)


def _stamp(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no amount of money: leave out what is not known")
    return exact.plain(value)
