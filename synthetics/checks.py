"""What a prober runs: probes and journeys look the same to its engine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.model.check import CheckKind, CheckResult

LOCAL_REGION = "local"  # the region that `flyball up` probes from when no other is named


@dataclass(frozen=True, slots=True)
class Check:
    """Something to run in turns. `run(now)` always returns a result, within `timeout` and a second.

    `regions` empty: in every region. `is_heavy`: few may run at once (a browser).
    """

    name: str
    kind: CheckKind
    every: timedelta
    timeout: timedelta
    regions: frozenset[str]
    run: Callable[[datetime], Awaitable[CheckResult]]
    is_heavy: bool = False
