"""One try at a target, phase by phase: what is measured stays, however the try ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from controlplane.model.check import CheckSample, Timing
from synthetics.probes.adapters.certificates import (
    certificate_samples,
    earliest_end,
    unverified_chain,
    verified_chain,
)
from synthetics.probes.adapters.failures import ProbeFailed, talking_failed
from synthetics.probes.adapters.resolving import Address, address_samples, resolve
from synthetics.probes.adapters.streams import Stream
from synthetics.probes.adapters.tls_contexts import CertificateRefused, client_context
from synthetics.probes.attempt import Answer, Attempt, Surroundings
from synthetics.probes.modules import IPFamily, TLSOptions

RESOLVE: Final = "resolve"
CONNECT: Final = "connect"
TLS: Final = "tls"
_WAITED_FOR: Final = {
    RESOLVE: "the name server's answer",
    CONNECT: "the connection",
    TLS: "the TLS handshake",
}


class Trial:
    """Time, phases and certificates of one try. `waited_for`: in words, what the protocol's own phases wait for."""

    def __init__(self, around: Surroundings, waited_for: Mapping[str, str]) -> None:
        self.around: Final = around
        self.seconds: Final[dict[str, float]] = {}  # by phase, in order
        self.samples: Final[dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        self.notes: Final[list[str]] = []
        self.address: Address | None = None
        self.tls_version: str | None = None
        self._waited_for: Final = {**_WAITED_FOR, **waited_for}
        self._ends_at = time.monotonic() + around.timeout_seconds
        self._phase = ""
        self._since = 0.0
        self._chain: tuple[bytes, ...] = ()
        self._believed: tuple[bytes, ...] = ()

    def enter(self, phase: str) -> None:
        """End the phase that goes on, and begin another; an empty name begins none."""
        now = time.perf_counter()
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = phase, now

    def tell(self, name: str, value: float, **labels: str) -> None:
        """Give a gauge its value; the last one counts."""
        self.samples[name, tuple(sorted(labels.items()))] = value

    def took(self, *phases: str) -> float:
        """Seconds of these phases together, 0 for what was not reached."""
        return sum(self.seconds.get(phase, 0.0) for phase in phases)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self._ends_at - time.monotonic(), 0.0)

    @asynccontextmanager
    async def limit(self, doing: str) -> AsyncIterator[None]:
        """Within what is left of the time. Raises ProbeFailed for a time that is over and for lines that break."""
        try:
            async with asyncio.timeout(self.left) as timeout:
                yield
        except OSError as error:  # TimeoutError is one, ours or the system's
            if isinstance(error, TimeoutError) and timeout.expired():
                raise self.too_late() from None
            raise talking_failed(error, doing) from None

    def too_late(self) -> ProbeFailed:
        """The time is over."""
        waited = self._waited_for.get(self._phase, "the target")
        return ProbeFailed("timeout", f"{self.around.timeout_seconds:.3g} s were over while waiting for {waited}")

    async def resolve(self, host: str, port: int, family: IPFamily) -> Address:
        """The address to ask. Raises ProbeFailed."""
        self.enter(RESOLVE)
        self.address = await resolve(host, port, family, self.around.resolve, self.left)
        self.enter("")
        return self.address

    async def connect(self, address: Address) -> Stream:
        """A connection, for the caller to close. Raises ProbeFailed."""
        self.enter(CONNECT)
        stream = await Stream.connect(address)
        self.enter("")
        return stream

    async def start_tls(self, stream: Stream, options: TLSOptions, host: str, *protocols: str) -> None:
        """Shake hands, and remember what was shown. Raises ProbeFailed."""
        stream.prepare_tls(client_context(options, protocols), options.server_name or host)
        self.enter(TLS)
        try:
            tls = await stream.shake_hands()
        except ProbeFailed as failed:
            if isinstance(failed.__cause__, CertificateRefused):
                self._chain = failed.__cause__.chain
            raise
        self.enter("")
        self._chain, self.tls_version = unverified_chain(tls), tls.version()
        self._believed = verified_chain(tls) if options.verify else ()

    def attempt(self, failed: ProbeFailed | None) -> Attempt:
        """What the try gave."""
        self.enter("")
        found = list(address_samples(self.address, self.took(RESOLVE))) if self.address else []
        found += [CheckSample(name, value, labels) for (name, labels), value in self.samples.items()]
        found += certificate_samples(self._chain, self._believed, self.tls_version)
        return Attempt(
            timings=tuple(Timing(phase, seconds) for phase, seconds in self.seconds.items()),
            samples=tuple(found),
            answer=Answer(certificate_ends_at=earliest_end(self._chain)),
            reason=failed.reason if failed else "",
            detail=failed.detail if failed else "",
            is_fault=failed is not None and failed.is_fault,
            notes=tuple(self.notes),
        )


async def tried(trial: Trial, work: Callable[[], Awaitable[None]], last: Callable[[], None] | None = None) -> Attempt:
    """Do it; what the target does wrong becomes the attempt's reason. `last` tells gauges that need all phases."""
    failed: ProbeFailed | None = None
    try:
        await work()
    except ProbeFailed as error:
        failed = error
    trial.enter("")
    if last is not None:
        last()
    return trial.attempt(failed)
