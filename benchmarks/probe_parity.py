"""Our HTTP probe beside Debian's blackbox_exporter on the same targets, phase by phase, turn and turn about.

    python -m benchmarks.probe_parity

The issue's limit: each phase's median within 2 % or 1 ms of theirs. The last figures are what a probe costs us. The
machine must be quiet: the target runs on it, too, and where three processes want two cores it is the scheduler that
is measured (of "1 MiB, TLS" the target encrypts in one go while we wait for its first byte).
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from benchmarks.report import Figure, progress, show
from controlplane.model.check import Outcome
from controlplane.model.source import SourcePosition
from synthetics.probes.adapters.http import PHASES
from synthetics.probes.model import Probe
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule, TLSOptions
from synthetics.probes.running import Place, run_probe

TRIES: Final = 200
SLOW_TRIES: Final = 100  # 100 ms each, of both
SETTLE_SECONDS: Final = 0.005  # in which the target is done with the connection before
WITHIN_SECONDS: Final = 0.001
WITHIN_RATIO: Final = 0.02
COST_TRIES: Final = 500
COST_AT_ONCE: Final = 10
COST_LIMIT_MS: Final = 15.0  # 1,000 probes in 30 s with half a core
TARGETS: Final = (
    ("HTTP", "http", "/", TRIES),
    ("TLS", "https", "/", TRIES),
    ("a redirect", "http", "/moved", TRIES),
    ("1 MiB", "http", "/large", TRIES),
    ("1 MiB, TLS", "https", "/large", TRIES),
    ("50 ms each", "http", "/slow", SLOW_TRIES),
)
_CONFIG: Final = "modules: {{http_2xx: {{prober: http, http: {{tls_config: {{ca_file: {ca}}}}}}}}}\n"
_PLACE: Final = Place("local", os.urandom)
Phases = Mapping[str, float]


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        ca = Path(name) / "ca.pem"
        with targets(ca) as ports, blackbox(Path(name), ca) as url:
            figures = asyncio.run(_compared(ports, ca, url))
            figures += asyncio.run(_costs(ports, ca))
    show("Probe parity: our HTTP probe beside blackbox_exporter", figures)


async def _compared(ports: Mapping[str, int], ca: Path, url: str) -> list[Figure]:
    figures = []
    async with httpx.AsyncClient() as client:
        for title, scheme, path, tries in TARGETS:
            progress(f"{title}: {tries} tries each")
            target = f"{scheme}://localhost:{ports[scheme]}{path}"
            ours, theirs = [], []
            for number in range(tries + 5):
                turns = (_ours(target, ca, ours), _theirs(client, url, target, theirs))
                for turn in turns if number % 2 else reversed(turns):
                    await asyncio.sleep(SETTLE_SECONDS)
                    await turn
            figures += _figures(title, ours[5:], theirs[5:])
    return figures


async def _ours(target: str, ca: Path, found: list[Phases]) -> None:
    result = (await run_probe(_probe(target, ca), _PLACE, datetime.now(UTC))).result
    assert result.outcome is Outcome.OK, result.detail
    found.append({**dict.fromkeys(PHASES, 0.0), **{timing.name: timing.seconds for timing in result.timings}})


async def _theirs(client: httpx.AsyncClient, url: str, target: str, found: list[Phases]) -> None:
    text = (await client.get(url, params={"target": target, "module": "http_2xx"})).text
    assert "\nprobe_success 1\n" in text, text
    marker = 'probe_http_duration_seconds{phase="'
    lines = [line.removeprefix(marker) for line in text.splitlines() if line.startswith(marker)]
    found.append({phase: float(value) for phase, _, value in (line.partition('"} ') for line in lines)})


def _figures(title: str, ours: list[Phases], theirs: list[Phases]) -> list[Figure]:
    figures = []
    for phase in PHASES:
        mine, other = (median(one[phase] for one in all_) for all_ in (ours, theirs))
        if not mine and not other:
            continue
        limit = max(WITHIN_SECONDS, WITHIN_RATIO * other) * 1000
        detail = f"ours {mine * 1000:.3f} ms, theirs {other * 1000:.3f} ms"
        relative = f", {(mine - other) / other:+.1%}" if other else ""
        figures.append(Figure(f"{title}: {phase}", abs(mine - other) * 1000, "ms", limit, detail=detail + relative))
    return figures


async def _costs(ports: Mapping[str, int], ca: Path) -> list[Figure]:
    figures = []
    for title, scheme in (("HTTP", "http"), ("TLS", "https")):
        probe = _probe(f"{scheme}://localhost:{ports[scheme]}/", ca)
        before = time.process_time()
        for _ in range(COST_TRIES // COST_AT_ONCE):
            runs = (run_probe(probe, _PLACE, datetime.now(UTC)) for _ in range(COST_AT_ONCE))
            assert all(run.result.outcome is Outcome.OK for run in await asyncio.gather(*runs))
        spent = (time.process_time() - before) / COST_TRIES * 1000
        figures.append(Figure(f"processor time of a probe, {title}", spent, "ms", COST_LIMIT_MS))
    return figures


def _probe(target: str, ca: Path) -> Probe:
    assertions = (
        Assertion(AssertionKind.STATUS, statuses=("200",)),
        Assertion(AssertionKind.HEADER, name="content-type", matches="^text/plain"),
        Assertion(AssertionKind.LATENCY, at_most=timedelta(seconds=5)),
    )
    module = HTTPModule(tls=TLSOptions(ca_file=str(ca)))
    return Probe("it", target, module, SourcePosition("benchmark", 1, 1), assertions)


@contextmanager
def targets(ca: Path) -> Iterator[Mapping[str, int]]:
    """The servers of `benchmarks.probe_targets`; their ports by scheme."""
    command = [sys.executable, "-m", "benchmarks.probe_targets", str(ca)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


@contextmanager
def blackbox(folder: Path, ca: Path) -> Iterator[str]:
    """Debian's blackbox_exporter; the address of its /probe."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "blackbox.yml"
    config.write_text(_CONFIG.format(ca=ca))
    command = ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        for _ in range(500):
            try:
                httpx.get(f"http://{address}/-/healthy")
                break
            except httpx.TransportError:
                time.sleep(0.01)
        yield f"http://{address}/probe"
        process.terminate()


if __name__ == "__main__":
    run()
