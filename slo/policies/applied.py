"""SLOPolicy documents applied to SLOs of every dialect.

Of two policies that set the same thing for an SLO the more specific one wins: one that the SLO asks for by name, then
one that names it, one with a pattern that fits its name, one that selects by service or label (by more of these before
fewer), one for all. Equally specific ones must not contradict one another. What an SLO's own document settles beats
them all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from controlplane.model.alerting import Alerting, Urgency
from controlplane.model.slo import SLO
from controlplane.problems import Problem
from controlplane.specfile import Document, did_you_mean
from slo.metadata import name_problems
from slo.policies.alert_tiers import TierFault
from slo.policies.settings import PER_SLO, RULE, TIERS, Setting, settings_of
from slo.policies.spec import PolicyDocument
from slo.selecting import selection_problems

_SELECT: Final = ("spec", "select")
_Rank = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Settled:
    """SLOs with every policy applied, in the order they came. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]


def with_policies(
    slos: Sequence[SLO], documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Settled:
    """Apply the policies among the documents. `may_be_declared`: whether a document that was not read has this name."""
    applying = _Applying(documents, may_be_declared)
    applying.check_selections(slos)
    done = tuple(applying.settled(slo) for slo in slos)
    return Settled(done, (*applying.problems, *applying.conflicts()))


@dataclass(frozen=True, slots=True, eq=False)
class _Policy:
    name: str
    document: Document
    value: PolicyDocument
    settings: tuple[Setting, ...]

    def rank(self, slo: SLO) -> _Rank | None:
        """How specifically it speaks about the SLO; None when it does not."""
        if self.name in slo.policies:
            return 4, 0
        selection = self.value.spec.select
        if selection is None or not selection.fits(slo):
            return None
        chosen = bool(selection.services) + len(selection.labels)
        if slo.name in selection.slos:
            return 3, chosen
        return 2 if selection.slos else 0 if selection.every else 1, chosen


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A setting that concerns an SLO, and how specifically."""

    rank: _Rank
    policy: _Policy
    setting: Setting


class _Applying:
    def __init__(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> None:
        self.problems: list[Problem] = []
        self._may_be_declared = may_be_declared
        self._policies: dict[str, _Policy] = {}
        self._made: dict[tuple[int, ...], SLO] = {}
        self._contradictions: dict[tuple[str, str, str], tuple[_Chosen, _Chosen, list[str]]] = {}
        for document in documents:
            if isinstance(document.value, PolicyDocument):
                self._add(document, document.value)

    def _add(self, document: Document, value: PolicyDocument) -> None:
        settings, problems = settings_of(document, value)
        name = value.metadata.name
        self.problems += (*problems, *name_problems(document, name))
        if name in self._policies:
            first = self._policies[name].document.position_of("metadata", "name")
            message = f"the name `{name}` is taken by another {value.kind}"
            problem = document.problem(
                "metadata", "name", message=message, hint=f"first used at {first}", rule="duplicate-name"
            )
            self.problems.append(problem)
            return
        self._policies[name] = _Policy(name, document, value, settings)

    def check_selections(self, slos: Sequence[SLO]) -> None:
        """Tell of selections that are empty or in vain."""
        asked = {name for slo in slos for name in slo.policies}
        for policy in self._policies.values():
            selection, document = policy.value.spec.select, policy.document
            if selection is not None:
                self.problems += selection_problems(document, _SELECT, selection, slos, self._may_be_declared)
            elif policy.name not in asked:
                message = "selects nothing, and no SLO asks for it by name"
                hint = f"add select:, or the annotation flyball.dev/policy: {policy.name} to an SLO"
                self.problems.append(document.problem("spec", message=message, hint=hint, rule=RULE, on_key=True))

    def settled(self, slo: SLO) -> SLO:
        """The SLO with what policies set and its own document left open."""
        self.problems += self._unknown(slo)
        chosen = self._chosen(slo)
        if not chosen:
            return slo
        still_open = [it for it in chosen if it.setting.is_open(slo)]
        done = self._alike(slo, [it for it in still_open if it.setting.key not in PER_SLO])
        for it in still_open:
            if it.setting.key in PER_SLO:
                done = self._put(it, done)
        if _cannot_be_told_apart(done.alerting):
            self.problems.append(_same_alerts(done, chosen))
        return done

    def _alike(self, slo: SLO, chosen: Sequence[_Chosen]) -> SLO:
        """The SLO with settings that come out the same for all that were alike before: ten thousand share them."""
        key = (id(slo.policy), id(slo.alerting), *(id(it.setting) for it in chosen))
        if key not in self._made:
            made = slo
            for it in chosen:
                made = self._put(it, made)
            self._made[key] = made
        made = self._made[key]
        return made if made is slo else replace(slo, policy=made.policy, alerting=made.alerting)

    def _put(self, chosen: _Chosen, slo: SLO) -> SLO:
        try:
            return chosen.setting.put(slo)
        except TierFault as fault:
            path, document = chosen.setting.path, chosen.policy.document
            at = (*path, fault.key) if fault.key else path
            self.problems.append(document.problem(*at, message=fault.message, hint=fault.hint, rule=RULE))
            return slo

    def _chosen(self, slo: SLO) -> list[_Chosen]:
        """The most specific setting of each key, tiers before what changes them."""
        ranked = [(rank, policy) for policy in self._policies.values() if (rank := policy.rank(slo)) is not None]
        found: dict[str, _Chosen] = {}
        for rank, policy in sorted(ranked, key=lambda pair: pair[0]):
            if any(setting.key == TIERS for setting in policy.settings):
                found = {key: it for key, it in found.items() if it.rank == rank or not it.setting.of_tiers}
            for setting in policy.settings:
                chosen, known = _Chosen(rank, policy, setting), found.get(setting.key)
                if known is not None and known.rank == rank and known.setting.value != setting.value:
                    self._contradict(slo, known, chosen)
                found[setting.key] = chosen
        return sorted(found.values(), key=lambda it: it.setting.of_tiers)

    def _contradict(self, slo: SLO, first: _Chosen, second: _Chosen) -> None:
        key = (first.policy.name, second.policy.name, first.setting.key)
        self._contradictions.setdefault(key, (first, second, []))[2].append(slo.name)

    def conflicts(self) -> Iterator[Problem]:
        """One problem for each setting and pair of policies that contradict one another."""
        for first, second, slos in self._contradictions.values():
            others = len(slos) - 1
            more = f" and {others:,} more SLO{'' if others == 1 else 's'}" if others else ""
            place = first.policy.document.key_position_of(*first.setting.path)
            yield second.policy.document.problem(
                *second.setting.path,
                message=f"the policy `{first.policy.name}` says otherwise about `{slos[0]}`{more}, as specifically",
                hint=f"it does so at {place}; take one away, or select more narrowly (by name beats by label)",
                rule=RULE,
                on_key=True,
            )

    def _unknown(self, slo: SLO) -> Iterator[Problem]:
        for name in slo.policies:
            if name not in self._policies and not self._may_be_declared(name):
                meant = did_you_mean(name, self._policies)
                message = f"no SLOPolicy is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
                yield Problem.at(slo.source, "metadata.annotations", message, rule="unknown-reference")


def _cannot_be_told_apart(alerting: Alerting) -> bool:
    """Whether pages look like tickets, so that neither a ticket can be muted by a page nor a route be chosen."""
    page, ticket = alerting.page, alerting.ticket
    names = (page.name, ticket.name)
    return names[0] == names[1] and (page.severity or Urgency.PAGE.value) == (ticket.severity or Urgency.TICKET.value)


def _same_alerts(slo: SLO, chosen: Sequence[_Chosen]) -> Problem:
    message = f"pages and tickets of `{slo.name}` would have one name and one severity"
    for it in chosen:
        if it.setting.key.endswith(".severity"):
            return it.policy.document.problem(*it.setting.path, message=message, rule=RULE)
    return Problem.at(slo.source, "", message, rule=RULE)
