"""Backfill: how long 30 days of 50 SLOs take on the demo's data, by each way, and how much memory."""

import io
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.month import DAYS
from benchmarks.report import Figure, progress, show
from benchmarks.slo_replay import SLOS, fifty
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.slo import SLO
from flyball.backfilling.run import Done, Method, Order, Servers
from flyball.backfilling.run import run as backfill
from flyball.demo import servers
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.history import write_history
from flyball.demo.platform.simulation import Simulation
from flyball.demo.run import example_workspace
from flyball.demo.steps import PlainSteps
from flyball.slo_workspace import SLOWorkspace
from slo.backfill.survey import Stretch
from slo.compiler import CompileOptions

_SEED: Final = 1
_LIMIT_SECONDS: Final = 60  # of processor time: the machine may be shared
_LIMIT_GIB: Final = 0.5
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


def run() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers.prometheus(Path(name) / "demo", out_of_order="40d", block_duration="60d") as server,
        servers.prometheus(Path(name) / "young") as young,
    ):
        end = int(time.time()) // 60
        simulation = Simulation(INTELGRAPH, seed=_SEED, start=end - DAYS * 1440, seam=end)
        with RemoteWriter(server.url, timeout_seconds=600) as writer:
            write_history(simulation, writer.send, lambda share: None)
        progress(f"{DAYS} days written")
        slos = fifty(SLOWorkspace(example_workspace(), CompileOptions()).compile().slos)
        until = datetime.fromtimestamp(end * 60, UTC)
        show("Backfill: thirty days", _measured(slos, until, server, young, Path(name)))


def _measured(
    slos: Sequence[SLO], until: datetime, server: servers.Server, young: servers.Server, folder: Path
) -> list[Figure]:
    order = Order(slos, Stretch(until - timedelta(days=DAYS), until, until))
    measured, empty = (PrometheusBackend(each.url, timeout_seconds=120) for each in (server, young))
    elsewhere, here = Servers(measured, empty, young.url), Servers(measured, measured, server.url)
    as_blocks = replace(order, method=Method.BLOCKS, out=folder / "blocks")
    blocks, *figures = _took("as blocks", as_blocks, elsewhere, server)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    first, *of_first = _took("by remote write", order, here, server)
    _, *of_again = _took("a second time", order, here, server)
    measured.close()
    empty.close()
    return [
        *figures,
        Figure("… blocks", len(blocks.blocks), ""),
        *of_first,
        *of_again,
        Figure("least share of the time measured", 100 * min(one.coverage for one in first.filled), "%"),
        Figure("largest size of the process, the simulation included", memory, "GiB", _LIMIT_GIB),
    ]


def _took(way: str, order: Order, asked: Servers, server: servers.Server) -> tuple[Done, Figure, Figure]:
    began, processor = time.monotonic(), _processor_seconds(server)
    done = backfill(order, asked, PlainSteps(io.StringIO()))
    detail = f"{sum(one.samples for one in done.filled):,} samples; {os.getloadavg()[0]:.0f} processes wanted the cores"
    return (
        done,
        Figure(f"{SLOS} SLOs {way}", time.monotonic() - began, "s", detail=detail),
        Figure("… processor time, ours and Prometheus'", _processor_seconds(server) - processor, "s", _LIMIT_SECONDS),
    )


def _processor_seconds(server: servers.Server) -> float:
    """Of this process, those that it started and ended, and the server."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    ours = os.times()
    mine = ours.user + ours.system + ours.children_user + ours.children_system
    return mine + (int(stat[11]) + int(stat[12])) / _TICKS_A_SECOND
