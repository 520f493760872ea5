"""Settings that an SLO's own document carries as annotations (`flyball.dev/…`), the same in every dialect."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeVar

from controlplane import conventions as names
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO, Absent, Dialect, LegacyNames, NoTraffic
from controlplane.problems import Problem
from controlplane.promql import check_promql
from controlplane.specfile import Document, did_you_mean
from slo.legacy_names import LegacyFault, keeping, labels_from
from slo.policies import settings as keys
from slo.policies.alert_tiers import TierFault, length_of, without
from slo.policies.settings import with_up
from slo.promql.up_query import AUTO

ANNOTATIONS: Final = (
    names.ANNOTATION_GROUP_BY,
    names.ANNOTATION_NO_TRAFFIC,
    names.ANNOTATION_ABSENT,
    names.ANNOTATION_ABSENT_AFTER,
    names.ANNOTATION_UP,
    names.ANNOTATION_ALERTS,
    names.ANNOTATION_DROP_TIERS,
    names.ANNOTATION_POLICY,
    names.ANNOTATION_KEEP_NAMES,
    names.ANNOTATION_LEGACY_LABELS,
)
_RULE: Final = "metadata"
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NOT_GROUPS: Final = frozenset(
    {
        names.SLO,
        names.SERVICE,
        names.EVENT,
        names.PERIOD,
        names.SEVERITY,
        names.SHARD,
        "le",
        "alertname",
        "alertstate",
        "__name__",
    }
)
_Choice = TypeVar("_Choice", bound=Enum)
_Change = Callable[[SLO], SLO]


@dataclass(frozen=True, slots=True)
class _Own:
    """One annotation: the setting that it settles (empty: none that a policy could), and what it does to an SLO."""

    annotation: str
    setting: str
    change: _Change


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What the annotations of one document say."""

    _document: Document
    _at: tuple[str, ...]
    _own: tuple[_Own, ...]
    problems: tuple[Problem, ...]

    def applied(self, slo: SLO) -> tuple[SLO, tuple[Problem, ...]]:
        """An SLO of the document with these settings, and what does not fit it."""
        done, problems = slo, []
        for own in self._own:
            try:
                done = own.change(done)
            except TierFault as fault:
                problem = self._document.problem(
                    *self._at, own.annotation, message=fault.message, hint=fault.hint, rule=_RULE
                )
                problems.append(problem)
        settled = frozenset(own.setting for own in self._own if own.setting)
        return replace(done, own_settings=done.own_settings | settled), tuple(problems)


def settings_in(
    document: Document, annotations: Mapping[str, str], at: tuple[str, ...] = ("metadata", "annotations")
) -> OwnSettings:
    """The settings among the annotations that stand at `at` of a document. Other annotations are left alone."""
    reading = _Reading(document, annotations, at)
    own = tuple(reading.own())
    return OwnSettings(document, at, own, tuple(reading.problems))


