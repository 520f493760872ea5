"""Bring a rule engine to one generation of rules, verified; or back to the last good one.

    write → switch → reload → read back → approve → mark good
                  ↘ refused or other rules than ours: switch back → reload → read back

Each step may be the last before a crash. The next run starts from what is on disk: a generation is good only once it is
marked, and whatever is not is switched, reloaded and verified again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controlplane.model.generation import Generation, GoodCopy
from controlplane.model.rule import RuleFile
from controlplane.ports import LoadedGroup, Permanent, RuleEngine, Transient
from slo.generation import difference, generation_of, is_whole, live_groups
from slo.ports import RuleFolder

KEPT_GENERATIONS: Final = 5
Groups = tuple[LoadedGroup, ...]
Explain = Callable[[Generation], str]


def nothing_to_add(_: Generation) -> str:
    """No explanation."""
    return ""


class SwitchState(Enum):
    """How it ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled_back"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """What runs now. `live` are the groups that the engine showed last, the marker's included.

    `reason` says why not, in the engine's words; `may_pass` whether the same attempt can succeed soon. After a rollback
    `confirmed` is False when the engine did not confirm that it runs the last good rules again.
    """

    state: SwitchState
    live: Groups = ()
    reason: str = ""
    may_pass: bool = False
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Approval:
    """What was verified to run, and what ran before it: offered before it is marked good."""

    generation: str
    previous: GoodCopy | None
    live: Groups


@dataclass(frozen=True, slots=True)
class RuleSwitch:
    """The folder and the engine that reads it. Every method expects that the caller holds `folder.exclusive()`.

    `explain` adds to a refusal what the engine does not say, such as the rule that is at fault.
    """

    folder: RuleFolder
    engine: RuleEngine
    explain: Explain = nothing_to_add

    def bring(
        self,
        generation: Generation,
        files: Sequence[RuleFile],
        *,
        seen: Groups = (),
        approve: Callable[[Approval], None],
    ) -> SwitchResult:
        """Make the engine run `generation`, of which `files` tells the groups.

        `seen` is what the engine showed when this generation was verified before; it must show the same again.
        `approve` is called once it is verified; what it raises leaves the generation running but not marked good.
        An engine that is unreachable at the start changes nothing. Raises what the folder raises.
        """
        try:
            live = self._live_if_good(generation.id)
        except (Transient, Permanent) as error:
            return SwitchResult(SwitchState.UNREACHABLE, reason=str(error), may_pass=isinstance(error, Transient))
        if live and not difference(files, live) and seen in ((), live):
            return SwitchResult(SwitchState.UNCHANGED, live)
        copy = self.folder.write(generation)
        self.folder.switch(copy)
        try:
            live = self._reloaded(generation.id)
        except Transient as error:
            return self._roll_back(str(error), may_pass=True)
        except Permanent as error:
            return self._roll_back(f"{error}{self.explain(generation)}", may_pass=False)
        if reason := self._mismatch(files, live):
            return self._roll_back(reason, may_pass=False)
        approve(Approval(generation.id, self.folder.last_good(), live))
        self.folder.mark_good(copy)
        self.folder.prune(KEPT_GENERATIONS)
        return SwitchResult(SwitchState.APPLIED, live)

    def keep(self, *, seen: Groups = ()) -> SwitchResult:
        """See that the last good generation runs, and bring it back where it does not."""
        good = self.folder.last_good()
        current = self.folder.current()
        if good is None and current is None:
            return SwitchResult(SwitchState.UNCHANGED)
        try:
            live = live_groups(id_of(good.copy) if good else _EMPTY.id, self.engine.loaded_groups())
        except (Transient, Permanent) as error:
            return SwitchResult(SwitchState.UNREACHABLE, reason=str(error), may_pass=isinstance(error, Transient))
        if good and self._is_good(id_of(good.copy)) and live and seen in ((), live):
            return SwitchResult(SwitchState.UNCHANGED, live)
        if good is None and current is not None and id_of(current) == _EMPTY.id and live:
            return SwitchResult(SwitchState.UNCHANGED, live)
        return self._roll_back("the rules that ran were not the last good ones", may_pass=False)

    def _live_if_good(self, identity: str) -> Groups:
        """What runs of a generation that is good on disk; one that is not is written and loaded in any case."""
        if self._is_good(identity):
            return live_groups(identity, self.engine.loaded_groups())
        self.engine.ensure_answering()
        return ()

    def _is_good(self, identity: str) -> bool:
        """Whether the folder holds it undamaged, points to it and has it marked good."""
        good, current = self.folder.last_good(), self.folder.current()
        return (
            good is not None
            and good.copy == current
            and id_of(good.copy) == identity
            and is_whole(identity, self.folder.read(good.copy))
        )

    def _reloaded(self, identity: str) -> Groups:
        self.engine.reload()
        return live_groups(identity, self.engine.loaded_groups())

    def _still_live(self, identity: str) -> Groups:
        """An engine that refuses to reload goes on with what it had, which may well be what we want."""
        try:
            return live_groups(identity, self.engine.loaded_groups())
        except (Transient, Permanent):
            return ()

    def _mismatch(self, files: Sequence[RuleFile], live: Groups) -> str:
        if not live:
            return (
                f"Prometheus reloaded, but it does not read {self.folder.rule_files}: "
                "add that to rule_files in its configuration, and see that its user may read there"
            )
        return difference(files, live)

    def _roll_back(self, reason: str, *, may_pass: bool) -> SwitchResult:
        """Point back to the last good generation, or to one without rules when there is none yet.

        An engine that failed in passing is not asked again now: the next attempt reloads it anyway.
        """
        good = self.folder.last_good()
        copy = good.copy if good else self.folder.write(_EMPTY)
        identity = id_of(copy)
        if not is_whole(identity, self.folder.read(copy)):
            reason += "; the last good rules were altered on disk by hand"
        self.folder.switch(copy)
        if may_pass:
            return SwitchResult(SwitchState.ROLLED_BACK, reason=reason, may_pass=True, confirmed=False)
        try:
            self.engine.reload()
        except (Transient, Permanent) as error:
            reason += "" if str(error) in reason else f"; going back: {error}"
        live = self._still_live(identity)
        return SwitchResult(SwitchState.ROLLED_BACK, live, reason, may_pass, confirmed=bool(live))


def id_of(copy: str) -> str:
    """The generation of which it is a copy."""
    return copy.partition(".")[0]


def _no_rules(_: RuleFile) -> str:
    return ""


_EMPTY: Final = generation_of((), _no_rules)
