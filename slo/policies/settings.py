"""What an SLOPolicy sets, one setting at a time: each knows where it was written and what it does to an SLO."""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.alerting import STANDARD_ALERTING, STANDARD_TIERS, AlertMethod, AlertText, Tier
from controlplane.model.slo import SLO, STANDARD_POLICY, Absent, Dialect, NoTraffic
from controlplane.problems import Problem
from controlplane.promql import check_promql
from controlplane.specfile import Document
from slo.alert_templates import template_fault
from slo.legacy_names import keeping
from slo.policies.alert_tiers import TierFault, changed, length_of, tier_from, without
from slo.policies.spec import AlertsPart, PolicyDocument, TextPart, TierChange
from slo.promql.up_query import AUTO, up_of

RULE: Final = "policy"
# Keys of settings; a document's own settings (`SLO.own_settings`) are named by the same.
NO_TRAFFIC: Final = "noTraffic"
ABSENT: Final = "absent"
ABSENT_AFTER: Final = "absentAfter"
UP: Final = "up"
KEEP_NAMES: Final = "keepNames"
METHOD: Final = "alerts.method"
FEWEST: Final = "alerts.fewestBadEvents"
TIERS: Final = "alerts.tiers"
PER_SLO: Final = frozenset({UP, KEEP_NAMES})  # what comes of these depends on the SLO's name and queries, too
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
ALERT_NAME: Final = re.compile(r"[^\x00-\x1f\"'\\{}]{1,200}")  # it stands in matchers of ALERTS, too
SEVERITY_VALUE: Final = re.compile(r"[^\s\"'\\{}]{1,60}")
_OURS: Final = (names.SLO, names.SERVICE, names.SEVERITY, names.EVENT, names.SHARD, "alertname", "alertstate")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a policy sets. Settings with one `key` contradict each other unless their values are equal.

    `is_open` tells whether an SLO's own document left it open; `put` gives the SLO with it, or raises `TierFault`.
    `of_tiers`: it changes tiers by name, so it is void where a more specific policy replaces them all.
    """

    key: str
    path: tuple[str | int, ...]
    value: Hashable
    is_open: Callable[[SLO], bool]
    put: Callable[[SLO], SLO]
    of_tiers: bool = False


def settings_of(document: Document, policy: PolicyDocument) -> tuple[tuple[Setting, ...], tuple[Problem, ...]]:
    """Everything that a policy sets, tiers before what changes them, and what is wrong with it."""
    reading = _Reading(document)
    alerts = policy.spec.alerts
    settings = [*reading.data(policy)]
    if alerts is not None:
        settings += [*reading.alerts(alerts), *reading.tiers(alerts)]
        for alert, text in (("page", alerts.page), ("ticket", alerts.ticket), ("absence", alerts.absence)):
            settings += reading.text(alert, text) if text is not None else ()
    if not settings and not reading.problems:
        reading.tell(("spec",), "sets nothing", "add noTraffic:, absent: or alerts:", on_key=True)
    return tuple(settings), tuple(reading.problems)


class _Reading:
    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def data(self, policy: PolicyDocument) -> Iterator[Setting]:
        """How missing data is read."""
        spec = policy.spec
        if spec.no_traffic is not None:
            traffic = NoTraffic(spec.no_traffic)
            yield _data(NO_TRAFFIC, traffic, lambda slo: slo.policy.no_traffic is STANDARD_POLICY.no_traffic,
                        lambda slo: replace(slo, policy=replace(slo.policy, no_traffic=traffic)))  # fmt: skip
        if spec.absent is not None:
            absent = Absent(spec.absent)
            yield _data(ABSENT, absent, lambda slo: slo.policy.absent is STANDARD_POLICY.absent,
                        lambda slo: replace(slo, policy=replace(slo.policy, absent=absent)))  # fmt: skip
        after = self._length(("spec", ABSENT_AFTER), spec.absent_after) if spec.absent_after else None
        if after is not None:
            yield _data(ABSENT_AFTER, after, lambda slo: slo.policy.absent_after == STANDARD_POLICY.absent_after,
                        lambda slo: replace(slo, policy=replace(slo.policy, absent_after=after)))  # fmt: skip
        if spec.keep_names is not None:
            tool = Dialect(spec.keep_names)
            yield _data(KEEP_NAMES, tool, lambda slo: slo.legacy_names is None or not slo.legacy_names.recorded,
                        lambda slo: keeping(slo, tool))  # fmt: skip
        up = spec.up
        if up is not None and self._is_promql(("spec", UP), up):
            yield _data(UP, up, lambda slo: not slo.policy.up, lambda slo: with_up(slo, up))

    def alerts(self, alerts: AlertsPart) -> Iterator[Setting]:
        """The method and its floor."""
        if alerts.method is not None:
            method = AlertMethod(alerts.method)
            yield _alerts(METHOD, method, lambda slo: slo.alerting.method is STANDARD_ALERTING.method,
                          lambda slo: replace(slo, alerting=replace(slo.alerting, method=method)))  # fmt: skip
        fewest = alerts.fewest_bad_events
        if fewest is not None:
            standard = STANDARD_ALERTING.fewest_bad_events
            yield _alerts(FEWEST, fewest, lambda slo: slo.alerting.fewest_bad_events == standard,
                          lambda slo: _with_fewest(slo, fewest))  # fmt: skip

    def tiers(self, alerts: AlertsPart) -> Iterator[Setting]:
        """Other tiers, changes of single ones, and which are dropped."""
        written: list[Tier] = []
        for index, part in enumerate(alerts.tiers or ()):
            try:
                written.append(tier_from(part))
            except TierFault as fault:
                self._fault(("spec", "alerts", "tiers", index), fault)
        if len(written) != len(alerts.tiers or ()):
            return  # what changes them by name cannot be judged
        if alerts.tiers is not None:
            tiers = tuple(written)
            yield Setting(TIERS, ("spec", "alerts", "tiers"), tiers, _tiers_are_open, lambda slo: _with(slo, tiers))
        for name, change in alerts.change.items():
            at = ("spec", "alerts", "change", name)
            if not change.model_fields_set:
                self.tell(at, "changes nothing", on_key=True)
            yield Setting(f"alerts.change.{name}", at, repr(change), _tiers_are_open, _changing(name, change), True)
        for index, name in enumerate(alerts.drop):
            item = ("spec", "alerts", "drop", index)
            yield Setting(f"alerts.drop.{name}", item, True, _tiers_are_open, _dropping(name), True)

    def text(self, alert: str, part: TextPart) -> Iterator[Setting]:
        """What alerts of one urgency say, or that of missing data."""
        at = ("spec", "alerts", alert)
        for key, value, form in (("name", part.name, ALERT_NAME), ("severity", part.severity, SEVERITY_VALUE)):
            if value is not None and not form.fullmatch(value):
                self.tell((*at, key), f"`{value[:60]}` cannot be {'an alert' if key == 'name' else 'a label'}'s value")
            elif value is not None:
                yield _text(alert, key, value)
        for kind, pairs in (("labels", part.labels), ("annotations", part.annotations)):
            for name, value in pairs.items():
                if not _LABEL.fullmatch(name):
                    self.tell((*at, kind, name), f"`{name[:60]}` is not a label's name", on_key=True)
                elif kind == "labels" and name in _OURS:
                    self.tell((*at, kind, name), "Flyball sets this label itself", on_key=True)
                elif fault := template_fault(value):
                    self.tell((*at, kind, name), fault)
                else:
                    yield _text(alert, kind, value, name)

    def tell(self, path: tuple[str | int, ...], message: str, hint: str = "", on_key: bool = False) -> None:
        """A mistake at a place."""
        self.problems.append(self._document.problem(*path, message=message, hint=hint, rule=RULE, on_key=on_key))

    def _length(self, path: tuple[str | int, ...], text: str) -> timedelta | None:
        try:
            return length_of("", text)
        except TierFault as fault:
            self._fault(path, fault)
            return None

    def _fault(self, path: tuple[str | int, ...], fault: TierFault) -> None:
        at = (*path, fault.key) if fault.key else path
        self.tell(at, fault.message, fault.hint)

    def _is_promql(self, path: tuple[str | int, ...], text: str) -> bool:
        wrong = None if text == AUTO else check_promql(text)
        if wrong is not None:
            problem = self._document.problem(
                *path, message=wrong.message, hint=wrong.hint, offset=wrong.offset, length=wrong.length,
                rule="promql-syntax",
            )  # fmt: skip
            self.problems.append(problem)
        return wrong is None


def with_up(slo: SLO, up: str) -> SLO:
    """The SLO with this `up`; raises `TierFault` where `auto` finds nothing."""
    found = up_of(slo.indicator) if up == AUTO else up
    if found is None:
        message = f"the queries of `{slo.name}` do not name one job, so there is no `up` to derive"
        raise TierFault("", message, 'write PromQL that gives 1 while the service is there, such as up{job="checkout"}')
    return replace(slo, policy=replace(slo.policy, up=found))


def _data(key: str, value: Hashable, is_standard: Callable[[SLO], bool], put: Callable[[SLO], SLO]) -> Setting:
    return Setting(key, ("spec", key), value, lambda slo: key not in slo.own_settings and is_standard(slo), put)


def _alerts(key: str, value: Hashable, is_standard: Callable[[SLO], bool], put: Callable[[SLO], SLO]) -> Setting:
    path = ("spec", *key.split("."))
    return Setting(key, path, value, lambda slo: key not in slo.own_settings and is_standard(slo), put)


def _tiers_are_open(slo: SLO) -> bool:
    return TIERS not in slo.own_settings and slo.alerting.tiers == STANDARD_TIERS


def _with(slo: SLO, tiers: tuple[Tier, ...]) -> SLO:
    return replace(slo, alerting=replace(slo.alerting, tiers=tiers))


def _changing(name: str, change: TierChange) -> Callable[[SLO], SLO]:
    return lambda slo: _with(slo, changed(slo.alerting.tiers, name, change))


def _dropping(name: str) -> Callable[[SLO], SLO]:
    return lambda slo: _with(slo, without(slo.alerting.tiers, name))


def _with_fewest(slo: SLO, fewest: Decimal) -> SLO:
    return replace(slo, alerting=replace(slo.alerting, fewest_bad_events=fewest))


def _text(alert: str, field: str, value: str, name: str = "") -> Setting:
    def read(text: AlertText) -> str:
        match field:
            case "name":
                return text.name
            case "severity":
                return text.severity
            case "labels":
                return dict(text.labels).get(name, "")
        return dict(text.annotations).get(name, "")

    def changed_text(text: AlertText) -> AlertText:
        match field:
            case "name":
                return replace(text, name=value)
            case "severity":
                return replace(text, severity=value)
            case "labels":
                return replace(text, labels=tuple(sorted({**dict(text.labels), name: value}.items())))
        return replace(text, annotations=tuple(sorted({**dict(text.annotations), name: value}.items())))

    def put(slo: SLO) -> SLO:
        text = changed_text(getattr(slo.alerting, alert))
        return replace(slo, alerting=replace(slo.alerting, **{alert: text}))  # type: ignore[arg-type]

    path = ("spec", "alerts", alert, field, *((name,) if name else ()))
    key = ".".join(map(str, path[1:]))
    return Setting(key, path, value, lambda slo: not read(getattr(slo.alerting, alert)), put)
