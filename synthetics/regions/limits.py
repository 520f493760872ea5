"""What a report may hold: whoever writes one keeps to it, whoever reads one insists on it."""

import math
import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from controlplane.model.check import DETAIL_LENGTH, MAX_SAMPLES, MAX_TIMINGS, CheckResult, CheckSample, Timing

MAX_PACKED_BYTES: Final = 4 * 1024 * 1024
MAX_BODY_BYTES: Final = 32 * 1024 * 1024
MAX_RESULTS: Final = 10_000
MAX_NAME: Final = 200
MAX_REASON: Final = 100
MAX_LABELS: Final = 10
MAX_LABEL_VALUE: Final = 500
MAX_SECONDS: Final = 86_400.0
MAX_COUNT: Final = 2**53
MAX_AGE: Final = timedelta(hours=22)  # less than single results are kept: what was forgotten cannot come again
MAX_AHEAD: Final = timedelta(minutes=5)  # as far as a prober's clock may be wrong

REGION: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
PROBER: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,99}")
METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}")
LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,99}")
TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps no NUL, UTF-8 no lone surrogates


def fitted(result: CheckResult) -> CheckResult:
    """What a report can say of a result: texts shortened, samples left out that no report may hold."""
    seconds = result.duration_seconds
    return replace(
        result,
        check=_text(result.check, MAX_NAME) or "?",
        duration_seconds=min(max(seconds, 0.0), MAX_SECONDS) if math.isfinite(seconds) else 0.0,
        reason=_text(result.reason, MAX_REASON),
        detail=_text(result.detail, DETAIL_LENGTH),
        timings=tuple(
            Timing(_text(timing.name, MAX_NAME) or "?", min(timing.seconds, MAX_SECONDS))
            for timing in result.timings
            if math.isfinite(timing.seconds) and timing.seconds >= 0
        )[:MAX_TIMINGS],
        samples=tuple(sample for sample in map(_fitted_sample, result.samples) if sample)[:MAX_SAMPLES],
        trace_id=result.trace_id if TRACE_ID.fullmatch(result.trace_id) else "",
    )


def _fitted_sample(sample: CheckSample) -> CheckSample | None:
    names = [label for label, _ in sample.labels]
    fits = (
        math.isfinite(sample.value)
        and METRIC.fullmatch(sample.name)
        and len(names) <= MAX_LABELS
        and len(set(names)) == len(names)
        and all(LABEL.fullmatch(name) for name in names)
    )
    if not fits:
        return None
    labels = tuple((label, _text(value, MAX_LABEL_VALUE)) for label, value in sample.labels)
    return CheckSample(sample.name, float(sample.value), labels)


def _text(text: str, most: int) -> str:
    return UNSTORABLE.sub("\ufffd", text)[:most]
