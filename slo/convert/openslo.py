"""SLOs of any dialect as documents of OpenSLO v1, with our annotations for what OpenSLO has no words for."""

import json
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.alerting import STANDARD_TIERS, AlertMethod, Urgency
from controlplane.model.slo import (
    SLO,
    STANDARD_POLICY,
    CalendarUnit,
    CalendarWindow,
    CompositeIndicator,
    Service,
)
from slo.convert.alerts import policy_settings
from slo.convert.indicators import comparison_of, method_of, sli_spec
from slo.convert.yaml_text import Value
from slo.dialects.naming import slo_name
from slo.legacy_names import suggested
from slo.openslo.spec import OPENSLO_V1

_UNITS: Final = {
    CalendarUnit.DAY: "d",
    CalendarUnit.WEEK: "w",
    CalendarUnit.MONTH: "M",
    CalendarUnit.QUARTER: "Q",
    CalendarUnit.YEAR: "Y",
}
_WITHOUT: Final = {
    tuple(tier for tier in STANDARD_TIERS if tier.urgency is not urgency): urgency.value for urgency in Urgency
} | {(): ",".join(urgency.value for urgency in Urgency)}
Document = dict[str, Value]


def documents_of(slo: SLO) -> tuple[Document, ...]:
    """The SLO, and the SLOPolicy that it asks for where its alerts are not the usual ones.

    Exclusions are not written: those are documents of their own (SLOExclusion) in every dialect.
    """
    settings = policy_settings(slo)
    policy = slo_name(slo.name, "alerts") if settings else ""
    document = _slo(slo, policy)
    if not settings:
        return (document,)
    return (document, {
        "apiVersion": names.API_VERSION,
        "kind": "SLOPolicy",
        "metadata": {"name": policy},
        "spec": {"alerts": settings},
    })  # fmt: skip


def service_document(service: Service) -> Document:
    """A service."""
    about: Document = {"name": service.name}
    if service.display_name:
        about["displayName"] = service.display_name
    return {"apiVersion": OPENSLO_V1, "kind": "Service", "metadata": about,
            "spec": {"description": service.description}}  # fmt: skip


def _slo(slo: SLO, policy: str) -> Document:
    about: Document = {"name": slo.name}
    if slo.display_name:
        about["displayName"] = slo.display_name
    if slo.labels:
        about["labels"] = dict(slo.labels)
    annotations: Document = dict(_annotations(slo, policy))
    if annotations:
        about["annotations"] = annotations
    spec: Document = {}
    if slo.description:
        spec["description"] = slo.description
    spec["service"] = slo.service
    if not isinstance(slo.indicator, CompositeIndicator):
        spec["indicator"] = {"metadata": {"name": slo.name}, "spec": sli_spec(slo.indicator)}
    spec["timeWindow"] = [_window(slo)]
    spec["budgetingMethod"] = method_of(slo.indicator)
    spec["objectives"] = list(_objectives(slo))
    return {"apiVersion": OPENSLO_V1, "kind": "SLO", "metadata": about, "spec": spec}


def _window(slo: SLO) -> Document:
    if not isinstance(slo.window, CalendarWindow):
        return {"duration": duration(slo.window.length), "isRolling": True}
    calendar: Document = {"startTime": slo.window.start.replace("T", " "), "timeZone": slo.window.time_zone}
    return {"duration": f"{slo.window.count}{_UNITS[slo.window.unit]}", "isRolling": False, "calendar": calendar}


def _objectives(slo: SLO) -> Iterator[Document]:
    if not isinstance(slo.indicator, CompositeIndicator):
        yield {"target": slo.objective, **comparison_of(slo.indicator)}
        return
    for part in slo.indicator.parts:
        indicator: Document = {"metadata": {"name": part.name}, "spec": sli_spec(part.indicator)}
        yield {
            "target": part.objective,
            **comparison_of(part.indicator),
            "indicator": indicator,
            "compositeWeight": part.weight,
        }


def _annotations(slo: SLO, policy: str) -> Iterator[tuple[str, str]]:
    data, alerting = slo.policy, slo.alerting
    written = (
        (names.ANNOTATION_OWNER, slo.owner),
        (names.ANNOTATION_RUNBOOK, slo.runbook_url),
        (names.ANNOTATION_WORST_BY, ",".join(slo.worst_by)),
        (names.ANNOTATION_GROUP_BY, ",".join(slo.groups)),
        (names.ANNOTATION_RENAMED_FROM, ",".join(slo.renamed_from)),
        (names.ANNOTATION_NO_TRAFFIC, _unless(STANDARD_POLICY.no_traffic, data.no_traffic)),
        (names.ANNOTATION_ABSENT, _unless(STANDARD_POLICY.absent, data.absent)),
        (names.ANNOTATION_ABSENT_AFTER, _longer(data.absent_after)),
        (names.ANNOTATION_UP, data.up),
        (names.ANNOTATION_ALERTS, _unless(AlertMethod.BUDGET, alerting.method)),
        (names.ANNOTATION_DROP_TIERS, _WITHOUT.get(alerting.tiers, "")),
        (names.ANNOTATION_POLICY, ",".join(filter(None, (*slo.policies, policy)))),
        *_legacy(slo),
    )
    return ((name, value) for name, value in written if value)


def _legacy(slo: SLO) -> Iterator[tuple[str, str]]:
    legacy = slo.legacy_names
    if legacy is None or not legacy.recorded:
        return
    yield names.ANNOTATION_KEEP_NAMES, legacy.dialect.value
    if legacy != suggested(slo, legacy.dialect):
        yield names.ANNOTATION_LEGACY_LABELS, json.dumps(dict(legacy.labels), ensure_ascii=False)


def _unless(usual: Enum, value: Enum) -> str:
    return "" if value is usual else str(value.value)


def _longer(length: timedelta) -> str:
    return "" if length == STANDARD_POLICY.absent_after else duration(length)
