"""A detector's metrics as text, by metric."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Codes, Floats
from alerts.anomaly.exposition.labels import escaped, exposed_labels, written
from alerts.anomaly.model import BASELINES, Output
from alerts.anomaly.scoring.latest import Latest
from controlplane import anomaly_names as names

HELP: Final[Mapping[str, str]] = {
    names.SCORE: "How far off a value is, against how far off is anomalous: above 1 is anomalous.",
    names.SUSTAINED_SCORE: "The same of what goes on for long.",
    names.OPEN: "1 while an anomaly is open, else 0.",
    names.VALUE: "What was scored.",
    names.EXPECTED: "What was expected.",
    names.LOWER: "Values below are anomalous.",
    names.UPPER: "Values above are anomalous.",
    names.CHOSEN_BASELINE: "1 for what a series is compared with.",
    names.MATURITY: "How much past there is: 0 none, 1 less than a day, 2 days, 3 weeks.",
    names.HISTORY: "How much past the model knows.",
    names.COVERAGE: "Share of the past day that has samples.",
    names.GAP: "1 while samples are missing that used to come.",
    names.SCORED_AT: "The newest step that was scored.",
    names.FITTED_AT: "When the oldest of a detector's models was fitted.",
}
LASTING: Final = frozenset(
    {names.OPEN, names.MATURITY, names.HISTORY, names.COVERAGE, names.GAP, names.SCORED_AT, names.FITTED_AT}
)
"""What stays so while nothing new can be read: an open anomaly does not end because Prometheus is away."""


@dataclass(frozen=True, slots=True)
class SeriesTexts:
    """Labels of a detector's series between braces; `source` is what they were made of."""

    source: tuple[Mapping[str, str], ...]
    texts: tuple[str, ...]


def series_texts(latest: Latest, known: SeriesTexts | None = None) -> SeriesTexts:
    """Labels as text; `known` again where the series are the same as then."""
    if known is not None and known.source is latest.labels and len(known.texts) == latest.size:
        return known
    own = f'{names.DETECTOR}="{escaped(latest.detector)}"'
    exposed = exposed_labels(
        [
            {name: value for name, value in labels.items() if name != names.GROUP} if is_group else labels
            for labels, is_group in zip(latest.labels, latest.is_group.tolist(), strict=True)
        ]
    )
    texts, seen = [], set()
    for labels, is_group in zip(exposed, latest.is_group.tolist(), strict=True):
        text = ",".join(filter(None, (own, f'{names.GROUP}="1"' if is_group else "", written(labels))))
        texts.append("" if text in seen else text)  # two series that are one on /metrics: the first is told
        seen.add(text)
    return SeriesTexts(latest.labels, tuple(texts))


def rendered(latest: Latest, texts: SeriesTexts) -> dict[str, bytes]:
    """Every metric's lines, without its HELP and TYPE; of what is not known there is no line."""
    return {name: "".join(lines).encode(errors="replace") for name, lines in _families(latest, texts.texts)}


def head(name: str) -> bytes:
    """HELP and TYPE of a metric: the same in the text format and in OpenMetrics."""
    return f"# HELP {name} {HELP[name]}\n# TYPE {name} gauge\n".encode()


def _families(it: Latest, texts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    numbers = {
        names.SCORE: it.score,
        names.SUSTAINED_SCORE: it.sustained_score,
        names.VALUE: it.value,
        names.EXPECTED: it.expected,
        names.LOWER: it.lower,
        names.UPPER: it.upper,
        names.HISTORY: it.history_seconds,
        names.COVERAGE: it.coverage,
    }
    for name, values in numbers.items():
        yield name, _numbers(name, texts, values)
    yield names.OPEN, [line for output, values in it.open.items() for line in _open(texts, output, values)]
    yield names.CHOSEN_BASELINE, _baselines(texts, it.baseline)
    yield names.MATURITY, _codes(names.MATURITY, texts, it.maturity)
    yield names.GAP, _codes(names.GAP, texts, it.gap)
    own = f'{names.DETECTOR}="{escaped(it.detector)}"'
    yield names.SCORED_AT, [_moment(names.SCORED_AT, own, it.at)]
    yield names.FITTED_AT, [_moment(names.FITTED_AT, own, it.fitted_at)] if it.fitted_at else []


def _numbers(name: str, texts: Sequence[str], values: Floats) -> list[str]:
    """float32 holds seven digits: more would be invented. NaN has no line."""
    pairs = [(text, value) for text, value in _pairs(texts, values) if text and not math.isnan(value)]
    if np.isinf(values).any():  # the edge of a band in a direction that does not count
        return [f"{name}{{{text}}} {_number(value)}\n" for text, value in pairs]
    return [f"{name}{{{text}}} {value:.7g}\n" for text, value in pairs]


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.7g}"


def _codes(name: str, texts: Sequence[str], values: Codes | Booleans) -> list[str]:
    return [f"{name}{{{text}}} {value:d}\n" for text, value in _pairs(texts, values) if text]


def _baselines(texts: Sequence[str], values: Codes) -> list[str]:
    return [
        f'{names.CHOSEN_BASELINE}{{{text},{names.BASELINE}="{BASELINES[value]}"}} 1\n'
        for text, value in zip(texts, values.tolist(), strict=True)
        if value and text
    ]


def _open(texts: Sequence[str], output: Output, values: Booleans) -> list[str]:
    said = f'{names.OUTPUT}="{output.value}"'
    return [f"{names.OPEN}{{{text},{said}}} {value:d}\n" for text, value in _pairs(texts, values) if text]


def _pairs(texts: Sequence[str], values: NDArray[np.generic]) -> "Iterable[tuple[str, float]]":
    return zip(texts, values.tolist(), strict=True)


def _moment(name: str, labels: str, at: datetime) -> str:
    return f"{name}{{{labels}}} {at.timestamp():.3f}\n"
