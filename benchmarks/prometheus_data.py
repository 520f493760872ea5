"""Getting a month of samples into a Prometheus, and arrays out of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray

from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels

CHUNK_POINTS: Final = 3_000  # so that no query of a shard takes the two minutes that Prometheus allows
Column = tuple[Mapping[str, str], NDArray[np.float64], NDArray[np.float64]]  # labels, Unix seconds, values


@dataclass(frozen=True, slots=True)
class Cost:
    """What one evaluation took: samples that the engine touched, and seconds inside it (median)."""

    samples: float
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.samples + other.samples, self.seconds + other.seconds)

    def times(self, factor: float) -> "Cost":
        """The same work done `factor` times."""
        return Cost(self.samples * factor, self.seconds * factor)


@dataclass(frozen=True, slots=True)
class Result:
    """One series of a range query; `times` are Unix seconds."""

    labels: Mapping[str, str]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


class Backend:
    """A Prometheus, asked for arrays and for what a query cost."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=600)
        self._writer = RemoteWriter(url, timeout_seconds=600)

    def range(self, expr: str, start: int, end: int, step: int) -> list[Result]:
        """`expr` from `start` to `end`, both included."""
        pieces: dict[tuple[tuple[str, str], ...], list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
        for first in range(start, end + 1, CHUNK_POINTS * step):
            last = min(end, first + (CHUNK_POINTS - 1) * step)
            data = self._ask("query_range", {"query": expr, "start": first, "end": last, "step": step})
            for found in data["result"]:
                times, values = zip(*found["values"], strict=True)
                pieces.setdefault(tuple(sorted(found["metric"].items())), []).append(
                    (np.array(times, dtype=np.float64), np.fromiter(map(float, values), np.float64, len(values)))
                )
        return [
            Result(dict(key), np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
            for key, parts in pieces.items()
        ]

    def cost(self, expr: str, at: int, repeats: int = 5) -> Cost:
        """What one instant evaluation of `expr` costs."""
        answers = [
            self._ask("query", {"query": expr, "time": at, "stats": "all"})["stats"] for _ in range(repeats)
        ]  # fmt: skip
        seconds = float(np.median([answer["timings"]["evalTotalTime"] for answer in answers]))
        return Cost(float(answers[0]["samples"]["totalQueryableSamples"]), seconds)

    def _ask(self, path: str, parameters: Mapping[str, Any]) -> Any:
        answer = self._client.post(f"/api/v1/{path}", data=dict(parameters))
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{answer.text[:500]}\n{parameters}")
        return json.loads(answer.content)["data"]

    def write(self, series: Iterable[Column]) -> None:
        """Remote-write them, half a million samples a request."""
        for batch in _batches(series, 500_000):
            self._writer.write_columns(
                ColumnarSeries(encoded_labels(labels), np.round(times * 1000).astype(np.int64), values)
                for labels, times, values in batch
            )


def _batches(series: Iterable[Column], limit: int) -> Iterator[list[Column]]:
    batch: list[Column] = []
    size = 0
    for labels, times, values in series:
        for cut in range(0, len(times), limit):
            batch.append((labels, times[cut : cut + limit], values[cut : cut + limit]))
            size += len(times[cut : cut + limit])
            if size >= limit:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
