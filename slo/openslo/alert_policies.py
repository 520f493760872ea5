"""OpenSLO's AlertPolicy, AlertCondition and AlertNotificationTarget: who is told of what, in place of the standard."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import STANDARD_PERIOD, budget_spent, duration
from controlplane.model.alerting import Alerting, AlertMethod, AlertText, Tier, Urgency
from controlplane.model.slo import Absent
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document
from slo import metadata
from slo.alert_templates import literal
from slo.openslo.alert_conditions import Condition, condition_of
from slo.openslo.declared import Declared, declared
from slo.openslo.spec import (
    AlertConditionDocument,
    AlertConditionItem,
    AlertNotificationTargetDocument,
    AlertPolicyDocument,
    AlertPolicyItem,
    AlertPolicySpec,
    AlertTargetItem,
    Metadata,
)

RULE: Final = "alert-policy"


@dataclass(frozen=True, slots=True)
class ChosenAlerts:
    """What the policies of one SLO ask for; None where they leave the standard."""

    alerting: Alerting | None
    absent: Absent | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    name: str
    way: str


@dataclass(slots=True)
class _Policy:
    """What one policy asks for; `condition` None: nothing that can be done."""

    name: str
    condition: Condition | None = None
    targets: list[_Target] = field(default_factory=list)
    breaching: bool = False
    no_data: bool | None = None
    problems: list[Problem] = field(default_factory=list)


class AlertPolicies:
    """The alert policies of a workspace. `problems` are those of the documents themselves."""

    def __init__(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> None:
        self._policies: Declared[AlertPolicyDocument] = declared(documents, AlertPolicyDocument, may_be_declared)
        self._conditions = declared(documents, AlertConditionDocument, may_be_declared)
        self._targets = declared(documents, AlertNotificationTargetDocument, may_be_declared)
        self._read: dict[str, _Policy] = {}
        self._used: set[str] = set()

    def of(self, document: Document, items: Sequence[AlertPolicyItem], period: timedelta | None) -> ChosenAlerts:
        """What `spec.alertPolicies` of an SLO with this period says."""
        if not items:
            return ChosenAlerts(None, None, ())
        found: list[_Policy] = []
        problems: list[Problem] = []
        for index, item in enumerate(items):
            view = document.below("spec", "alertPolicies", index)
            policy = self._policy(view, item, problems)
            if policy is None:
                continue
            problems.extend(policy.problems)
            problems.extend(_too_long(view, policy, period))
            found.append(policy)
        if has_errors(problems):
            return ChosenAlerts(None, None, tuple(problems))
        problems.extend(_clashes(document, found))
        return ChosenAlerts(_alerting(found, period or STANDARD_PERIOD), _absent(found), tuple(problems))

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the documents, asked for after every SLO was read: an unused policy may be unfinished."""
        for kind in (self._policies, self._conditions, self._targets):
            yield from kind.problems
        for document, value in self._conditions.by_name.values():
            yield from condition_of(document, value.spec).problems
        for name in self._policies.by_name.keys() - self._used:
            yield from self._declared(name).problems

    def _policy(self, view: Document, item: AlertPolicyItem, problems: list[Problem]) -> _Policy | None:
        inline = item.spec is not None or item.metadata is not None or item.kind is not None
        if not _is_one(view, "alertPolicyRef", item.alert_policy_ref, inline, problems):
            return None
        if item.alert_policy_ref is None:
            _check_inline(view, item.metadata, item.spec is None, problems)
            return None if item.spec is None else self._understood(view, _name_of(item.metadata), item.spec, used=True)
        name = item.alert_policy_ref
        if name not in self._policies.by_name:
            hint = "add a document of kind AlertPolicy with this name to the workspace"
            problems.extend(self._policies.missing(view, "alertPolicyRef", name=name, hint=hint))
            return None
        self._used.add(name)
        return self._declared(name)

    def _declared(self, name: str) -> _Policy:
        used = name in self._used
        known = self._read.get(name)
        if known is None:
            document, value = self._policies.by_name[name]
            known = self._understood(document, name, value.spec, used=used)
            self._read[name] = known
        return known

    def _understood(self, view: Document, name: str, spec: AlertPolicySpec, *, used: bool) -> _Policy:
        policy = _Policy(name, no_data=spec.alert_when_no_data)
        policy.problems.extend(_flag_problems(view, spec))
        policy.breaching = bool(spec.alert_when_breaching) or not _any_flag(spec)
        severity = Severity.ERROR if used else Severity.WARNING
        policy.condition = self._condition(
            view.below("spec", "conditions", 0), spec.conditions[0], policy.problems, severity
        )
        for index, item in enumerate(spec.notification_targets):
            target = self._target(view.below("spec", "notificationTargets", index), item, policy.problems, severity)
            if target is not None:
                policy.targets.append(target)
        return policy

    def _condition(
        self, view: Document, item: AlertConditionItem, problems: list[Problem], severity: Severity
    ) -> Condition | None:
        inline = item.spec is not None or item.metadata is not None or item.kind is not None
        if not _is_one(view, "conditionRef", item.condition_ref, inline, problems):
            return None
        if item.condition_ref is None:
            _check_inline(view, item.metadata, item.spec is None, problems)
            if item.spec is None:
                return None
            found = condition_of(view, item.spec)
        elif item.condition_ref in self._conditions.by_name:
            document, value = self._conditions.by_name[item.condition_ref]
            found = condition_of(document, value.spec)
        else:
            hint = "add a document of kind AlertCondition with this name to the workspace"
            missing = partial(self._conditions.missing, view, "conditionRef", name=item.condition_ref, hint=hint)
            problems.extend(missing(severity=severity))
            return None
        problems.extend(found.problems)
        return found.value

    def _target(
        self, view: Document, item: AlertTargetItem, problems: list[Problem], severity: Severity
    ) -> _Target | None:
        inline = item.spec is not None or item.metadata is not None or item.kind is not None
        if not _is_one(view, "targetRef", item.target_ref, inline, problems):
            return None
        if item.target_ref is None:
            _check_inline(view, item.metadata, item.spec is None, problems)
            return None if item.spec is None else _Target(_name_of(item.metadata) or item.spec.target, item.spec.target)
        if item.target_ref in self._targets.by_name:
            return _Target(item.target_ref, self._targets.by_name[item.target_ref][1].spec.target)
        hint = "add a document of kind AlertNotificationTarget with this name to the workspace"
        problems.extend(self._targets.missing(view, "targetRef", name=item.target_ref, hint=hint, severity=severity))
        return None


