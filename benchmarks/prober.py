"""A prober: 1,000 HTTP probes every 30 seconds from one process, half of them over TLS, results kept on file.

    python -m benchmarks prober

The targets are in another process, and neither is alone on this machine: the load average is told with the figures.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.probe_parity import targets
from benchmarks.prober_process import Measured, Task
from benchmarks.report import Figure, progress, show

PROBES: Final = 1000
EVERY_SECONDS: Final = 30.0
SECONDS: Final = 60.0  # after a first round
JITTER_LIMIT_SECONDS: Final = 1.0
PROCESSOR_LIMIT: Final = 50.0
MEMORY_LIMIT_MIB: Final = 300.0


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        ca = Path(name) / "ca.pem"
        with targets(ca) as ports:
            task = Task(
                plain=f"http://localhost:{ports['http']}/",
                secure=f"https://localhost:{ports['https']}/",
                ca_file=str(ca),
                folder=name,
                probes=PROBES,
                every_seconds=EVERY_SECONDS,
                seconds=SECONDS,
                secure_one_in=2,
            )
            progress(f"{PROBES:,} probes every {EVERY_SECONDS:g} s for {EVERY_SECONDS + SECONDS:g} s")
            show("Prober: many probes in one process", _figures(_measured(task)))


def _measured(task: Task) -> Measured:
    command = [sys.executable, "-m", "benchmarks.prober_process", json.dumps(asdict(task))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout))


def _figures(measured: Measured) -> list[Figure]:
    delays = sorted(measured.delays)
    load = f"load average {os.getloadavg()[0]:.2f}"
    failed = sum(count for outcome, count in measured.outcomes.items() if outcome != "ok")
    return [
        Figure("start jitter, p50", median(delays) * 1000, "ms", detail=f"{len(delays):,} runs; {load}"),
        Figure("start jitter, p99", delays[int(len(delays) * 0.99)] * 1000, "ms", JITTER_LIMIT_SECONDS * 1000),
        Figure("start jitter, most", delays[-1] * 1000, "ms"),
        Figure("processor", measured.processor * 100, "% of one", PROCESSOR_LIMIT),
        Figure("memory, peak", measured.peak_mib, "MiB", MEMORY_LIMIT_MIB),
        Figure("a probe's own time, p99", measured.latency_p99 * 1000, "ms"),
        Figure("turns taken", len(delays) / (PROBES * SECONDS / EVERY_SECONDS) * 100, "%", 99, at_most=False),
        Figure("runs that were not ok", failed, "runs", 0),
    ]
