"""OpenSLO v1alpha read as v1: the same values in v1's shape, at the places and under the names that the user wrote."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Final

from controlplane.specfile import Document, Path
from controlplane.wording import exact_percent
from slo.dialects.openslo_v1alpha import spec as alpha
from slo.openslo import spec as v1

_V1: Final = {kind.name: kind for kind in v1.KINDS}
_UNITS: Final = {"Day": "d", "Week": "w", "Month": "M", "Quarter": "Q"}
_SECONDS: Final = 60
_Raw = dict[str, Any]  # a part of a document as users of v1 write it
_SLICE: Final = "1m"
_METRIC: Final[Mapping[Path, Path]] = {("type",): ("source",), ("spec", "query"): ("query",)}


def _window(written: alpha.TimeWindow) -> _Raw:
    seconds = written.unit == "Second"
    duration = f"{written.count // _SECONDS}m" if seconds else f"{written.count}{_UNITS[written.unit]}"
    return {"duration": duration, "isRolling": written.is_rolling, "calendar": written.calendar}


def _metric(written: alpha.Metric) -> _Raw:
    return {"metricSource": {"type": written.source, "spec": {"query": written.query}}}


def _ratio(written: alpha.RatioMetrics) -> _Raw:
    counter = written.incremental is not False
    return {"ratioMetric": {"counter": counter, "good": _metric(written.good), "total": _metric(written.total)}}


def _objective(written: alpha.Objective, slices: bool) -> _Raw:
    return {
        "displayName": written.display_name,
        "op": written.op,
        "value": written.value if written.ratio_metrics is None else None,  # asked for there too, and says nothing
        "target": written.target,
        "timeSliceTarget": written.time_slice_target,
        "timeSliceWindow": _SLICE if slices else None,
    }


def _suffixes(objectives: Sequence[alpha.Objective]) -> Iterator[str]:
    """What tells the names of the objectives' SLOs apart, as those of v1 are told apart."""
    if len(objectives) == 1:
        yield ""
        return
    taken: set[str] = set()
    for objective in objectives:
        target = objective.target
        known = target is not None and target.is_finite() and 0 < target < 1
        suffix = "-" + exact_percent(target).removesuffix(" %").replace(".", "-") if known and target else "-1"
        free = suffix if suffix not in taken else _numbered(suffix, taken)
        taken.add(free)
        yield free


def _numbered(suffix: str, taken: Container[str]) -> str:
    return next(each for each in (f"{suffix}-{further}" for further in count(2)) if each not in taken)


def _slos(document: Document, value: alpha.SLODocument) -> Iterator[Document]:
    spec = value.spec
    if spec.indicator is not None:
        metric = {"thresholdMetric": _metric(spec.indicator.threshold_metric)}
        yield _slo(document, value, "", (metric, spec.objectives), _threshold_written)
        return
    for index, (objective, suffix) in enumerate(zip(spec.objectives, _suffixes(spec.objectives), strict=True)):
        if objective.ratio_metrics is not None:
            yield _slo(
                document, value, suffix, (_ratio(objective.ratio_metrics), [objective]), partial(_ratio_written, index)
            )


def _slo(
    document: Document,
    value: alpha.SLODocument,
    suffix: str,
    measured: tuple[_Raw, Sequence[alpha.Objective]],
    written: Callable[[Path], Path],
) -> Document:
    about, spec = value.metadata, value.spec
    metric, objectives = measured
    shown = (about.display_name, objectives[0].display_name if suffix else "")
    raw = {
        "apiVersion": v1.OPENSLO_V1,
        "kind": "SLO",
        "metadata": {"name": about.name + suffix, "displayName": ": ".join(part for part in shown if part)},
        "spec": {
            "description": spec.description,
            "service": spec.service,
            "indicator": {"spec": metric},
            "timeWindow": [_window(each) for each in spec.time_windows],
            "budgetingMethod": spec.budgeting_method,
            "objectives": [_objective(each, spec.budgeting_method == "Timeslices") for each in objectives],
        },
    }
    return replace(document, kind=_V1["SLO"], value=v1.SLODocument.model_validate(raw), written=written)


def _service(document: Document, value: alpha.ServiceDocument) -> Document:
    raw = {**value.model_dump(by_alias=True), "apiVersion": v1.OPENSLO_V1}
    return replace(document, kind=_V1["Service"], value=v1.ServiceDocument.model_validate(raw))


def _metric_written(path: Path) -> Path:
    """Below a metric of v1: `metricSource.type` and `metricSource.spec.query`."""
    return _METRIC.get(path[1:], ()) if path[:1] == ("metricSource",) else path


def _window_written(path: Path) -> Path:
    return ("spec", "timeWindows", *("count" if step == "duration" else step for step in path))


def _threshold_written(path: Path) -> Path:
    match path:
        case ("spec", "timeWindow", *rest):
            return _window_written(tuple(rest))
        case ("spec", "indicator", "spec", "thresholdMetric", *rest):
            return ("spec", "indicator", "thresholdMetric", *_metric_written(tuple(rest)))
        case ("spec", "indicator", "spec"):
            return ("spec", "indicator")
    return path


def _ratio_written(index: int, path: Path) -> Path:
    match path:
        case ("spec", "timeWindow", *rest):
            return _window_written(tuple(rest))
        case ("spec", "objectives", int(), *rest):
            return ("spec", "objectives", index, *rest)
        case ("spec", "indicator", "spec", "ratioMetric", "counter"):
            return ("spec", "objectives", index, "ratioMetrics", "incremental")
        case ("spec", "indicator", "spec", "ratioMetric", "good" | "total" as key, *rest):
            return ("spec", "objectives", index, "ratioMetrics", key, *_metric_written(tuple(rest)))
        case ("spec", "indicator", *_):
            return ("spec", "objectives", index, "ratioMetrics")
    return path


def as_v1(document: Document) -> Sequence[Document]:
    """A document of v1alpha as documents of v1: an SLO of ratioMetrics as one for each objective."""
    match document.value:
        case alpha.SLODocument() as value:
            return tuple(_slos(document, value))
        case alpha.ServiceDocument() as value:
            return (_service(document, value),)
    raise TypeError(f"no document of v1alpha: {type(document.value).__name__}")
