"""WebSocket as blackbox_exporter probes it: the handshake, then a conversation of messages."""

from typing import Final

from synthetics.probes.adapters.conversations import said
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.http import user_agent
from synthetics.probes.adapters.trials import CONNECT, RESOLVE, TLS, Trial, tried
from synthetics.probes.adapters.websocket_talk import PROCESSING, REGEX_FAILED, STATUS, TRANSFER, UPGRADED, Talk
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import WebSocketModule
from synthetics.probes.urls import URL, parse_url

_WAITED_FOR: Final = {PROCESSING: "the end of the handshake", TRANSFER: "a message"}


async def probe_websocket(module: WebSocketModule, target: str, around: Surroundings) -> Attempt:
    """Shake hands, and talk as the steps say. The target is a `ws://` or `wss://` URL."""
    trial = Trial(around, _WAITED_FOR)
    for name in (STATUS, UPGRADED, REGEX_FAILED):
        trial.tell(name, 0)
    return await tried(trial, lambda: _run(module, target, trial), lambda: _tell_phases(trial))


def _tell_phases(trial: Trial) -> None:
    for phase, parts in (
        (RESOLVE, (RESOLVE,)),
        (CONNECT, (CONNECT,)),
        (PROCESSING, (TLS, PROCESSING)),
        (TRANSFER, (TRANSFER,)),
    ):
        if any(part in trial.seconds for part in parts):
            trial.tell("probe_websocket_duration_seconds", trial.took(*parts), phase=phase)


async def _run(module: WebSocketModule, target: str, trial: Trial) -> None:
    try:
        url = parse_url(target, ("ws", "wss"))
    except ValueError as error:
        raise ProbeFailed("target", f"the target {error}", is_fault=True) from None
    headers = _headers(module, url, trial)
    address = await trial.resolve(url.host, url.port, module.ip_family)
    async with trial.limit("it was talked to"):
        stream = await trial.connect(address)
        try:
            if url.is_secure:
                await trial.start_tls(stream, module.tls, url.host, "http/1.1")
            await Talk(stream, trial, url).run(headers, module.steps)
        finally:
            stream.close()


def _headers(module: WebSocketModule, url: URL, trial: Trial) -> dict[str, str]:
    """What goes beside the handshake's own, by names in lower case."""
    around = trial.around
    headers = {"user-agent": user_agent()}
    if url.credentials:
        headers["authorization"] = url.credentials
    headers |= {name.lower(): said(value, None, around.variables) for name, value in module.headers}
    if around.traceparent:
        headers["traceparent"] = around.traceparent
    if any(character in name + value for name, value in headers.items() for character in "\r\n\0"):
        raise ProbeFailed("request", "a header has characters that HTTP forbids", is_fault=True)
    return headers
