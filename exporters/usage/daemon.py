"""Keeps metering going: months move on and are closed, quotas that are reached become events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.usage import Period, PeriodState
from controlplane.ports import HeldLease, Store, Transaction
from exporters.usage.closing import Closed, Closer, NotClosable
from exporters.usage.periods import GRACE, due_state, period_of
from exporters.usage.ports import AchievedSLO
from exporters.usage.quotas import current, ended, events_of, months_of_interest
from exporters.usage.ranking import SHOWN, to_show
from exporters.usage.terms import UsageTerms

EVENTS_KEPT: Final = timedelta(days=430)  # longer than an event may be late, so that a forgotten id never comes again


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. `stuck` says why a month whose time has come is not closed."""

    moved: tuple[str, ...] = ()
    closed: tuple[Closed, ...] = ()
    quota_events: int = 0
    forgotten: int = 0
    stuck: str = ""


def run_once(
    store: Store,
    terms: UsageTerms,
    now: datetime,
    *,
    lease: HeldLease | None = None,
    source: AchievedSLO | None = None,
    grace: timedelta = GRACE,
    shown: int = SHOWN,
) -> Turn:
    """One turn; none where nothing is declared, since files that cannot be read declare nothing, either.

    Raises `Transient` when the store cannot be used, `Permanent` when totals do not add up.
    """
    if terms == UsageTerms():
        return Turn()
    with store.transaction(lease=lease) as transaction:
        moved = _move(transaction, now, grace)
        transaction.usage.show(to_show(transaction.usage.counters(), transaction.usage.shown(), shown))
        forgotten = transaction.usage.forget(period_of(now - EVENTS_KEPT))
        told = _tell_quotas(transaction, terms, now)
    closed, stuck = _close(store, Closer(store, terms, source=source, lease=lease), now, grace)
    return Turn(moved, closed, told, forgotten, stuck)


def _move(transaction: Transaction, now: datetime, grace: timedelta) -> tuple[str, ...]:
    """Open this month, even without usage: a contract may owe a credit for it. End those that are over."""
    month = period_of(now)
    moved = [f"{month} open"] if transaction.usage.move(month, PeriodState.OPEN, now) else []
    for period in transaction.usage.periods():
        over = due_state(period.name, now, grace) is not PeriodState.OPEN
        if period.state is PeriodState.OPEN and over and transaction.usage.move(period.name, PeriodState.GRACE, now):
            moved.append(f"{period.name} grace")
    return tuple(moved)


def _tell_quotas(transaction: Transaction, terms: UsageTerms, now: datetime) -> int:
    if not terms.quotas:
        return 0
    meters = sorted({quota.meter for quota in terms.quotas})
    totals = [
        total
        for month in months_of_interest(now)
        for total in transaction.usage.totals(period=month, meters=meters)
    ]  # fmt: skip
    uses = [*ended(terms.quotas, totals, now), *current(terms.quotas, totals, now)]
    return transaction.events.append_all(events_of(uses, now), now)


def _close(store: Store, closer: Closer, now: datetime, grace: timedelta) -> tuple[tuple[Closed, ...], str]:
    closed: list[Closed] = []
    with store.transaction(read_only=True) as transaction:
        due = [period.name for period in transaction.usage.periods() if _is_due(period, now, grace)]
    for name in due:
        try:
            closed.append(closer.close(name, now))
        except NotClosable as error:
            return tuple(closed), str(error)
    return tuple(closed), ""


def _is_due(period: Period, now: datetime, grace: timedelta) -> bool:
    """Whether it must be closed: its time has come, or somebody began to close it and did not end."""
    if period.state is PeriodState.CLOSED:
        return False
    return period.state is PeriodState.CLOSING or due_state(period.name, now, grace) is PeriodState.CLOSED
