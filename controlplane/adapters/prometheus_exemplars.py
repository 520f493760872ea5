"""Exemplars over Prometheus' HTTP API (`/api/v1/query_exemplars`, since 2.26)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.exemplar import Exemplar

MOST_EXEMPLARS: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PrometheusExemplars:
    """Reads exemplars from the server behind a `PrometheusBackend`, whose bounds and errors are its own.

    A server that keeps none (without `--enable-feature=exemplar-storage`) answers with an empty list.
    """

    def __init__(self, backend: PrometheusBackend) -> None:
        self._backend = backend

    def exemplars(self, selector: str, start: datetime, end: datetime) -> Sequence[Exemplar]:
        """At most `MOST_EXEMPLARS` of the selected series, in the order of the answer."""
        parameters = [("query", selector), ("start", _seconds(start)), ("end", _seconds(end))]
        return self._backend.read("/api/v1/query_exemplars", _exemplars, parameters)


def _exemplars(data: Any) -> list[Exemplar]:
    found = (
        Exemplar(
            series={str(name): str(value) for name, value in row["seriesLabels"].items()},
            labels={str(name): str(value) for name, value in each["labels"].items()},
            at=_EPOCH + timedelta(milliseconds=round(float(each["timestamp"]) * 1000)),
            value=float(each["value"]),
        )
        for row in data or ()
        for each in row["exemplars"]
    )
    return list(islice(found, MOST_EXEMPLARS))


def _seconds(moment: datetime) -> str:
    return f"{(moment - _EPOCH).total_seconds():.3f}"
