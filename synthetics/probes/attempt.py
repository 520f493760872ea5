"""What one try at a target gave, before assertions: the same for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from controlplane.model.check import CheckSample, Timing
from synthetics.probes.modules import Module

M = TypeVar("M", bound=Module, contravariant=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What assertions may look at; None and empty where the protocol has no such thing."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()  # names in lower case, in order, repeated ones each
    body: bytes = b""
    certificate_ends_at: datetime | None = None  # the earliest of the chain that was shown


@dataclass(frozen=True, slots=True)
class Attempt:
    """How it went. `reason` and `detail` as in `CheckResult`, empty when the protocol was content.

    `is_fault`: our side could not even try (no permission, no route, no such file): a fault of the prober.
    `notes` say what happened on the way, in order, for people who look closely; no secrets.
    """

    timings: tuple[Timing, ...] = ()
    samples: tuple[CheckSample, ...] = ()
    answer: Answer = field(default_factory=Answer)
    reason: str = ""
    detail: str = ""
    is_fault: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a try works with. `traceparent` is sent along where the protocol carries headers.

    `resolve` pins `host:port` to an address `host:port` (as curl's --resolve does), for regions with an ingress of
    their own. `variables` are what `${env:NAME}` may name. `wants_body`: whether anything looks at a body; one that
    nothing looks at is read and counted, but need not be kept.
    """

    now: datetime
    timeout_seconds: float
    traceparent: str = ""
    resolve: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    wants_body: bool = True


class ProtocolProber(Protocol[M]):
    """Tries one protocol: never raises for what a target does, and ends within the timeout."""

    async def __call__(self, module: M, target: str, around: Surroundings) -> Attempt:
        """One try."""
        ...
