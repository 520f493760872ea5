"""Keeps the receipts of every ladder: opens, measures and closes them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from controlplane.model.ladder import LadderState, SavingsReceipt, StepRecord
from controlplane.model.series import Series
from controlplane.ports import HeldLease, MetricsBackend, Permanent, Store, Transient
from finops.ladder.model import Ladder
from finops.ladder.savings.history import (
    BLOCK,
    Change,
    Floats,
    History,
    changes_of,
    full_service,
    regimes,
    usual,
)
from finops.ladder.savings.queries import load_query, money_query
from finops.ladder.savings.receipts import closed, measured, opened
from finops.ladder.signals.scopes import NO_SCOPES, Scopes

KEPT: Final = timedelta(days=15)
_COUNT: Final = KEPT // BLOCK + 1
_AGAIN: Final = 3  # latest blocks are asked for once more: their entries may have come late
_MEASURED_EVERY: Final = timedelta(minutes=5)
_CLOSED_FOR: Final = timedelta(hours=2)  # leaving a tier tells once more what it saved
_LEAST_HISTORY: Final = timedelta(days=1)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class SavingsDaemon:
    """Reads ladders from the store and their spend from Prometheus. Call it once a minute.

    `scopes` says whose money budgets count. Spend is remembered between turns, so that only new blocks are asked for.
    """

    store: Store
    backend: MetricsBackend
    scopes: Scopes = NO_SCOPES
    _past: dict[tuple[str, str], "_Past"] = field(default_factory=dict, init=False)

    def run_once(self, ladders: Sequence[Ladder], now: datetime, lease: HeldLease | None = None) -> int:
        """How many receipts changed. Raises what the store raises; without metrics receipts wait to be measured."""
        declared = {ladder.name: ladder for ladder in ladders}
        book = self._book(declared, now)
        changed: list[SavingsReceipt] = []
        for state in book.states:
            changed += self._of(state, declared.get(state.ladder), book, now)
        if changed:
            with self.store.transaction(lease=lease) as transaction:
                for receipt in changed:
                    transaction.ladders.put_receipt(receipt)
        return len(changed)

    def _book(self, declared: Mapping[str, Ladder], now: datetime) -> "_Book":
        since = now - KEPT
        with self.store.transaction(read_only=True) as transaction:
            states = [state for state in transaction.ladders.states() if "/" not in state.ladder]
            ladders = {*declared, *(state.ladder for state in states)}
            receipts = {state.ladder: transaction.ladders.receipts(state.ladder, since) for state in states}
            busy = any(_is_live(receipt, now) for each in receipts.values() for receipt in each)
            if not busy and not any(state.applied for state in states):
                return _Book((), (), {})
            steps = [step for name in sorted(ladders) for step in transaction.ladders.steps(name, since)]
        return _Book(states, steps, receipts)

    def _of(self, state: LadderState, ladder: Ladder | None, book: "_Book", now: datetime) -> list[SavingsReceipt]:
        """The receipts of one ladder that are not as they were."""
        known = book.receipts[state.ladder]
        own = [step for step in book.steps if step.ladder == state.ladder]
        by_key = {(each.step, each.tier): each for each in known}
        before = dict(by_key)
        for receipt in closed(state, known, own, now):
            by_key[receipt.step, receipt.tier] = receipt
        if ladder is not None:
            by_key |= {(each.step, each.tier): each for each in opened(ladder, state, known)}
            for receipt in self._measured(ladder, list(by_key.values()), book, now):
                by_key[receipt.step, receipt.tier] = receipt
        return [receipt for key, receipt in by_key.items() if before.get(key) != receipt]

    def _measured(
        self, ladder: Ladder, receipts: Sequence[SavingsReceipt], book: "_Book", now: datetime
    ) -> list[SavingsReceipt]:
        due: dict[str, list[SavingsReceipt]] = {}
        for receipt in receipts:
            if _is_due(receipt, now):
                due.setdefault(receipt.step, []).append(receipt)
        if not due:
            return []
        try:
            history, changes = self._history(ladder, book, now)
        except (Transient, Permanent) as error:
            log.warning("finops.savings_not_measured", extra={"ladder": ladder.name, "why": str(error)})
            return []
        found = (measured(group, history, changes, now) for group in due.values())
        return [receipt for group in found for receipt in group]

    def _history(self, ladder: Ladder, book: "_Book", now: datetime) -> tuple[History, tuple[Change, ...]]:
        money = self._remembered(ladder.name, money_query(ladder, self.scopes), now)
        asked = load_query(ladder)
        load = self._remembered(ladder.name, asked[0], now) if asked else None
        start, values = money.start, money.blocks
        changes = tuple(each for each in changes_of(book.steps, now) if each.end >= start)
        is_full = full_service(start, len(values), book.steps, now)
        numbers = regimes(start, len(values), changes)
        if load is not None and asked is not None and np.isfinite(load.blocks).any():
            return History(start, values, load.blocks, asked[1], numbers, is_full), changes
        usually = usual(values, is_full)
        known = np.isfinite(values).sum() * BLOCK >= _LEAST_HISTORY
        return History(start, values, usually if known else None, "", numbers, is_full), changes

    def _remembered(self, ladder: str, expr: str, now: datetime) -> "_Past":
        past = self._past.setdefault((ladder, expr), _Past())
        past.ask(self.backend, expr, now)
        return past


@dataclass(frozen=True, slots=True)
class _Book:
    states: Sequence[LadderState]
    steps: Sequence[StepRecord]
    receipts: Mapping[str, Sequence[SavingsReceipt]]


@dataclass(slots=True)
class _Past:
    """Values of the blocks of 15 days, asked for once each; `last` is the number since 1970 of the latest one."""

    blocks: Floats = field(default_factory=lambda: np.full(_COUNT, np.nan))
    last: int | None = None

    def ask(self, backend: MetricsBackend, expr: str, now: datetime) -> None:
        last = _number(now)
        if self.last is not None and last < self.last:
            return  # the clock was put back
        first = last - _COUNT + 1 if self.last is None else max(self.last - _AGAIN, last - _COUNT) + 1
        found: Sequence[Series] = backend.query_range(expr, _at(first), _at(last), BLOCK)
        gone = 0 if self.last is None else min(last - self.last, _COUNT)
        self.blocks = np.concatenate([self.blocks[gone:], np.full(gone, np.nan)])
        self.blocks[first - last - 1 :] = np.nan
        for series in found[:1]:
            for at, value in series.points:
                self.blocks[_number(at) - last - 1] = value
        self.last = last

    @property
    def start(self) -> datetime:
        """When the first block ends."""
        return _at((self.last or 0) - _COUNT + 1)


def _is_live(receipt: SavingsReceipt, now: datetime) -> bool:
    return receipt.until is None or now - receipt.until <= _CLOSED_FOR


def _is_due(receipt: SavingsReceipt, now: datetime) -> bool:
    if not _is_live(receipt, now):
        return False
    return receipt.measured_at is None or now - receipt.measured_at >= _MEASURED_EVERY


def _number(at: datetime) -> int:
    return int(at.timestamp() // BLOCK.total_seconds())


def _at(number: int) -> datetime:
    return datetime.fromtimestamp(number * BLOCK.total_seconds(), UTC)
