"""Carries a step on from whatever phase it is in: the same code begins a step and takes over one that a crash left."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from controlplane.ladder_ports import JourneyRunner
from controlplane.model.ladder import StepOutcome, StepPhase, StepRecord
from controlplane.ports import Clock, HeldLease, Store
from finops.flags.model import DeclaredFlag, DeclaredStore
from finops.flags.ports import OpenedStore, OpenStore
from finops.ladder.acting import undoing, verifying, writing
from finops.ladder.acting.act import YOUNG, Act, verification_of
from finops.ladder.acting.flag_calls import FlagCalls, Stopped, StoreDown, StoreRefused, calling
from finops.ladder.acting.journal import Journal
from finops.ladder.model import Ladder

_PHASES: Final[Mapping[StepPhase, Callable[[Act, StepRecord], StepRecord]]] = {
    StepPhase.INTENT: writing.begin,
    StepPhase.WRITING: writing.go_on,
    StepPhase.SHOWING: verifying.show,
    StepPhase.VERIFYING: verifying.verify,
    StepPhase.UNDOING: undoing.undo,
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stepper:
    """The ports that steps need. `stores` are the declared flag stores; `is_killed` says why nothing may be written."""

    store: Store
    open_store: OpenStore
    stores: Callable[[], Sequence[DeclaredStore]]
    journeys: JourneyRunner
    is_killed: Callable[[], str]
    wait: Callable[[float], None]
    clock: Clock

    def forward(self, step: StepRecord, ladder: Ladder | None, lease: HeldLease | None) -> StepRecord:
        """The step, as far as it comes now: ended, or waiting for the flag store or the kill switch.

        Raises `LeaseLost` when somebody else leads, and what the database raises; the next turn takes it up again.
        """
        journal = self.journal(step.ladder, ladder, lease)
        step = self._if_young(journal, step)
        with ExitStack() as stack:
            opened = None
            while step.phase is not StepPhase.ENDED:
                try:
                    if why := self.is_killed():
                        raise Stopped(why)
                    if opened is None:
                        with calling():
                            opened = stack.enter_context(self.open_store(step.store))
                    step = _PHASES[step.phase](self.act(opened, step.store, journal), step)
                except (StoreDown, StoreRefused, Stopped) as trouble:
                    at = journal.reread(step)  # it may have come further before the trouble
                    step = self._troubled(journal, at, trouble)
                    if step.phase is at.phase:
                        return step
        return step

    def journal(self, name: str, ladder: Ladder | None, lease: HeldLease | None) -> Journal:
        """Where steps of a ladder are written down."""
        return Journal(self.store, self.clock, name, ladder, lease)

    def act(self, opened: OpenedStore, store: str, journal: Journal) -> Act:
        """What a step acts with."""
        flags = FlagCalls(store, opened, self.declared(store), journal.ensure_leading, self.is_killed)
        return Act(journal, flags, self.journeys, verification_of(journal.ladder), self.wait)

    def declared(self, store: str) -> dict[str, DeclaredFlag]:
        """The flags on a store's allow-list, by name."""
        return {flag.name: flag for each in self.stores() if each.name == store for flag in each.flags}

    def _if_young(self, journal: Journal, step: StepRecord) -> StepRecord:
        """A step that nobody could finish in time is refused or undone."""
        if step.phase in (StepPhase.ENDED, StepPhase.UNDOING) or self.clock.now() - step.decided_at <= YOUNG:
            return step
        why = "it could not be finished within 10 minutes"
        if step.attempts and step.detail:
            why = f"{why}: {step.detail}"
        if step.phase is StepPhase.INTENT:
            return journal.end(step, StepOutcome.REFUSED, why)
        return journal.advance(step, phase=StepPhase.UNDOING, detail=why)

    def _troubled(self, journal: Journal, step: StepRecord, trouble: StoreDown | StoreRefused | Stopped) -> StepRecord:
        """What becomes of a step that the outside does not let go on."""
        if isinstance(trouble, Stopped):
            if step.phase is StepPhase.INTENT:
                return journal.end(step, StepOutcome.REFUSED, f"the kill switch is set: {trouble}")
            return step
        if isinstance(trouble, StoreDown):
            return journal.hold_up(step, str(trouble))
        if step.phase is StepPhase.INTENT:
            return journal.end(step, StepOutcome.REFUSED, str(trouble))
        if step.phase is StepPhase.UNDOING:
            return journal.stuck(step, str(trouble))
        return journal.advance(step, phase=StepPhase.UNDOING, detail=str(trouble))
