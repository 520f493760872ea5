"""OpenSLO v2alpha read as v1: the same values in v1's shape, at the places and under the names that the user wrote."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from pydantic import BaseModel

from controlplane.specfile import Document, Kind, Path
from slo import spec as v1
from slo.dialects.openslo_v2alpha import spec as v2
from slo.metadata import QualifiedMetadata

_V1: Final = {kind.name: kind for kind in v1.KINDS}
_Model = TypeVar("_Model", bound=BaseModel)


def _as(model: type[_Model], value: BaseModel, **changed: object) -> _Model:
    """A value of v1 with the fields that both have; what is checked already is not checked again."""
    kept = {
        name: given
        for name in type(value).model_fields
        if name in model.model_fields and (given := getattr(value, name)) is not None
    }
    return model.model_construct(**(kept | changed))


def _metadata(value: v2.Metadata) -> v1.Metadata:
    return _as(QualifiedMetadata, value)


def _metric(value: v2.Metric | None) -> v1.Metric | None:
    if value is None:
        return None
    source = v1.MetricSource.model_construct(
        metric_source_ref=value.data_source_ref,
        type=value.data_source_spec.type if value.data_source_spec is not None else None,
        spec=value.spec,
    )
    return v1.Metric.model_construct(metric_source=source)


def _sli(value: v2.SLISpec) -> v1.SLISpec:
    ratio = value.ratio_metric
    if ratio is None:
        return _as(v1.SLISpec, value, threshold_metric=_metric(value.threshold_metric))
    metrics = {name: _metric(getattr(ratio, name)) for name in ("good", "bad", "total", "raw")}
    return _as(
        v1.SLISpec,
        value,
        threshold_metric=_metric(value.threshold_metric),
        ratio_metric=_as(v1.RatioMetric, ratio, **metrics),
    )


def _inline_sli(value: v2.InlineSLI | None) -> v1.InlineSLI | None:
    if value is None:
        return None
    about = _metadata(value.metadata) if value.metadata is not None else None
    return v1.InlineSLI.model_construct(metadata=about, spec=_sli(value.spec))


def _objective(value: v2.Objective) -> v1.Objective:
    return _as(v1.Objective, value, indicator=_inline_sli(value.sli), indicator_ref=value.sli_ref)


def _item(
    model: type[_Model], value: v2.AlertConditionItem | v2.AlertTargetItem | v2.AlertPolicyItem, spec: object
) -> _Model:
    about = _metadata(value.metadata) if value.metadata is not None else None
    return _as(model, value, metadata=about, spec=spec)


def _condition(value: v2.AlertConditionSpec) -> v1.AlertConditionSpec:
    return _as(v1.AlertConditionSpec, value, condition=_as(v1.BurnRateCondition, value.condition))


def _policy(value: v2.AlertPolicySpec) -> v1.AlertPolicySpec:
    return _as(
        v1.AlertPolicySpec,
        value,
        conditions=[
            _item(v1.AlertConditionItem, each, _condition(each.spec) if each.spec is not None else None)
            for each in value.conditions
        ],
        notification_targets=[_item(v1.AlertTargetItem, each, each.spec) for each in value.notification_targets],
    )


def _slo(value: v2.SLOSpec) -> v1.SLOSpec:
    return _as(
        v1.SLOSpec,
        value,
        service=value.service_ref or value.service or "",
        indicator=_inline_sli(value.sli),
        indicator_ref=value.sli_ref,
        time_window=[_as(v1.TimeWindow, each) for each in value.time_window],
        objectives=[_objective(each) for each in value.objectives],
        alert_policies=[
            _item(v1.AlertPolicyItem, each, _policy(each.spec) if each.spec is not None else None)
            for each in value.alert_policies or ()
        ],
    )


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


def _read_as(document: Document, kind: str, spec: BaseModel | None, written: Callable[[Path], Path]) -> Document:
    about = getattr(document.value, "metadata", None)
    assert isinstance(about, v2.Metadata)
    known = _V1[kind]
    value = known.model.model_construct(api_version=v1.OPENSLO_V1, kind=kind, metadata=_metadata(about), spec=spec)
    return replace(document, kind=known, value=value, written=written)


def as_v1(document: Document) -> Sequence[Document]:
    """A document of v2alpha as one of v1."""
    name = document.kind.name
    match document.value:
        case v2.SLODocument(spec=spec):
            service = "service" if spec.service is not None else "serviceRef"
            return (_read_as(document, name, _slo(spec), partial(_slo_written, service)),)
        case v2.SLIDocument(spec=spec):
            return (_read_as(document, name, _sli(spec), _sli_written),)
        case v2.AlertPolicyDocument(spec=spec):
            return (_read_as(document, name, _policy(spec), document.written),)
        case v2.AlertConditionDocument(spec=spec):
            return (_read_as(document, name, _condition(spec), document.written),)
        case (
            v2.ServiceDocument(spec=spec)
            | v2.DataSourceDocument(spec=spec)
            | v2.AlertNotificationTargetDocument(spec=spec)
        ):
            return (_read_as(document, name, spec, document.written),)
    raise TypeError(f"no document of v2alpha: {type(document.value).__name__}")


KINDS: Final = tuple(
    Kind(v2.OPENSLO_V2ALPHA, name, model, read_as=as_v1, repeated=_V1[name].repeated)
    for model in (
        v2.SLODocument,
        v2.SLIDocument,
        v2.ServiceDocument,
        v2.DataSourceDocument,
        v2.AlertPolicyDocument,
        v2.AlertConditionDocument,
        v2.AlertNotificationTargetDocument,
    )
    for name in (model.__name__.removesuffix("Document"),)
)
