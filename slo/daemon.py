"""The loop that keeps Prometheus at what the SLO files say."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from controlplane import conventions
from controlplane.model.event import JSON, Event
from controlplane.model.generation import Generation
from controlplane.model.rule import RuleFile
from controlplane.ports import Permanent, RuleEngine, Transient
from controlplane.problems import Problem, Severity, has_errors
from slo.apply import Approval, Explain, Groups, RuleSwitch, SwitchResult, SwitchState, nothing_to_add
from slo.exclusions.changes import InForce, changes, expiries, in_force, in_generation
from slo.generation import MARKER_GROUP, generation_of
from slo.ports import Compiled, DashboardFolder, Journal, RuleFolder, Workspace

VERIFY_EVERY: Final = timedelta(seconds=60)  # what runs is compared with what should; refused rules are tried again
_PATIENCE_TURNS: Final = 3  # files that change at every turn are read all the same after so many


class ApplyState(Enum):
    """What one turn did.

    REJECTED: files that were just edited have mistakes, and changed nothing. ROLLED_BACK: Prometheus refused the rules,
    the last good ones are back. UNREACHABLE: Prometheus does not answer, nothing was touched.
    """

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled_back"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class ApplyOutcome:
    """One turn, and how things stand after it.

    `generation` is what the files mean now (empty when they have mistakes); `groups` and `rules` count what Prometheus
    was last seen to run of ours, `slos` those behind them (0 until this process saw them run). `reason` says, until it
    is mended, why that is not what the files mean.
    `restored` is False when Prometheus did not confirm that the last good rules run again. With `may_pass` the next
    turn tries again, otherwise a later one does.
    """

    state: ApplyState
    generation: str = ""
    groups: int = 0
    rules: int = 0
    slos: int = 0
    dashboards_changed: int = 0
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    restored: bool = True
    may_pass: bool = False


@dataclass(slots=True)
class _Memory:
    """What a daemon remembers between turns; forgetting it costs one comparison, nothing else."""

    compiled: Compiled | None = None
    generation: Generation | None = None
    slos: int = 0  # of the rules that run
    rejected: str = ""  # digest of the files whose mistakes were told last
    look: Hashable = None  # the files when they were compiled
    pending: Hashable = None  # the files at the last turn, when they differed
    deferred: int = 0
    outcome: ApplyOutcome | None = None
    verify_at: datetime | None = None
    seen: Groups = ()
    links: tuple[object, object] = (None, None)
    expiries: set[str] = field(default_factory=set)  # of exclusions, that the journal knows


@dataclass(frozen=True, slots=True)
class SLODaemon:
    """Compile the workspace when it changes, apply it, verify it, and mend what somebody else changed.

    An edit is used once its files look the same at two turns, so that half-saved files are not. Mistakes in files and
    refusals by Prometheus leave the last good rules running and are told once per content.
    """

    workspace: Workspace
    folder: RuleFolder
    engine: RuleEngine
    journal: Journal
    to_yaml: Callable[[RuleFile], str]
    dashboards: DashboardFolder | None = None
    explain: Explain = nothing_to_add
    verify_every: timedelta = VERIFY_EVERY
    _memory: _Memory = field(default_factory=_Memory)

    @property
    def compiled(self) -> Compiled | None:
        """What the files meant when they were last read; None before the first turn."""
        return self._memory.compiled

    def run_once(self, now: datetime) -> ApplyOutcome:
        """One turn. Cheap while nothing changes: it looks at the files' metadata and at two links.

        Raises `Transient` or `Permanent` from the rules directory and the store, `LeaseLost`; the next turn goes on.
        """
        memory = self._memory
        changed = self._read_workspace()
        if not changed and self._rests(now):
            assert memory.outcome is not None
            return replace(memory.outcome, state=ApplyState.UNCHANGED, dashboards_changed=0)
        assert memory.compiled is not None
        memory.verify_at = None  # an exception below must not look like rest
        with self.folder.exclusive():
            if memory.generation is None:
                outcome = self._reject(memory.compiled, now)
            else:
                outcome = self._publish(memory.compiled, memory.generation, now)
            memory.links = self._links()
        memory.outcome = outcome
        memory.verify_at = None if outcome.may_pass else now + self.verify_every
        return outcome

    def _read_workspace(self) -> bool:
        """Compile when the files have changed and settled; whether they have."""
        memory = self._memory
        look = self.workspace.fingerprint()
        if memory.compiled is not None:
            if look == memory.look:
                memory.pending, memory.deferred = None, 0
                return False
            if look != memory.pending and memory.deferred < _PATIENCE_TURNS:
                memory.pending, memory.deferred = look, memory.deferred + 1
                return False
        compiled = self.workspace.compile()
        good = not has_errors(compiled.problems)
        beside = (compiled.manifest, *compiled.records)
        memory.generation = generation_of(compiled.files, self.to_yaml, *beside) if good else None
        memory.compiled, memory.look, memory.pending, memory.deferred = compiled, look, None, 0
        memory.seen = ()
        return True

    def _rests(self, now: datetime) -> bool:
        memory = self._memory
        return memory.verify_at is not None and now < memory.verify_at and memory.links == self._links()

    def _links(self) -> tuple[object, object]:
        return self.folder.current(), self.folder.last_good()

    def _reject(self, compiled: Compiled, now: datetime) -> ApplyOutcome:
        """Tell the mistakes, and see that the last good rules run."""
        kept = RuleSwitch(self.folder, self.engine, self.explain).keep(seen=self._memory.seen)
        self._memory.seen = kept.live
        errors = [problem for problem in compiled.problems if problem.severity is Severity.ERROR]
        data: dict[str, JSON] = {
            "by": "flyball",
            "problems": len(errors),
            "first": f"{errors[0].position}: {errors[0].message}",
        }
        self._tell_rejection(compiled.digest, data, now)
        anew = self._memory.rejected != compiled.digest
        self._memory.rejected = compiled.digest
        return self._outcome(ApplyState.REJECTED if anew else ApplyState.UNCHANGED, kept, compiled, "")

    def _publish(self, compiled: Compiled, generation: Generation, now: datetime) -> ApplyOutcome:
        excluded = in_force(compiled.slos)

        def approve(approval: Approval) -> None:
            applied = _applied(approval, len(compiled.slos), now)
            before = in_generation(self.folder.read(approval.previous.copy)) if approval.previous else {}
            for event in changes(before, excluded, step=applied.id, now=now):
                self.journal.write(event)
            self.journal.write(applied)

        switch = RuleSwitch(self.folder, self.engine, self.explain)
        result = switch.bring(generation, compiled.files, seen=self._memory.seen, approve=approve)
        self._memory.rejected = ""
        runs = result.state in (SwitchState.APPLIED, SwitchState.UNCHANGED)
        self._memory.seen = result.live if runs else ()
        self._memory.slos = len(compiled.slos) if runs else self._memory.slos
        if runs:
            self._tell_expiries(excluded, now)
        if result.state is SwitchState.ROLLED_BACK and not result.may_pass:
            self._tell_rejection(generation.id, {"by": "prometheus", "reason": result.reason}, now)
        outcome = self._outcome(ApplyState(result.state.value), result, compiled, generation.id)
        if self.dashboards is None or not runs:
            return outcome
        try:
            return replace(outcome, dashboards_changed=self.dashboards.publish(compiled.dashboards))
        except (Transient, Permanent) as error:  # the rules run all the same
            return replace(outcome, reason=f"dashboards were not published: {error}")

    def _tell_expiries(self, excluded: dict[str, InForce], now: datetime) -> None:
        for event in expiries(excluded, now):
            if event.id not in self._memory.expiries:
                self.journal.write(event)
                self._memory.expiries.add(event.id)

    def _tell_rejection(self, content: str, data: dict[str, JSON], now: datetime) -> None:
        identity = hashlib.sha256(f"{content}\0{sorted(data.items())}".encode()).hexdigest()
        kind = conventions.EVENT_RULES_REJECTED
        self.journal.write(Event(f"{kind}/{identity}", kind, "rules", now, data))

    def _outcome(self, state: ApplyState, result: SwitchResult, compiled: Compiled, generation: str) -> ApplyOutcome:
        ours = [group for group in result.live if group.name != MARKER_GROUP]
        return ApplyOutcome(
            state=state,
            generation=generation,
            groups=len(ours),
            rules=sum(len(group.rules) for group in ours),
            slos=self._memory.slos,
            problems=compiled.problems,
            reason=result.reason,
            restored=result.confirmed,
            may_pass=result.may_pass,
        )


def _applied(approval: Approval, slos: int, now: datetime) -> Event:
    """The same approval has the same id, so that a crash between telling it and marking it does not tell it twice."""
    kind = conventions.EVENT_RULES_APPLIED
    previous = approval.previous
    ours = [group for group in approval.live if group.name != MARKER_GROUP]
    after = f"{previous.copy}@{previous.marking}" if previous else "nothing"
    data: dict[str, JSON] = {
        "generation": approval.generation,
        "previous": previous.copy.partition(".")[0] if previous else "",
        "groups": len(ours),
        "rules": sum(len(group.rules) for group in ours),
        "slos": slos,
    }
    return Event(f"{kind}/{approval.generation}/{after}", kind, "rules", now, data)
