"""Metrics of checks as text, in Prometheus's and OpenMetrics' own words.

There are a hundred lines of each check: `prometheus_client` would write those of 3,000 in three seconds. Here what a
result gave is written once, when it comes. Names of metrics and labels were checked where reports are read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from controlplane import check_names as names
from controlplane.model.check import CheckKind, CheckResult, Outcome
from synthetics.probes.exposition import HELP

Labels = Mapping[str, str]
_TOTAL: Final = "_total"
_LABELS: Final = {CheckKind.PROBE: names.PROBE, CheckKind.JOURNEY: names.JOURNEY}
_SUCCESS: Final = {CheckKind.PROBE: names.PROBE_SUCCESS, CheckKind.JOURNEY: names.JOURNEY_SUCCESS}
_SECONDS: Final = {CheckKind.PROBE: names.PROBE_SECONDS, CheckKind.JOURNEY: names.JOURNEY_SECONDS}
_OURS: Final = frozenset((*_LABELS.values(), names.REGION))
_TEXTS: Final = {
    names.PROBE_SUCCESS: "1 when the probe was content; absent when the prober is at fault.",
    names.PROBE_SECONDS: "How long the probe took.",
    names.JOURNEY_SUCCESS: "1 when every step went well; absent when the prober is at fault.",
    names.JOURNEY_SECONDS: "How long the journey took.",
    names.JOURNEY_STEP_SECONDS: "How long a step of a journey took.",
}
_RESERVED_ENDS: Final = ("_total", "_bucket", "_created")  # OpenMetrics takes them for other types


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its lines. `type` is gauge, counter or histogram; a counter's name ends with _total."""

    name: str
    type: str
    text: str
    lines: Iterable[str]

    def written(self, *, is_openmetrics: bool) -> Iterator[str]:
        """Its head and its lines; nothing of a family without lines."""
        body = "".join(self.lines)
        if body:
            name = self.name.removesuffix(_TOTAL) if is_openmetrics and self.type == "counter" else self.name
            yield f"# HELP {name} {self.text}\n# TYPE {name} {self.type}\n"
            yield body


def line(name: str, labels: Labels, value: float, exemplar: str = "") -> str:
    """One sample."""
    return f"{name}{{{written_labels(labels)}}} {value!r}{exemplar}\n"


def written_labels(labels: Labels) -> str:
    """Between the braces."""
    return ",".join([f'{label}="{_escaped(value)}"' for label, value in labels.items()])


def exemplar_of(result: CheckResult | None, *, is_openmetrics: bool) -> str:
    """How a counter or bucket names the trace of a run; empty where there is none, and where the format has none."""
    if not is_openmetrics or result is None or not result.trace_id:
        return ""
    at = result.started_at.timestamp()
    return f' # {{trace_id="{result.trace_id}"}} {float(result.duration_seconds)!r} {at:.3f}'


class Measured:
    """What the latest results measured: blackbox_exporter's names, with the labels probe (or journey) and region."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str, str], CheckResult] = {}
        self._families: dict[str, dict[tuple[str, str, str], str]] = {}

    def show(self, results: Mapping[tuple[str, str, str], CheckResult]) -> None:
        """Show these, and no others."""
        for key in self._shown.keys() - results.keys():
            self._hide(key)
        for key, result in results.items():
            if self._shown.get(key) is not result:
                self._hide(key)
                self._write(key, result)

    def families(self) -> Iterator[Family]:
        """By name."""
        for name in sorted(self._families):
            lines = self._families[name]
            yield Family(name, "gauge", _TEXTS.get(name) or HELP.get(name, "Measured by a check."), lines.values())

    def _write(self, key: tuple[str, str, str], result: CheckResult) -> None:
        self._shown[key] = result
        for name, text in _lines(result):
            lines = self._families.setdefault(name, {})
            lines[key] = lines.get(key, "") + text

    def _hide(self, key: tuple[str, str, str]) -> None:
        if self._shown.pop(key, None) is not None:
            for name in [name for name, lines in self._families.items() if key in lines]:
                del self._families[name][key]
                if not self._families[name]:
                    del self._families[name]


def _lines(result: CheckResult) -> Iterator[tuple[str, str]]:
    """Name and line of each sample, each once. Names that are not a probe's or a journey's own could be ours."""
    label = _LABELS.get(result.kind)
    if label is None:
        return
    key = {label: result.check, names.REGION: result.region}
    if result.outcome is not Outcome.FAULT:
        yield _named(_SUCCESS[result.kind], key, float(result.outcome is Outcome.OK))
    yield _named(_SECONDS[result.kind], key, result.duration_seconds)
    if result.kind is CheckKind.JOURNEY:
        steps = {timing.name: timing.seconds for timing in reversed(result.timings)}
        for step, seconds in steps.items():
            yield _named(names.JOURNEY_STEP_SECONDS, {**key, names.STEP: step}, seconds)
    own = written_labels(key)
    seen = set()
    for sample in result.samples:
        if sample.name in _TEXTS or not sample.name.startswith(("probe_", "journey_")):
            continue
        if sample.name.endswith(_RESERVED_ENDS):
            continue
        theirs = {name: text for name, text in sample.labels if name not in _OURS}
        labels = f"{own},{written_labels(theirs)}" if theirs else own
        if (sample.name, labels) not in seen:
            seen.add((sample.name, labels))
            yield sample.name, f"{sample.name}{{{labels}}} {float(sample.value)!r}\n"


def _named(name: str, labels: Labels, value: float) -> tuple[str, str]:
    return name, line(name, labels, float(value))


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value
