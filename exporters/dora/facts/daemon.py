"""Makes facts of delivery events, batch after batch, and marks the days that must be measured anew because of them.

A batch is read and folded from one consistent state without holding anybody up; then all that it changes (facts, stale
days, events of the event log, how far it came) is written in one short transaction, if nobody else was faster. A fact
depends on all events of its thing, so one that comes in between is no loss: it stands behind the cursor, and brings its
thing up again. Whatever dies in between has either written all of a batch or nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from controlplane.model.delivery import Artifact, Change, DeliveryIncident, Deployment, EntityKind
from exporters.dora.facts import progress as progresses
from exporters.dora.facts.folding import FACTS_VERSION, Fact, digest_of, fold
from exporters.dora.facts.progress import Progress
from exporters.dora.facts.telling import events_of, to_tell
from exporters.dora.reckoning.reach import FactChange, days_touched
from exporters.events.entities import kind_and_key

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog
    from controlplane.ports import HeldLease, Store, Transaction
    from exporters.dora.policy.model import DeliveryPolicy

BATCH: Final = 5000  # events, at most
BATCHES: Final = 25  # of a turn
T = TypeVar("T", Deployment, Change, Artifact, DeliveryIncident)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. `behind`: new events that are still to be made into facts.

    `is_folding_again`: older facts still follow a policy of before; `was_overtaken`: somebody else is at work.
    """

    batches: int = 0
    facts_changed: int = 0
    days_marked: int = 0
    deployments_told: int = 0
    behind: int = 0
    is_folding_again: bool = False
    was_overtaken: bool = False

    def plus(self, other: "Turn") -> "Turn":
        """What both did."""
        return Turn(
            self.batches + other.batches,
            self.facts_changed + other.facts_changed,
            self.days_marked + other.days_marked,
            self.deployments_told + other.deployments_told,
        )


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the next events come to: `before` and `after` of the progress row, and what changes by entity."""

    before: Progress | None
    after: Progress
    changed: dict[str, FactChange]


class FactsDaemon:
    """One for each store. The policy is asked for at every turn: when it is another one, all is folded again."""

    def __init__(self, store: "Store", policy: "Callable[[], DeliveryPolicy]", *, batch: int = BATCH) -> None:
        self._store = store
        self._policy = policy
        self._size = min(batch, BATCH)

    def run_once(
        self,
        now: datetime,
        lease: "HeldLease | None" = None,
        *,
        batches: int = BATCHES,
        is_time_up: Callable[[], bool] = lambda: False,
    ) -> Turn:
        """At most so many batches, new events first; asks `is_time_up` between two of them.

        Raises `Transient` when the store cannot be used and `LeaseLost`; what was done until then is kept.
        """
        policy = self._policy()
        done = Turn()
        while done.batches < batches and not (done.batches and is_time_up()):
            with self._store.transaction(read_only=True) as transaction:
                batch = self._next(transaction.delivery, policy)
                behind = max(transaction.delivery.last_sequence() - batch.after.sequence, 0) if batch else 0
            if batch is None:
                return replace(done, behind=0, is_folding_again=False)
            with self._store.transaction(lease=lease) as transaction:
                written = self._write(transaction, batch, policy, now)
            if written is None:
                return replace(done, was_overtaken=True)
            done = replace(done.plus(written), behind=behind, is_folding_again=batch.after.is_folding_again)
        return done

    def _next(self, log: "DeliveryLog", policy: "DeliveryPolicy") -> _Batch | None:
        """The next events and what follows from them; None when there are none."""
        before = progresses.read(log)
        rules = (FACTS_VERSION, digest_of(policy))
        current = before.under(*rules) if before is not None else Progress(*rules)
        entities, last = log.entities_after(current.sequence, self._size)
        if last > current.sequence:
            changed = _changed(log, entities, policy)
            # By the same rules more events never unsay a fact: those that said it were forgotten.
            kept = {entity: change for entity, change in changed.items() if change.new is not None}
            return _Batch(before, current.advanced(last), kept)
        if not current.is_folding_again:
            return None if current == before or before is None else _Batch(before, current, {})
        entities, last = log.entities_after(current.again_from, self._size)
        end = last if last > current.again_from else current.again_until
        return _Batch(before, current.folded_again(end), _changed(log, entities, policy))

    def _write(self, transaction: "Transaction", batch: _Batch, policy: "DeliveryPolicy", now: datetime) -> Turn | None:
        """Write what a batch comes to; None when it is not the next one any more."""
        log = transaction.delivery
        if progresses.read(log) != batch.before:
            return None
        changed = list(batch.changed.values())
        days = days_touched(log, changed, policy, now.astimezone(UTC).date())
        _put(log, batch.changed)
        log.mark_stale(days)
        progresses.write(log, batch.after)
        deployments = [change.new for change in changed if isinstance(change.new, Deployment)]
        told = list(events_of(log, to_tell(deployments, policy, now)))
        count = transaction.events.append_all(told, now) if told else 0
        return Turn(batches=1, facts_changed=len(changed), days_marked=len(days), deployments_told=count)


def _changed(log: "DeliveryLog", entities: Sequence[str], policy: "DeliveryPolicy") -> dict[str, FactChange]:
    """What is to be said differently about these things, by entity."""
    known = known_facts(log, entities)
    folded = {entity: fold(entity, events, policy) for entity, events in log.events_of(entities).items()}
    return {entity: FactChange(known.get(entity), fact) for entity, fact in folded.items() if known.get(entity) != fact}


def known_facts(log: "DeliveryLog", entities: Sequence[str]) -> dict[str, Fact]:
    """The facts about them as they stand."""
    keys: dict[EntityKind, dict[str, str]] = {kind: {} for kind in EntityKind}
    for entity in entities:
        try:
            kind, key = kind_and_key(entity)
        except ValueError:
            continue
        keys[kind][key] = entity
    found: dict[str, Fact] = {}
    for kind, facts in (
        (EntityKind.DEPLOYMENT, log.deployments(list(keys[EntityKind.DEPLOYMENT]))),
        (EntityKind.CHANGE, log.changes(list(keys[EntityKind.CHANGE]))),
        (EntityKind.ARTIFACT, log.artifacts(list(keys[EntityKind.ARTIFACT]))),
        (EntityKind.INCIDENT, log.delivery_incidents(list(keys[EntityKind.INCIDENT]))),
    ):
        found |= {keys[kind][key]: fact for key, fact in facts.items()}
    return found


def _put(log: "DeliveryLog", changed: Mapping[str, FactChange]) -> None:
    facts = [change.new for change in changed.values()]
    if deployments := _only(Deployment, facts):
        log.put_deployments(deployments)
    if changes := _only(Change, facts):
        log.put_changes(changes)
    if artifacts := _only(Artifact, facts):
        log.put_artifacts(artifacts)
    if incidents := _only(DeliveryIncident, facts):
        log.put_incidents(incidents)
    if gone := [entity for entity, change in changed.items() if change.new is None]:
        log.drop_facts(gone)


def _only(kind: type[T], facts: Sequence[Fact | None]) -> list[T]:
    return [fact for fact in facts if isinstance(fact, kind)]
