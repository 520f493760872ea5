"""kill -9 between any two steps of applying: disk and Prometheus hold one whole generation, never a mixture."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.rule import RuleFile
from controlplane.ports import LoadedGroup
from flyball.demo import servers
from slo.apply import id_of
from slo.daemon import ApplyState
from slo.generation import difference, generation_of, is_whole, live_groups
from tests.slo.applying import Bench, rules, to_yaml

_DISK_EVENTS = ("open", "os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")
_NAMES = ("checkout", "search")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[str(tmp_path / "rules/current/*.yaml")]) as server:
        yield Bench(tmp_path / "rules", server.url)


class _DyingEngine:
    """Prometheus, with a step before and after each call."""

    def __init__(self, url: str, step: Callable[[], None]) -> None:
        self._backend = PrometheusBackend(url, timeout_seconds=10)
        self._step = step

    def reload(self) -> None:
        self._step()
        self._backend.reload()
        self._step()

    def ensure_answering(self) -> None:
        self._step()
        self._backend.ensure_answering()

    def loaded_groups(self) -> list[LoadedGroup]:
        self._step()
        return self._backend.loaded_groups()


def _apply_and_die(bench: Bench, steps: int) -> bool:
    """Apply in a child that kills itself at step number `steps`; whether it died of that."""
    child = os.fork()
    if child == 0:
        try:
            _run_child(bench, steps)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _run_child(bench: Bench, steps: int) -> None:
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in _DISK_EVENTS and str(bench.folder) in str(arguments):
            step()

    sys.addaudithook(watch)
    bench.daemon = replace(bench.daemon, engine=_DyingEngine(bench.url, step))
    bench.daemon.run_once(next(bench.times))


def _whole(bench: Bench, promtool: str, *possible: tuple[RuleFile, ...]) -> None:
    """What `current` points to is one of the possible generations; so is what anybody's reload makes Prometheus run."""
    folder = RuleFolderOnDisk(bench.folder)
    copy = folder.current()
    if copy is None:
        assert bench.loaded() == {}
        return
    assert is_whole(id_of(copy), folder.read(copy))
    subprocess.run([promtool, "check", "rules", *(bench.folder / "current").iterdir()], check=True, capture_output=True)
    bench.backend.reload()
    loaded = bench.backend.loaded_groups()
    running = [
        files
        for files in possible
        if (live := live_groups(generation_of(files, to_yaml).id, loaded)) and not difference(files, live)
    ]
    assert len(running) == 1
    assert len(set(bench.loaded().values())) == 1


def test_a_kill_at_any_step_leaves_one_whole_generation_and_the_next_run_converges(bench: Bench, promtool: str) -> None:
    old: tuple[RuleFile, ...] = ()
    for steps in range(1, 200):
        new = rules(f"vector({steps})", *_NAMES)
        bench.workspace.edit(new)
        bench.restart()
        died = _apply_and_die(bench, steps)
        _whole(bench, promtool, old, new)
        bench.restart()
        state = bench.turn().state
        assert state in (ApplyState.APPLIED, ApplyState.UNCHANGED)
        assert set(bench.loaded().values()) == {f"vector({steps})"}
        left_over = [path for path in (bench.folder / ".generations").iterdir() if path.name.startswith(".")]
        assert state is ApplyState.UNCHANGED or left_over == []
        old = new
        if not died:
            assert steps > 20, "the steps are no longer seen"
            return
    pytest.fail("applying has no end")


def test_a_kill_at_any_step_of_a_refusal_ends_with_the_last_good_rules(bench: Bench) -> None:
    bench.workspace.edit(rules("vector(1)", *_NAMES))
    bench.turn()
    for steps in range(1, 200):
        bench.workspace.edit(rules(f"vector({steps}", *_NAMES))
        bench.restart()
        died = _apply_and_die(bench, steps)
        bench.restart()
        outcome = bench.turn()
        assert (outcome.state, outcome.restored, outcome.groups) == (ApplyState.ROLLED_BACK, True, 2)
        assert set(bench.loaded().values()) == {"vector(1)"}
        if not died:
            assert steps > 20, "the steps are no longer seen"
            return
    pytest.fail("applying has no end")
