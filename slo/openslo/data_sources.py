"""OpenSLO's DataSource: which metric sources refer to it, and what it says about connections that we do not use."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, Path
from slo.openslo.declared import declared
from slo.openslo.spec import PROMETHEUS, DataSourceDocument, Metric, SLISpec

_ADDRESS: Final = re.compile(r"(?i)(?:base_?)?(?:url|uri|address|endpoint|server|host)")
_SECRET: Final = re.compile(r"(?i)(?:.*(?:password|passwd|secret|token|api_?key|app_?key|access_?key|credential).*)")
_DETAILS: Final = ("spec", "connectionDetails")


class DataSources:
    """The data sources of a workspace."""

    def __init__(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> None:
        self._declared = declared(documents, DataSourceDocument, may_be_declared)
        self._used: set[str] = set()

    def check(self, document: Document, path: Path, spec: SLISpec) -> Iterator[Problem]:
        """What is wrong about the references of the SLI that stands at a path. Without any DataSource, none is."""
        if not self._declared.by_name:
            return
        for key, metric in _metrics(spec):
            name = metric.metric_source.metric_source_ref
            if name is None:
                continue
            at = (*path, *key, "metricSource", "metricSourceRef")
            if name not in self._declared.by_name:
                hint = "declare it with a document of kind DataSource, or declare none at all"
                yield from self._declared.missing(document, *at, name=name, hint=hint)
                continue
            self._used.add(name)
            source, value = self._declared.by_name[name]
            if not _is_prometheus(value):
                yield _unsupported(source, value, Severity.ERROR)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the documents themselves, asked for after every SLI was checked."""
        yield from self._declared.problems
        for name, (document, value) in self._declared.by_name.items():
            if not _is_prometheus(value) and name not in self._used:
                yield _unsupported(document, value, Severity.WARNING)
            for path, _ in _texts(value.spec.connection_details, _DETAILS):
                if any(isinstance(step, str) and _SECRET.fullmatch(step) for step in path):
                    yield document.problem(
                        *path,
                        message="a secret in a file that many can read",
                        hint="remove it: connection details are not used, and settings take secrets from files",
                        severity=Severity.WARNING,
                        rule="secret-in-file",
                        on_key=True,
                        length=1,
                    )


def addresses_of(document: Document) -> list[tuple[str, Path]]:
    """The URLs that a DataSource of type Prometheus names, without their last slash, and where they stand."""
    value = document.value
    if not isinstance(value, DataSourceDocument) or not _is_prometheus(value):
        return []
    return [
        (text.rstrip("/"), path)
        for path, text in _texts(value.spec.connection_details, _DETAILS)
        if _ADDRESS.fullmatch(str(path[-1])) and text.startswith(("http://", "https://"))
    ]


def _metrics(spec: SLISpec) -> Iterator[tuple[tuple[str, ...], Metric]]:
    ratio = spec.ratio_metric
    if spec.threshold_metric is not None:
        yield ("thresholdMetric",), spec.threshold_metric
    if ratio is not None:
        for name, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total), ("raw", ratio.raw)):
            if metric is not None:
                yield ("ratioMetric", name), metric


def _is_prometheus(value: DataSourceDocument) -> bool:
    return value.spec.type.lower() == PROMETHEUS


def _unsupported(document: Document, value: DataSourceDocument, severity: Severity) -> Problem:
    return document.problem(
        "spec",
        "type",
        message=f"{value.spec.type[:40]} is not supported",
        hint="all metrics are read from Prometheus" if severity is Severity.ERROR else "no SLI here uses it",
        severity=severity,
        rule="unsupported",
    )


def _texts(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text in a value, and its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path, value
