"""TLS: a handshake, and what its certificates say."""

from synthetics.probes.adapters.tcp import host_and_port
from synthetics.probes.adapters.trials import Trial, tried
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import TLSModule


async def probe_tls(module: TLSModule, target: str, around: Surroundings) -> Attempt:
    """Shake hands. The target is `host:port`."""
    trial = Trial(around, {})
    return await tried(trial, lambda: _run(module, target, trial))


async def _run(module: TLSModule, target: str, trial: Trial) -> None:
    host, port = host_and_port(target)
    address = await trial.resolve(host, port, module.ip_family)
    async with trial.limit("hands were shaken"):
        stream = await trial.connect(address)
        try:
            await trial.start_tls(stream, module.tls, host)
        finally:
            stream.close()
