"""DNS as blackbox_exporter probes it: one question to one server, over UDP, TCP or TLS."""

import asyncio
import socket
from typing import Final

from synthetics.probes.adapters.dns_messages import Answer, Question
from synthetics.probes.adapters.failures import ProbeFailed, connecting_failed
from synthetics.probes.adapters.resolving import Address
from synthetics.probes.adapters.streams import Stream
from synthetics.probes.adapters.trials import CONNECT, RESOLVE, TLS, Trial, tried
from synthetics.probes.addresses import split_host_port
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import DNSModule

_REQUEST: Final = "request"
_WAITED_FOR: Final = {_REQUEST: "the server's answer"}
_PORT: Final = 53
_TLS_PORT: Final = 853
_UDP_MOST: Final = 65_535
_MOST_STRAY: Final = 100  # datagrams that answer another question


async def probe_dns(module: DNSModule, target: str, around: Surroundings) -> Attempt:
    """Ask the server that is the target: `host` or `host:port`."""
    trial = Trial(around, _WAITED_FOR)
    for name in ("probe_dns_answer_rrs", "probe_dns_authority_rrs", "probe_dns_additional_rrs"):
        trial.tell(name, 0)
    trial.tell("probe_dns_query_succeeded", 0)
    return await tried(trial, lambda: _run(module, target, trial), lambda: _tell_phases(trial))


def _tell_phases(trial: Trial) -> None:
    for phase, seconds in (
        (RESOLVE, trial.took(RESOLVE)),
        (CONNECT, trial.took(CONNECT, TLS)),
        (_REQUEST, trial.took(_REQUEST)),
    ):
        trial.tell("probe_dns_duration_seconds", seconds, phase=phase)


async def _run(module: DNSModule, target: str, trial: Trial) -> None:
    try:
        host, port = split_host_port(target, _TLS_PORT if module.transport == "tls" else _PORT)
    except ValueError as error:
        raise ProbeFailed("target", str(error), is_fault=True) from None
    question = Question.of(module)
    address = await trial.resolve(host, port, module.ip_family)
    async with trial.limit("it was asked"):
        if module.transport == "udp":
            answer = await _over_udp(question, address, trial)
        else:
            answer = await _over_stream(question, address, trial, module, host)
    trial.enter("")
    answer.tell(trial)
    answer.judge(module)


# --- over UDP ---


async def _over_udp(question: Question, address: Address, trial: Trial) -> Answer:
    """The answer to our question; what does not belong to it is passed over, as resolvers do."""
    trial.enter(CONNECT)
    made = _connected(address)
    try:
        trial.enter(_REQUEST)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(made, question.wire)
        for stray in range(_MOST_STRAY):
            wire = await loop.sock_recv(made, _UDP_MOST)
            if question.is_meant_by(wire):
                return question.answered_by(wire)
            if not stray:
                trial.notes.append("a datagram came that answers another question")
        raise ProbeFailed("protocol", f"{_MOST_STRAY:,} datagrams came, none of which answers the question")
    except ConnectionRefusedError:
        raise ProbeFailed("connect", f"{address} refuses datagrams") from None
    finally:
        made.close()


def _connected(address: Address) -> socket.socket:
    """Connected, so that only the server's own datagrams come in."""
    try:
        made = socket.socket(address.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError as error:
        raise connecting_failed(error, str(address)) from None
    try:
        made.connect((address.ip, address.port))
    except OSError as error:
        made.close()
        raise connecting_failed(error, str(address)) from None
    return made


# --- over TCP and TLS ---


async def _over_stream(question: Question, address: Address, trial: Trial, module: DNSModule, host: str) -> Answer:
    stream = await trial.connect(address)
    try:
        if module.transport == "tls":
            await trial.start_tls(stream, module.tls, host, "dot")
        trial.enter(_REQUEST)
        await stream.write(len(question.wire).to_bytes(2) + question.wire)
        answer = await _exactly(stream, int.from_bytes(await _exactly(stream, 2)))
    finally:
        stream.close()
    if not question.is_meant_by(answer):
        raise ProbeFailed("protocol", "the answer has another id than the question")
    return question.answered_by(answer)


async def _exactly(stream: Stream, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = await stream.read(count - len(found))
        if not more:
            raise ProbeFailed("protocol", "the server closed the connection before the end of its answer")
        found += more
    return found
