"""Range queries over httpx, their numbers straight into arrays: for weeks of many series."""

from collections.abc import Mapping

from controlplane.adapters.http_answer import HTTPConversation
from controlplane.adapters.prometheus_matrix_answer import SERVER_PATIENCE, RangeAnswer, Span, failure, parse


class ThinReader:
    """`RangeReader`: POST, so that long expressions fit; `warnings` are passed on. Threads may share it."""

    def __init__(self, url: str, *, timeout_seconds: float, headers: Mapping[str, str], limit_bytes: int) -> None:
        self._server = HTTPConversation(
            "Prometheus", url, timeout_seconds=timeout_seconds, limit_bytes=limit_bytes, headers=headers
        )
        self._timeout_seconds = timeout_seconds

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def read(self, query: str, span: Span) -> RangeAnswer:
        """The series of the query in that span."""
        form = {
            "query": query,
            "start": str(span.start_seconds),
            "end": str(span.end_seconds),
            "step": f"{span.step_seconds}s",
            "timeout": f"{SERVER_PATIENCE * self._timeout_seconds:g}s",
        }
        answer = self._server.ask("POST", "/api/v1/query_range", form)
        if not answer.succeeded:
            raise failure(self._server.address, answer.status, answer.body)
        return parse(self._server.address, answer.body, span)
