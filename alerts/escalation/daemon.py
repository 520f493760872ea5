"""Tells whoever is next while nobody acknowledges, by database time: whoever leads sees the same steps due."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from alerts.escalation.firing import Fired, fire
from alerts.escalation.lapsing import lapse, lapses_at, may_lapse
from alerts.incidents.writing import ReadTime, database_time
from alerts.model import AlertsDeclared
from controlplane.model.incident import DueStep
from controlplane.ports import HeldLease, Store, Transaction

log = logging.getLogger(__name__)
AT_ONCE: Final = 25  # steps a transaction: a quarter of a second for those who wait to write
_MOST_TURNS: Final = 40
_LAPSES_EVERY: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Escalated:
    """What a run did: steps that fired, and incidents whose acknowledgement lapsed (by id)."""

    fired: tuple[Fired, ...] = ()
    lapsed: tuple[str, ...] = ()


class Escalator:
    """Fires steps that are due. Raises `LeaseLost` when another replica leads, and what the store raises.

    Each transaction is whole: steps that fired are marked in the one that queues their messages, so a run that is
    killed at any moment leaves each step either fired and told or to come.
    """

    def __init__(
        self, store: Store, declared: Callable[[], AlertsDeclared], *, read_time: ReadTime = database_time
    ) -> None:
        self._store = store
        self._declared = declared
        self._read_time = read_time
        self._looked_at: datetime | None = None

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Escalated:
        """Fire everything that is due by the database's clock, earliest first; then let acknowledgements lapse."""
        declared = self._declared()
        fired: list[Fired] = []
        for _ in range(_MOST_TURNS):
            found, may_be_more = self._turn(declared, now, lease)
            fired += found
            if not may_be_more:
                break
        return Escalated(tuple(fired), self._lapse(declared, now, lease))

    def _turn(self, declared: AlertsDeclared, now: datetime, lease: HeldLease | None) -> tuple[list[Fired], bool]:
        with self._store.transaction(read_only=True) as transaction:
            if not transaction.incidents.due_steps(self._read_time(transaction, now), 1):
                return [], False
        with self._store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            at = self._read_time(transaction, now)
            due = transaction.incidents.due_steps(at, AT_ONCE)
            fired = _fire_all(transaction, due, declared, at, now)
        for each in fired:
            step = each.step
            fields = {"incident": step.incident, "policy": step.policy, "round": step.round, "step": step.step}
            log.info("alerts.escalated", extra=fields | {"told": ",".join(step.told)})
        return fired, len(due) == AT_ONCE

    def _lapse(self, declared: AlertsDeclared, now: datetime, lease: HeldLease | None) -> tuple[str, ...]:
        """Every now and then: to look through what is open costs more than to ask what is due."""
        is_early = self._looked_at is not None and timedelta(0) <= now - self._looked_at < _LAPSES_EVERY
        if is_early or not any(policy.acknowledged_for for policy in declared.policies):
            return ()
        with self._store.transaction(read_only=True) as transaction:
            at = self._read_time(transaction, now)
            held = [
                each.id for each in transaction.incidents.open() if may_lapse(each, declared.policy(each.policy), at)
            ]
        lapsed = [each for each in held if self._lapse_one(each, declared, now, lease)]
        self._looked_at = now
        return tuple(lapsed)

    def _lapse_one(self, id_: str, declared: AlertsDeclared, now: datetime, lease: HeldLease | None) -> bool:
        with self._store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            at = self._read_time(transaction, now)
            incident = transaction.incidents.incident(id_)
            policy = declared.policy(incident.policy) if incident is not None else None
            if incident is None or policy is None or not may_lapse(incident, policy, at):
                return False
            end = lapses_at(incident, policy, transaction.incidents.timeline(id_))
            if end is None or end > at:
                return False
            lapse(transaction, incident, policy, declared=declared, at=at, now=now)
        log.info("alerts.acknowledgement_lapsed", extra={"incident": id_})
        return True


def _fire_all(
    transaction: Transaction, due: list[DueStep], declared: AlertsDeclared, at: datetime, now: datetime
) -> list[Fired]:
    fired: list[Fired] = []
    in_order = {step.incident: number for number, step in reversed(list(enumerate(due)))}
    for id_, steps in groupby(sorted(due, key=lambda step: in_order[step.incident]), key=lambda step: step.incident):
        incident = transaction.incidents.incident(id_)
        assert incident is not None, "a step is one of an incident"
        fired += fire(transaction, incident, list(steps), declared=declared, at=at, now=now)[1]
    return fired
