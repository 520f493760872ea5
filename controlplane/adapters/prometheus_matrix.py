"""`MatrixBackend` on Prometheus' range queries (docs/decisions/0018)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from controlplane.matrix_ports import SampleMatrix

_LIMIT_BYTES: Final = 128 * 1024 * 1024
_NO_HEADERS: Final[Mapping[str, str]] = {}


class PrometheusMatrix:
    """`MatrixBackend` on Prometheus 2.42 or later, or what speaks its query API (Thanos, Mimir, VictoriaMetrics).

    `url`, `headers` and `credentials` as of `PrometheusBackend`. Safe to share between threads.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 60,
        headers: Mapping[str, str] = _NO_HEADERS,
        credentials: str = "",
        limit_bytes: int = _LIMIT_BYTES,
    ) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        """As `MatrixBackend` says."""
        raise NotImplementedError
