"""grpc.health.v1.Health/Check, spoken over our own connection by h2.

grpcio would do it, too; but it neither shows certificates nor can be told not to check them, and its threads and its
channels outlive a try.
"""

from typing import Final

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.grpc_call import Answer, Call
from synthetics.probes.adapters.trials import CONNECT, RESOLVE, TLS, Trial, tried
from synthetics.probes.addresses import split_host_port
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import GRPCModule

_CHECK: Final = "check"
_WAITED_FOR: Final = {_CHECK: "the health service's answer"}
_SERVING: Final = 1
_STATUSES: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_CODES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
_DEADLINE, _NOT_FOUND, _UNIMPLEMENTED, _UNAVAILABLE = 4, 5, 12, 14


async def probe_grpc(module: GRPCModule, target: str, around: Surroundings) -> Attempt:
    """Ask for the health of a service. The target is `host:port`; without a port it is 80, or 443 with TLS."""
    trial = Trial(around, _WAITED_FOR)
    trial.tell("probe_grpc_ssl", 0)
    trial.tell("probe_grpc_status_code", 0)
    return await tried(trial, lambda: _run(module, target, trial), lambda: _tell_phases(trial))


def _tell_phases(trial: Trial) -> None:
    trial.tell("probe_grpc_duration_seconds", trial.took(RESOLVE), phase=RESOLVE)
    if trial.took(CONNECT):
        trial.tell("probe_grpc_duration_seconds", trial.took(CONNECT, TLS, _CHECK), phase=_CHECK)
    if trial.tls_version:
        trial.tell("probe_grpc_ssl", 1)


async def _run(module: GRPCModule, target: str, trial: Trial) -> None:
    bare = target.removeprefix("http://").removeprefix("https://").rstrip("/")
    try:
        if "/" in bare:
            raise ValueError(f"`{target}` is not host:port")
        host, port = split_host_port(bare, 80 if module.tls is None else 443)
    except ValueError as error:
        raise ProbeFailed("target", str(error), is_fault=True) from None
    address = await trial.resolve(host, port, module.ip_family)
    try:
        async with trial.limit("it was asked"):
            stream = await trial.connect(address)
            try:
                if module.tls is not None:
                    await trial.start_tls(stream, module.tls, host, "h2")
                trial.enter(_CHECK)
                authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                answer = await Call(stream, trial).run(module, authority)
            finally:
                stream.close()
    except ProbeFailed as failed:  # as grpc-go says it, which blackbox_exporter tells
        trial.tell("probe_grpc_status_code", _DEADLINE if failed.reason == "timeout" else _UNAVAILABLE)
        _tell_serving(trial, None)
        raise
    trial.enter("")
    _judge(answer, module, trial)


def _judge(answer: Answer, module: GRPCModule, trial: Trial) -> None:
    trial.tell("probe_grpc_status_code", answer.code)
    serving = answer.serving if answer.code == 0 else None
    _tell_serving(trial, serving)
    service = f"the service `{module.service}`" if module.service else "the server"
    if answer.code == _UNIMPLEMENTED:
        raise ProbeFailed("grpc", "the server has no health service (UNIMPLEMENTED)")
    if answer.code == _NOT_FOUND:
        raise ProbeFailed("grpc", f"the health service does not know {service} (NOT_FOUND)")
    if answer.code:
        name = _CODES[answer.code] if answer.code < len(_CODES) else f"code {answer.code}"
        raise ProbeFailed("grpc", f"the health service says {name}{f': {answer.said}' if answer.said else ''}")
    if serving != _SERVING:
        name = "nothing" if serving is None else _STATUSES[serving] if serving < len(_STATUSES) else str(serving)
        raise ProbeFailed("serving", f"{service} is not serving: {name}")


def _tell_serving(trial: Trial, serving: int | None) -> None:
    for number, name in enumerate(_STATUSES):
        trial.tell("probe_grpc_healthcheck_response", float(number == serving), serving_status=name)