def _is_one(view: Document, key: str, reference: str | None, inline: bool, problems: list[Problem]) -> bool:
    """Whether an item is either a reference or an object."""
    if reference is not None and inline:
        message = f"{key} and an object are both given"
        problems.append(view.problem(key, message=message, hint="remove one of them", rule=RULE, on_key=True))
    elif reference is None and not inline:
        problems.append(view.problem(message="nothing is given", hint=f"write {key}: with a name, or spec:", rule=RULE))
    return (reference is None) == inline


def _check_inline(view: Document, about: Metadata | None, no_spec: bool, problems: list[Problem]) -> None:
    if no_spec:
        problems.append(view.problem("spec", message="required, but missing", rule="missing-field"))
    if about is not None:
        problems.extend(metadata.checked(view, about).problems)


def _name_of(about: Metadata | None) -> str:
    return about.name if about is not None else ""


def _any_flag(spec: AlertPolicySpec) -> bool:
    return bool(spec.alert_when_breaching or spec.alert_when_resolved or spec.alert_when_no_data)


def _flag_problems(view: Document, spec: AlertPolicySpec) -> Iterator[Problem]:
    if spec.alert_when_resolved is not None:
        yield view.problem(
            "spec",
            "alertWhenResolved",
            message="Alertmanager decides this for each receiver",
            hint=f"set send_resolved: {str(spec.alert_when_resolved).lower()} in its configuration",
            severity=Severity.WARNING,
            rule="unused-field",
            on_key=True,
        )
        if spec.alert_when_resolved and not (spec.alert_when_breaching or spec.alert_when_no_data):
            yield view.problem(
                "spec",
                "alertWhenResolved",
                message="Alertmanager cannot tell that something is over without having told that it began",
                hint="write alertWhenBreaching: true",
                rule="unsupported",
            )
    if not _any_flag(spec):
        yield view.problem(
            "spec",
            "alertWhenBreaching",
            message="this policy would never alert; alertWhenBreaching: true is assumed",
            hint="write alertWhenBreaching: true",
            severity=Severity.WARNING,
            rule=RULE,
        )


