"""TCP as blackbox_exporter probes it: a connection, TLS from the start or within, and a conversation of lines."""

import asyncio
from typing import Final

from synthetics.probes.adapters.conversations import (
    BREATH,
    MOST_BYTES,
    MOST_LINE_BYTES,
    MOST_PIECES,
    Match,
    find,
    not_expected,
    said,
)
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.streams import CHUNK, Stream
from synthetics.probes.adapters.trials import Trial, tried
from synthetics.probes.addresses import split_host_port
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import QueryStep, TCPModule, TLSOptions

_TALK: Final = "conversation"
_WAITED_FOR: Final = {_TALK: "what the target has to say"}
_REGEX_FAILED: Final = "probe_failed_due_to_regex"


async def probe_tcp(module: TCPModule, target: str, around: Surroundings) -> Attempt:
    """Connect, and talk as the steps say. The target is `host:port`."""
    trial = Trial(around, _WAITED_FOR)
    return await tried(trial, lambda: _run(module, target, trial))


def host_and_port(target: str) -> tuple[str, int]:
    """The parts of a target. Raises ProbeFailed, a fault of the prober."""
    try:
        return split_host_port(target)
    except ValueError as error:
        raise ProbeFailed("target", str(error), is_fault=True) from None


async def _run(module: TCPModule, target: str, trial: Trial) -> None:
    host, port = host_and_port(target)
    address = await trial.resolve(host, port, module.ip_family)
    async with trial.limit("it was talked to"):
        stream = await trial.connect(address)
        try:
            # Where a step begins TLS, `tls` says how: there is none from the start.
            if module.tls is not None and not any(step.start_tls for step in module.steps):
                await trial.start_tls(stream, module.tls, host)
            trial.tell(_REGEX_FAILED, 0)
            talk = _Talk(stream, trial, module.tls or TLSOptions(), host)
            for step in module.steps:
                await talk.take(step)
        finally:
            stream.close()


class _Lines:
    """Lines of a stream, without their ends; neither a line nor all of them can grow without bound."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._looked = 0  # so far there is no end of a line
        self._read = 0
        self._has_ended = False

    async def next(self) -> str | None:
        """The next line; None after the last. What stands before the end of the stream is a line."""
        while True:
            end = self._buffer.find(b"\n", self._looked)
            if end >= 0:
                return self._cut(end)
            self._looked = len(self._buffer)
            if self._looked >= MOST_LINE_BYTES:
                raise ProbeFailed("size", f"it sends a line of more than {MOST_LINE_BYTES:,} bytes")
            if self._has_ended:
                return self._cut(self._looked) if self._buffer else None
            data = await self._stream.read(CHUNK)
            self._has_ended = not data
            self._read += len(data)
            if self._read > MOST_BYTES:
                raise ProbeFailed("size", f"it sends more than {MOST_BYTES:,} bytes, none of them expected")
            self._buffer += data

    def forget(self) -> None:
        """What came before TLS must not pass for what was said within it."""
        self._buffer.clear()
        self._looked = 0

    def _cut(self, end: int) -> str:
        if end >= MOST_LINE_BYTES:
            raise ProbeFailed("size", f"it sends a line of more than {MOST_LINE_BYTES:,} bytes")
        line = self._buffer[:end].removesuffix(b"\r").decode(errors="replace")
        del self._buffer[: end + 1]
        self._looked = 0
        return line


class _Talk:
    def __init__(self, stream: Stream, trial: Trial, tls: TLSOptions, host: str) -> None:
        self._stream = stream
        self._trial = trial
        self._tls = tls
        self._host = host
        self._lines = _Lines(stream)
        self._count_of_lines = 0

    async def take(self, step: QueryStep) -> None:
        """Wait for a line, answer it, begin TLS: what the step has of it, in this order."""
        self._trial.enter(_TALK)
        match = await self._expect(step) if step.expect else None
        text = said(step.send, match, self._trial.around.variables)
        if text:
            await self._stream.write(f"{text}\n".encode())
        if step.start_tls:
            self._lines.forget()
            await self._trial.start_tls(self._stream, self._tls, self._host)
        self._trial.enter("")

    async def _expect(self, step: QueryStep) -> Match:
        last: str | None = None
        while (line := await self._lines.next()) is not None:
            last = line
            await self._count()
            match = find(step.expect, line)
            if match is not None:
                self._trial.tell(_REGEX_FAILED, 0)
                self._tell_labels(step, match)
                return match
        self._trial.tell(_REGEX_FAILED, 1)
        raise not_expected(step.expect, last)

    async def _count(self) -> None:
        self._count_of_lines += 1
        if self._count_of_lines > MOST_PIECES:
            raise ProbeFailed("size", f"it sends more than {MOST_PIECES:,} lines, none of them expected")
        if self._count_of_lines % BREATH == 0:
            await asyncio.sleep(0)

    def _tell_labels(self, step: QueryStep, match: Match) -> None:
        if step.labels:
            # No variables: labels are told to everybody.
            labels = {name: said(value, match, {}) for name, value in step.labels}
            self._trial.tell("probe_expect_info", 1, **labels)
