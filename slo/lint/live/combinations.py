"""The label combinations that are live now, of all metrics that SLOs ask for, in few queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from controlplane.ports import MetricsBackend, Permanent
from slo.lint.live.patterns import accepts
from slo.promql.promql_text import Matcher

Labels = Mapping[str, str]
METRICS_A_QUERY: Final = 50


@dataclass(frozen=True, slots=True)
class Combinations:
    """The combinations of one metric's labels, as far as somebody asked for them; a missing label is missing here."""

    all: tuple[Labels, ...]
    _index: dict[str, dict[str, list[Labels]]] = field(default_factory=dict)

    def values(self, label: str) -> Mapping[str, list[Labels]]:
        """The combinations by the value of a label; those without it are under the empty text."""
        if label not in self._index:
            by_value: dict[str, list[Labels]] = defaultdict(list)
            for labels in self.all:
                by_value[labels.get(label, "")].append(labels)
            self._index[label] = dict(by_value)
        return self._index[label]

    def has(self, label: str) -> bool:
        """Whether any series has the label."""
        return any(self.values(label).keys() - {""})

    def matching(self, matchers: Sequence[Matcher]) -> list[Labels]:
        """Those for which every condition holds."""
        exact = [each for each in matchers if each.operator == "="]
        candidates: Sequence[Labels] = self.all
        for matcher in exact:
            found = self.values(matcher.label).get(matcher.value, [])
            if len(found) < len(candidates):
                candidates = found
        return [each for each in candidates if all(accepts(m, each.get(m.label, "")) for m in matchers)]


def combinations_of(
    labels: Mapping[str, frozenset[str]], backend: MetricsBackend, now: datetime, asked: Callable[[int], None]
) -> tuple[dict[str, Combinations], list[str]]:
    """The combinations by metric, and what was left out and why.

    `labels` says which labels matter of each metric. Metrics of which the same ones matter are asked for together.
    `asked` is told how many metrics are done.
    """
    found: dict[str, list[Labels]] = {metric: [] for metric in labels}
    notes = []
    done = 0
    for wanted, metrics in _batches(labels):
        by = ", ".join(("__name__", *sorted(wanted)))
        try:
            for sample in backend.query(f"count by ({by}) ({_named(metrics)})", now):
                name = sample.labels["__name__"]
                found[name].append({key: value for key, value in sample.labels.items() if key != "__name__"})
        except Permanent as error:
            notes.append(f"{', '.join(metrics)}: {error}")
            for metric in metrics:
                del found[metric]
        done += len(metrics)
        asked(done)
    return {metric: Combinations(tuple(several)) for metric, several in found.items()}, notes


def _batches(labels: Mapping[str, frozenset[str]]) -> Iterator[tuple[frozenset[str], list[str]]]:
    alike: dict[frozenset[str], list[str]] = defaultdict(list)
    for metric, wanted in sorted(labels.items()):
        alike[wanted].append(metric)
    for wanted, metrics in alike.items():
        for first in range(0, len(metrics), METRICS_A_QUERY):
            yield wanted, metrics[first : first + METRICS_A_QUERY]


def _named(metrics: Iterable[str]) -> str:
    names = list(metrics)
    return f'{{__name__="{names[0]}"}}' if len(names) == 1 else f'{{__name__=~"{"|".join(names)}"}}'