def _too_long(view: Document, policy: _Policy, period: timedelta | None) -> Iterator[Problem]:
    """A window that is longer than the SLO's own has no threshold."""
    tier = policy.condition.tier if policy.condition else None
    if tier is not None and policy.breaching and period is not None and tier.long > period:
        message = f"looks back {duration(tier.long)}, the time window of this SLO is {duration(period)}"
        yield view.problem(message=message, hint="choose a shorter lookbackWindow", rule="unsupported")


def _clashes(document: Document, policies: Sequence[_Policy]) -> Iterator[Problem]:
    """What cannot be told apart: all pages of an SLO are one alert, and all tickets are."""
    for urgency in Urgency:
        mine = [policy for policy in policies if policy.condition and policy.condition.tier.urgency is urgency]
        severities = dict.fromkeys(policy.condition.severity for policy in mine if policy.condition)
        if len(severities) > 1:
            listed = " and ".join(f"`{each or urgency.value}`" for each in severities)
            yield document.problem(
                "spec",
                "alertPolicies",
                message=f"these policies have the severities {listed}, but a {urgency.value} has one",
                hint="give them the same",
                rule="unsupported",
                on_key=True,
            )
        if len({tuple(each.name for each in policy.targets) for policy in mine}) > 1:
            yield document.problem(
                "spec",
                "alertPolicies",
                message=f"a {urgency.value} of this SLO is one alert: the targets of all these policies are told",
                severity=Severity.WARNING,
                rule=RULE,
                on_key=True,
            )


def _alerting(policies: Sequence[_Policy], period: timedelta) -> Alerting:
    tiers = [
        replace(tier, budget_share=budget_spent(tier.burn_rate or Decimal(0), tier.long, period))
        for tier in (policy.condition.tier for policy in policies if policy.condition and policy.breaching)
    ]
    return Alerting(
        tiers=tuple(sorted(dict.fromkeys(tiers), key=_fastest_first)),
        method=AlertMethod.BURN_RATE,
        page=_text(policies, Urgency.PAGE),
        ticket=_text(policies, Urgency.TICKET),
        absence=_told(policy for policy in policies if policy.no_data is not False),
    )


def _fastest_first(tier: Tier) -> tuple[bool, timedelta, timedelta]:
    return tier.urgency is Urgency.TICKET, tier.long, tier.hold


def _text(policies: Sequence[_Policy], urgency: Urgency) -> AlertText:
    mine = [policy for policy in policies if policy.condition and policy.condition.tier.urgency is urgency]
    severity = next((policy.condition.severity for policy in mine if policy.condition), "")
    return replace(_told(mine), severity=severity)


def _told(policies: Iterable[_Policy]) -> AlertText:
    """Whom these policies tell: as a label for Alertmanager's routes, and in words."""
    targets = dict.fromkeys(target for policy in policies for target in policy.targets)
    if not targets:
        return AlertText()
    by_way = literal(", ".join(f"{target.name} ({target.way})" for target in targets))
    return AlertText(
        labels=((names.NOTIFY, ",".join(dict.fromkeys(target.name for target in targets))),),
        annotations=((names.NOTIFICATION_TARGETS, by_way),),
    )


def _absent(policies: Sequence[_Policy]) -> Absent | None:
    """The strongest that any policy asks for; None where none says anything."""
    asked = {policy.condition.tier.urgency for policy in policies if policy.no_data and policy.condition}
    if asked:
        return Absent.PAGE if Urgency.PAGE in asked else Absent.TICKET
    return Absent.IGNORE if all(policy.no_data is False for policy in policies) else None
