"""What a prober reports, as JSON. `report` reads it again."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from controlplane.model.check import CheckResult, ReportHead

VERSION: Final = 1
_PACKING: Final = 5  # half the time of gzip's usual level, for a few per cent


def render(head: ReportHead, results: Sequence[CheckResult]) -> bytes:
    """A report. The results are `fitted`, and of the head's region."""
    return join(head, [render_result(result) for result in results])


def join(head: ReportHead, rendered: Sequence[bytes]) -> bytes:
    """A report of results that `render_result` gave."""
    start = orjson.dumps(
        {
            "version": VERSION,
            "region": head.region,
            "prober": head.prober,
            "sequence": head.sequence,
            "sentAt": _time(head.sent_at),
            "buffered": head.buffered,
            "software": head.version,
        }
    )
    return b"".join((start[:-1], b',"results":[', b",".join(rendered), b"]}"))


def render_result(result: CheckResult) -> bytes:
    """One result; its region stands in the head. What is empty is left out."""
    written: dict[str, object] = {
        "check": result.check,
        "kind": result.kind.value,
        "startedAt": _time(result.started_at),
        "durationSeconds": result.duration_seconds,
        "outcome": result.outcome.value,
    }
    optional: dict[str, object] = {
        "reason": result.reason,
        "detail": result.detail,
        "timings": [(timing.name, timing.seconds) for timing in result.timings],
        "samples": [
            (sample.name, sample.value, dict(sample.labels)) if sample.labels else (sample.name, sample.value)
            for sample in result.samples
        ],
        "traceId": result.trace_id,
        "confirms": result.confirms,
    }
    return orjson.dumps(written | {name: value for name, value in optional.items() if value})


def pack(body: bytes) -> bytes:
    """The body as gzip; the same body gives the same bytes."""
    return gzip.compress(body, _PACKING, mtime=0)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
