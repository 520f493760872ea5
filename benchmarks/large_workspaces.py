"""`flyball apply` of 1,000 SLOs on a real Prometheus, and the daemon's turn after an edit of one SLO in 10,000."""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from benchmarks.command_line import A_FILE, FLYBALL, took, write_workspace
from benchmarks.report import Figure, progress, show
from controlplane.model.generation import Generation
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from flyball.remembered_rules import RememberedTexts
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from slo.generation import generation_of

APPLIED: Final = 1_000  # the most that get rules of their own by default: 25,000 rules
EDITED: Final = 10_000
EDIT_LIMIT_SECONDS: Final = 1
_RELOAD_SECONDS: Final = 300


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("Large workspaces: applying and editing them", [*_applying(folder / "applied"), *_editing(folder)])


def _applying(folder: Path) -> list[Figure]:
    folder.mkdir()
    workspace, rules = folder / "workspace", folder / "rules"
    write_workspace(workspace, APPLIED)
    with servers.prometheus(folder / "prometheus", rule_globs=[str(rules / "current" / "*.yaml")]) as engine:
        command = [FLYBALL, "apply", str(workspace), "--prometheus", engine.url, "--rules-directory", str(rules)]
        progress(f"applying {APPLIED:,} SLOs")
        first, of_ours = took(command)
        again, of_ours_again = took(command)
        began = time.perf_counter()
        httpx.post(f"{engine.url}/-/reload", timeout=_RELOAD_SECONDS).raise_for_status()
        reload = time.perf_counter() - began
    return [
        Figure(f"flyball apply, {APPLIED} SLOs", first, "s", 10, detail=f"{of_ours:.1f} s of processor time of ours"),
        Figure("… nothing to do", again, "s", 10, detail=f"{of_ours_again:.1f} s of processor time of ours"),
        Figure("… one reload of that Prometheus, for comparison", reload, "s"),
    ]


def _editing(folder: Path) -> list[Figure]:
    source = folder / "edited"
    write_workspace(source, EDITED)
    workspace, texts = SLOWorkspace(source, CompileOptions()), RememberedTexts(to_yaml)

    def turn() -> Generation:
        workspace.fingerprint()
        return generation_of(workspace.compile().files, texts)

    progress(f"reading {EDITED:,} SLOs")
    before, seconds_of_first = _timed(turn)
    edited = source / f"slos-{EDITED // 2:05d}.yaml"
    edited.write_text("# an edit\n" + edited.read_text().replace("target: 0.999", "target: 0.99", 1))
    after, seconds = _timed(turn)
    if after == before:
        raise RuntimeError("the edit was not seen")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    what = f"one of {EDITED} SLOs edited, {A_FILE} in its file"
    return [
        Figure(what, seconds, "s", EDIT_LIMIT_SECONDS, detail="processor time until Prometheus is asked"),
        Figure("… at the start, everything read", seconds_of_first, "s", detail="processor time"),
        Figure("… memory of the process", memory, "GiB", 1),
    ]


def _timed(turn: Callable[[], Generation]) -> tuple[Generation, float]:
    began = time.process_time()
    return turn(), time.process_time() - began
