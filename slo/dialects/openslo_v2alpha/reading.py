"""OpenSLO v2alpha read as v1: the same values in v1's shape, at the places and under the names that the user wrote."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from controlplane.specfile import Document, Path
from slo.dialects.openslo_v2alpha import spec as v2
from slo.metadata import QualifiedMetadata
from slo.openslo import spec as v1

_V1: Final = {kind.name: kind for kind in v1.KINDS}
_METRICS: Final = ("good", "bad", "total", "raw")
_Written = Callable[[Path], Path]
_Raw = dict[str, Any]  # a checked part of a document, as pydantic dumps it, under the names that users write


def _metadata(raw: _Raw | None) -> QualifiedMetadata | None:
    return None if raw is None else QualifiedMetadata.model_validate(raw)


def _metric(raw: _Raw | None) -> _Raw | None:
    if raw is None:
        return None
    source = {"spec": raw.get("spec", {}), "metricSourceRef": raw.get("dataSourceRef")}
    if raw.get("dataSourceSpec") is not None:
        source["type"] = raw["dataSourceSpec"]["type"]
    return {"metricSource": source}


def _sli(raw: _Raw) -> _Raw:
    threshold, ratio = raw.get("thresholdMetric"), raw.get("ratioMetric")
    if ratio is not None:
        ratio = {key: _metric(value) if key in _METRICS else value for key, value in ratio.items()}
    return {**raw, "thresholdMetric": _metric(threshold), "ratioMetric": ratio}


def _with_sli(raw: _Raw) -> _Raw:
    """An SLO's spec, or one of its objectives, with the indicator where v1 has it."""
    inline, reference = raw.pop("sli", None), raw.pop("sliRef", None)
    if inline is not None:
        raw["indicator"] = {"metadata": _metadata(inline.get("metadata")), "spec": _sli(inline["spec"])}
    return {**raw, "indicatorRef": reference}


def _policy(raw: _Raw) -> _Raw:
    for key in ("conditions", "notificationTargets"):
        raw[key] = [_inline(item) for item in raw[key]]
    return raw


def _inline(raw: _Raw) -> _Raw:
    return {**raw, "metadata": _metadata(raw.get("metadata"))}


def _policy_item(raw: _Raw) -> _Raw:
    item = _inline(raw)
    return item if item.get("spec") is None else {**item, "spec": _policy(item["spec"])}


def _slo(raw: _Raw) -> _Raw:
    spec = _with_sli(raw)
    spec["service"] = spec.pop("serviceRef", None) or spec.get("service") or ""
    spec["objectives"] = [_with_sli(each) for each in spec["objectives"]]
    spec["alertPolicies"] = [_policy_item(each) for each in spec.get("alertPolicies") or ()]
    return spec


def _within_sli(path: Path) -> Path:
    """Below an SLI's spec: a metric's source is the metric itself."""
    if "metricSource" not in path[:3]:
        return path
    at = path.index("metricSource")
    match path[at + 1 :]:
        case ("metricSourceRef",):
            return (*path[:at], "dataSourceRef")
        case ("type",):
            return (*path[:at], "dataSourceSpec", "type")
        case rest:
            return (*path[:at], *rest)


def _sli_written(path: Path) -> Path:
    return ("spec", *_within_sli(path[1:])) if path[:1] == ("spec",) else path


def _slo_written(service: str, path: Path) -> Path:
    match path:
        case ("spec", "service"):
            return ("spec", service)
        case ("spec", "indicatorRef"):
            return ("spec", "sliRef")
        case ("spec", "indicator", *rest):
            return ("spec", "sli", *_inline_written(tuple(rest)))
        case ("spec", "objectives", int(index), "indicatorRef"):
            return ("spec", "objectives", index, "sliRef")
        case ("spec", "objectives", int(index), "indicator", *rest):
            return ("spec", "objectives", index, "sli", *_inline_written(tuple(rest)))
    return path


def _inline_written(path: Path) -> Path:
    return ("spec", *_within_sli(path[1:])) if path[:1] == ("spec",) else path


def as_v1(document: Document) -> Sequence[Document]:
    """A document of v2alpha as one of v1."""
    raw = document.value.model_dump(by_alias=True, exclude_unset=True)
    written: _Written = document.written
    match document.value:
        case v2.SLODocument(spec=spec):
            raw["spec"] = _slo(raw["spec"])
            written = partial(_slo_written, "service" if spec.service is not None else "serviceRef")
        case v2.SLIDocument():
            raw["spec"] = _sli(raw["spec"])
            written = _sli_written
        case v2.AlertPolicyDocument():
            raw["spec"] = _policy(raw["spec"])
    kind = _V1[document.kind.name]
    raw |= {"apiVersion": v1.OPENSLO_V1, "metadata": _metadata(raw["metadata"])}
    return (replace(document, kind=kind, value=kind.model.model_validate(raw), written=written),)
