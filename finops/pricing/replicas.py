"""Several exporters that report the same usage: which of them is read."""

from datetime import timedelta
from typing import Final

from controlplane.burn_rate import number, seconds
from finops.pricing.model import Measure, Replicas, Usage

_SINCE: Final = timedelta(minutes=5)


def freshest(replicas: Replicas, usage: Usage, longest_silence: timedelta) -> str:
    """PromQL: one series, whose label names the exporter to read; absent when all are silent for too long.

    Freshness is what the exporter says of itself, else when its newest sample was taken. Counters are rather read from
    an exporter that already was there 5 minutes ago, as far as it is at most so much behind: their increase is not
    known of one that has just begun.
    """
    own = replicas.timestamp or f"timestamp({usage.text})"
    fresh = f"max by ({replicas.label}) ({own}) > time() - {number(seconds(longest_silence))}"
    if usage.measure is Measure.GAUGE:
        return f"topk(1, {fresh})"
    head_start = number(seconds(_SINCE))
    known = f"max by ({replicas.label}) (timestamp({usage.text} offset 5m)) > bool 0"
    return f"topk(1, ({fresh}) + {head_start} * ({known}) or ({fresh}))"


def read_from_freshest(vector: str, replicas: Replicas | None, usage: Usage, longest_silence: timedelta) -> str:
    """The vector's series of the exporter to read; all of them where there is but one exporter."""
    if replicas is None:
        return vector
    return f"{vector}\nand on ({replicas.label})\n{freshest(replicas, usage, longest_silence)}"


def reported_at(replicas: Replicas | None, usage: Usage) -> str:
    """PromQL: the time up to which usage is known, of each series."""
    return replicas.timestamp if replicas and replicas.timestamp else f"timestamp({usage.text})"
