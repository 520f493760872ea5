"""What the pods say on /metrics, with a trace id as exemplar on every bucket and on counters of bad events."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar

from controlplane import conventions
from flyball.demo.platform.infrastructure import DOCUMENTATION, TARGET, Gauge
from flyball.demo.platform.live import PodState

_JITTER: Final = 0.25  # of a bucket's typical value: narrower than the narrowest bucket


class Exposition:
    """Renders pods as text. It remembers the exemplars that it gave out, as an instrumented process does."""

    def __init__(self) -> None:
        self._exemplars: dict[tuple[str, int], tuple[int, Exemplar]] = {}

    def render(
        self, pods: Sequence[PodState], accept: str, *, at_seconds: float, named: bool, gauges: Sequence[Gauge] = ()
    ) -> tuple[bytes, str]:
        """The text and its content type, by what the client accepts; with `named` every series says job and pod."""
        families: dict[str, Metric] = {}
        for gauge in gauges:
            family = families.setdefault(gauge.name, Metric(gauge.name, DOCUMENTATION[gauge.name], "gauge"))
            family.add_sample(gauge.name, {**(dict(TARGET) if named else {}), **dict(gauge.labels)}, gauge.value)
        for pod in pods:
            target = {"job": pod.slot.service.name, **dict(pod.life.target_labels)} if named else {}
            self._add(families, pod, target, at_seconds)
        encode, content_type = choose_encoder(accept)
        return encode(_Collected(families.values())), content_type

    def _add(self, families: dict[str, Metric], pod: PodState, target: Mapping[str, str], at_seconds: float) -> None:
        values = pod.layout.expand(pod.cells[None])[0]
        bearing = dict(pod.layout.exemplars)
        for index, series in enumerate(pod.layout.series):
            flow = pod.layout.flows[series.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")]
            family = families.get(series.family)
            if family is None:
                kind = "histogram" if flow.is_histogram else "summary" if flow.per_observation else "counter"
                family = families[series.family] = Metric(series.family, flow.documentation, kind)
            exemplar = (
                self._exemplar(pod, index, int(pod.cells[bearing[index]]), at_seconds) if index in bearing else None
            )
            family.add_sample(series.name, {**target, **dict(series.labels)}, float(values[index]), None, exemplar)
        build = families.setdefault(
            conventions.BUILD_INFO, Metric(conventions.BUILD_INFO, "Which version runs; always 1.", "gauge")
        )
        labels = {**target, conventions.SERVICE: pod.slot.service.name, "version": pod.life.version}
        build.add_sample(conventions.BUILD_INFO, labels, 1.0)

    def _exemplar(self, pod: PodState, index: int, count: int, at_seconds: float) -> Exemplar | None:
        """The last event of a series: the same until another one is counted, none before the first."""
        key = (pod.life.pod, index)
        known = self._exemplars.get(key)
        if known and known[0] == count:
            return known[1]
        seconds = pod.layout.series[index].seconds
        if count == 0 or seconds is None:
            return None
        digest = hashlib.blake2b(f"{key} {count}".encode(), digest_size=16).digest()
        value = 1.0 if not pod.layout.series[index].name.endswith("_bucket") else seconds * _jitter(digest[0])
        exemplar = Exemplar({"trace_id": digest.hex()}, value, at_seconds)
        self._exemplars[key] = (count, exemplar)
        return exemplar


class _Collected:
    """Families as a prometheus_client collector."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _jitter(byte: int) -> float:
    return 1 + _JITTER * (byte / 127.5 - 1)