def listed(text: str) -> tuple[str, ...]:
    """The parts of a text that commas separate, each once, without the spaces around them."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


class _Reading:
    def __init__(self, document: Document, annotations: Mapping[str, str], at: tuple[str, ...]) -> None:
        self._document, self._annotations, self._at = document, annotations, at
        self.problems: list[Problem] = []

    def own(self) -> Iterator[_Own]:
        """Each annotation that changes an SLO."""
        yield from self._data()
        method = self.choice(names.ANNOTATION_ALERTS, AlertMethod)
        if method is not None:
            yield _Own(names.ANNOTATION_ALERTS, keys.METHOD,
                       lambda slo: replace(slo, alerting=replace(slo.alerting, method=method)))  # fmt: skip
        for name in listed(self._annotations.get(names.ANNOTATION_DROP_TIERS, "")):
            yield _Own(names.ANNOTATION_DROP_TIERS, keys.TIERS, _dropping(name))
        groups = tuple(label for label in self._listed(names.ANNOTATION_GROUP_BY) if self._may_group(label))
        if groups:
            yield _Own(names.ANNOTATION_GROUP_BY, "", lambda slo: replace(slo, groups=groups))
        yield from self._legacy()
        policies = self._listed(names.ANNOTATION_POLICY)
        if policies:
            yield _Own(names.ANNOTATION_POLICY, "", lambda slo: replace(slo, policies=policies))

    def _legacy(self) -> Iterator[_Own]:
        dialect = self.choice(names.ANNOTATION_KEEP_NAMES, Dialect)
        if dialect is Dialect.OPENSLO:
            self.tell(names.ANNOTATION_KEEP_NAMES, "expected sloth or pyrra")
        elif dialect is not None:
            yield _Own(names.ANNOTATION_KEEP_NAMES, keys.KEEP_NAMES, lambda slo: keeping(slo, dialect))
        text = self._annotations.get(names.ANNOTATION_LEGACY_LABELS)
        if text is None:
            return
        if names.ANNOTATION_KEEP_NAMES not in self._annotations:
            hint = f"add {names.ANNOTATION_KEEP_NAMES}: sloth, or pyrra"
            self.tell(names.ANNOTATION_LEGACY_LABELS, "nobody asks for the other tool's series", hint)
        elif dialect is not None:
            try:
                labels = labels_from(text)
            except LegacyFault as fault:
                self.tell(names.ANNOTATION_LEGACY_LABELS, str(fault))
            else:
                yield _Own(names.ANNOTATION_LEGACY_LABELS, "",
                           lambda slo: replace(slo, legacy_names=LegacyNames(dialect, labels)))  # fmt: skip

    def _data(self) -> Iterator[_Own]:
        traffic = self.choice(names.ANNOTATION_NO_TRAFFIC, NoTraffic)
        if traffic is not None:
            yield _Own(names.ANNOTATION_NO_TRAFFIC, keys.NO_TRAFFIC,
                       lambda slo: replace(slo, policy=replace(slo.policy, no_traffic=traffic)))  # fmt: skip
        absent = self.choice(names.ANNOTATION_ABSENT, Absent)
        if absent is not None:
            yield _Own(names.ANNOTATION_ABSENT, keys.ABSENT,
                       lambda slo: replace(slo, policy=replace(slo.policy, absent=absent)))  # fmt: skip
        text = self._annotations.get(names.ANNOTATION_ABSENT_AFTER)
        if text is not None:
            try:
                after = length_of("", text.strip())
            except TierFault as fault:
                self.tell(names.ANNOTATION_ABSENT_AFTER, fault.message, fault.hint)
            else:
                yield _Own(names.ANNOTATION_ABSENT_AFTER, keys.ABSENT_AFTER,
                           lambda slo: replace(slo, policy=replace(slo.policy, absent_after=after)))  # fmt: skip
        up = self._annotations.get(names.ANNOTATION_UP)
        if up is not None and self._is_promql(names.ANNOTATION_UP, up):
            yield _Own(names.ANNOTATION_UP, keys.UP, lambda slo: with_up(slo, up.strip()))

    def choice(self, annotation: str, kind: type[_Choice]) -> _Choice | None:
        """The value of an annotation that is one of few words."""
        text = self._annotations.get(annotation)
        if text is None:
            return None
        known = [str(each.value) for each in kind]
        if text.strip() in known:
            return kind(text.strip())
        meant = did_you_mean(text, known)
        message = f"`{text[:60]}` is none of {', '.join(known)}" + (f", did you mean `{meant}`?" if meant else "")
        self.tell(annotation, message)
        return None

    def _listed(self, annotation: str) -> tuple[str, ...]:
        text = self._annotations.get(annotation)
        found = listed(text or "")
        if text is not None and not found:
            self.tell(annotation, "names nothing", "names, separated by commas")
        return found

    def _may_group(self, label: str) -> bool:
        if not _LABEL.fullmatch(label):
            self.tell(names.ANNOTATION_GROUP_BY, f"`{label[:60]}` is not a label's name", "labels, separated by commas")
        elif label in NOT_GROUPS or label.startswith("__"):
            self.tell(names.ANNOTATION_GROUP_BY, f"Flyball or Prometheus sets `{label}` itself", "choose another label")
        else:
            return True
        return False

    def _is_promql(self, annotation: str, text: str) -> bool:
        wrong = None if text.strip() == AUTO else check_promql(text)
        if wrong is not None:
            problem = self._document.problem(
                *self._at, annotation, message=wrong.message, hint=wrong.hint, offset=wrong.offset,
                length=wrong.length, rule="promql-syntax",
            )  # fmt: skip
            self.problems.append(problem)
        return wrong is None

    def tell(self, annotation: str, message: str, hint: str = "") -> None:
        """A mistake in an annotation's value."""
        self.problems.append(self._document.problem(*self._at, annotation, message=message, hint=hint, rule=_RULE))


def _dropping(name: str) -> _Change:
    return lambda slo: replace(slo, alerting=replace(slo.alerting, tiers=without(slo.alerting.tiers, name)))
