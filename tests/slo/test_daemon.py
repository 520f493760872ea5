"""Applying rules to a real Prometheus: what runs afterwards, whatever went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane import conventions
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.event import Event
from controlplane.ports import LoadedGroup, Transient
from flyball.demo import servers
from slo.apply import id_of
from slo.daemon import VERIFY_EVERY, ApplyState
from slo.generation import is_whole
from tests.slo.applying import Bench, rules

GOOD = rules("vector(1)", "checkout", "search")
BETTER = rules("vector(2)", "checkout", "search", "pay")
REFUSED = rules("vector(", "checkout", "search")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[str(tmp_path / "rules/current/*.yaml")]) as server:
        yield Bench(tmp_path / "rules", server.url)


def test_rules_run_once_they_are_applied(bench: Bench) -> None:
    bench.workspace.edit(GOOD)
    outcome = bench.turn()
    assert (outcome.state, outcome.groups, outcome.rules, outcome.reason) == (ApplyState.APPLIED, 2, 2, "")
    assert bench.loaded() == {"test:checkout": "vector(1)", "test:search": "vector(1)"}
    assert bench.journal.kinds == [conventions.EVENT_RULES_APPLIED]


def test_a_second_run_changes_nothing_even_in_a_new_process(bench: Bench) -> None:
    bench.turn()
    assert bench.turn().state is ApplyState.UNCHANGED
    bench.restart()
    assert bench.turn().state is ApplyState.UNCHANGED
    assert bench.journal.kinds == [conventions.EVENT_RULES_APPLIED]


def test_an_edit_runs_after_two_turns_and_keeps_the_state_of_groups_that_stay(bench: Bench) -> None:
    bench.turn()
    bench.workspace.edit(BETTER)
    assert bench.turn().state is ApplyState.UNCHANGED, "the file may be half saved"
    assert bench.turn().state is ApplyState.APPLIED
    assert bench.loaded() == {"test:checkout": "vector(2)", "test:search": "vector(2)", "test:pay": "vector(2)"}
    bench.workspace.edit(GOOD)
    bench.turn(2)
    assert "test:pay" not in bench.loaded()


def test_files_that_change_at_every_turn_are_used_all_the_same(bench: Bench) -> None:
    bench.turn()
    states = []
    for _ in range(4):
        bench.workspace.edit(BETTER)
        states.append(bench.turn().state)
    assert states == [ApplyState.UNCHANGED] * 3 + [ApplyState.APPLIED]


def test_a_broken_edit_is_told_once_and_changes_nothing(bench: Bench) -> None:
    bench.turn()
    before = (bench.loaded(), sorted(bench.folder.rglob("*")))
    bench.workspace.edit(BETTER, mistake="unknown field")
    states = [bench.turn().state for _ in range(4)]
    assert states == [ApplyState.UNCHANGED, ApplyState.REJECTED, ApplyState.UNCHANGED, ApplyState.UNCHANGED]
    assert [problem.message for problem in bench.turn().problems] == ["unknown field"]
    assert (bench.loaded(), sorted(bench.folder.rglob("*"))) == before
    bench.workspace.edit(mistake="unknown field")
    bench.turn(2)
    assert bench.journal.kinds == [conventions.EVENT_RULES_APPLIED, conventions.EVENT_RULES_REJECTED]


def test_rules_that_prometheus_refuses_are_rolled_back_and_the_old_ones_run(bench: Bench) -> None:
    bench.workspace.edit(GOOD)
    bench.turn()
    bench.workspace.edit(REFUSED)
    outcome = bench.turn(2)
    assert (outcome.state, outcome.restored, outcome.groups) == (ApplyState.ROLLED_BACK, True, 2)
    assert outcome.reason.startswith("failed to reload config")
    assert bench.loaded() == {"test:checkout": "vector(1)", "test:search": "vector(1)"}
    assert bench.turn().state is ApplyState.UNCHANGED, "the same rules are not tried at every turn"
    assert bench.turn().reason == outcome.reason
    bench.workspace.edit(BETTER)
    assert bench.turn(2).state is ApplyState.APPLIED
    kinds = [conventions.EVENT_RULES_APPLIED, conventions.EVENT_RULES_REJECTED, conventions.EVENT_RULES_APPLIED]
    assert bench.journal.kinds == kinds


def test_a_refused_first_apply_leaves_a_prometheus_that_reloads(bench: Bench) -> None:
    bench.workspace.edit(REFUSED)
    outcome = bench.turn()
    assert (outcome.state, outcome.restored, outcome.groups) == (ApplyState.ROLLED_BACK, True, 0)
    bench.backend.reload()
    assert bench.loaded() == {}


def test_a_prometheus_that_reads_another_folder_is_said_so(tmp_path: Path) -> None:
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[str(tmp_path / "elsewhere/*.yaml")]) as server:
        outcome = Bench(tmp_path / "rules", server.url).turn()
    assert (outcome.state, outcome.restored) == (ApplyState.ROLLED_BACK, False)
    assert str(tmp_path / "rules/current/*.yaml") in outcome.reason


def test_without_the_lifecycle_interface_the_flag_is_named(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(f"rule_files: [{tmp_path}/rules/current/*.yaml]\n")
    url = f"http://{servers.LOOPBACK}:{servers.free_port()}"
    command = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
    ]
    ready = lambda: servers.answers(f"{url}/-/ready")  # noqa: E731
    with servers.running("Prometheus", command, url=url, ready=ready, log=tmp_path / "log"):
        outcome = Bench(tmp_path / "rules", url).turn()
    assert outcome.state is ApplyState.ROLLED_BACK
    assert "--web.enable-lifecycle" in outcome.reason


def test_while_prometheus_is_down_nothing_is_touched_and_the_next_turn_after_it_is_back_applies(tmp_path: Path) -> None:
    globs = [str(tmp_path / "rules/current/*.yaml")]
    port = servers.free_port()
    bench = Bench(tmp_path / "rules", f"http://{servers.LOOPBACK}:{port}")
    with servers.prometheus(tmp_path / "prometheus", rule_globs=globs, port=port):
        bench.turn()
    current = bench.daemon.folder.current()
    bench.workspace.edit(BETTER)
    outcome = bench.turn(2)
    assert (outcome.state, outcome.may_pass) == (ApplyState.UNREACHABLE, True)
    assert bench.turn().state is ApplyState.UNREACHABLE, "every turn tries again"
    assert bench.daemon.folder.current() == current
    with servers.prometheus(tmp_path / "prometheus", rule_globs=globs, port=port):
        assert bench.turn().state is ApplyState.APPLIED
        assert bench.loaded()["test:checkout"] == "vector(2)"


def test_a_prometheus_that_dies_while_reloading_gets_its_old_files_back(bench: Bench) -> None:
    bench.turn()
    good = bench.daemon.folder.current()

    class Dying:
        """The real one until it is told to reload."""

        ensure_answering = bench.backend.ensure_answering
        loaded_groups = bench.backend.loaded_groups

        def reload(self) -> None:
            raise Transient("connection reset")

    bench.workspace.edit(BETTER)
    bench.restart()
    bench.daemon = replace(bench.daemon, engine=Dying())
    outcome = bench.turn()
    assert (outcome.state, outcome.may_pass, outcome.restored) == (ApplyState.ROLLED_BACK, True, False)
    assert bench.daemon.folder.current() == good
    bench.daemon = replace(bench.daemon, engine=bench.backend)
    assert bench.turn().state is ApplyState.APPLIED, "the next turn tries again"


def test_an_edit_reads_what_runs_only_once_it_is_loaded(bench: Bench) -> None:
    bench.workspace.edit(GOOD)
    bench.turn()
    calls = list[str]()

    class Counting:
        """The real one, whose calls are written down."""

        def ensure_answering(self) -> None:
            calls.append("ensure_answering")
            bench.backend.ensure_answering()

        def reload(self) -> None:
            calls.append("reload")
            bench.backend.reload()

        def loaded_groups(self) -> list[LoadedGroup]:
            calls.append("loaded_groups")
            return bench.backend.loaded_groups()

    bench.workspace.edit(BETTER)
    bench.restart()
    bench.daemon = replace(bench.daemon, engine=Counting())
    assert bench.turn().state is ApplyState.APPLIED
    assert calls == ["ensure_answering", "reload", "loaded_groups"]


@pytest.mark.parametrize("damage", ["edited", "added", "removed", "relinked", "unlinked", "not loaded"])
def test_what_somebody_changed_by_hand_is_mended(bench: Bench, damage: str) -> None:
    bench.workspace.edit(GOOD)
    bench.turn()
    current = bench.folder / "current"
    match damage:
        case "edited":
            path = current / "search.yaml"
            path.write_text(path.read_text().replace("vector(1)", "vector(9)"))
        case "added":
            (current / "own.yaml").write_text("groups: []\n")
        case "removed":
            (current / "search.yaml").unlink()
        case "relinked":
            current.unlink()
            current.symlink_to(bench.folder)
        case "unlinked":
            current.unlink()
        case "not loaded":
            copy = current.readlink()
            current.unlink()
            bench.backend.reload()
            current.symlink_to(copy)
    if damage != "not loaded":
        bench.backend.reload()
    states = [bench.turn().state for _ in range(int(VERIFY_EVERY / timedelta(seconds=2)) + 1)]
    assert states.count(ApplyState.APPLIED) == 1
    assert bench.loaded() == {"test:checkout": "vector(1)", "test:search": "vector(1)"}
    live = str(bench.daemon.folder.current())
    assert is_whole(id_of(live), bench.daemon.folder.read(live))


def test_a_rule_that_was_loaded_from_an_edit_since_undone_is_mended(bench: Bench) -> None:
    bench.turn()
    bench.turn()
    path = bench.folder / "current/checkout.yaml"
    text = path.read_text()
    path.write_text(text.replace("vector(1)", "vector(9)"))
    bench.backend.reload()
    path.write_text(text)
    assert bench.loaded() == {"test:checkout": "vector(9)"}
    bench.turn(int(VERIFY_EVERY / timedelta(seconds=2)) + 1)
    assert bench.loaded() == {"test:checkout": "vector(1)"}


def test_a_broken_edit_that_could_not_be_told_at_first_is_told_later(bench: Bench) -> None:
    bench.turn()
    bench.workspace.edit(BETTER, mistake="unknown field")
    bench.turn()
    impatient = RuleFolderOnDisk(bench.folder, patience_seconds=0)
    bench.daemon = replace(bench.daemon, folder=impatient)
    with RuleFolderOnDisk(bench.folder).exclusive(), pytest.raises(Transient):
        bench.turn()
    assert bench.turn().state is ApplyState.REJECTED


def test_the_same_mistake_made_again_is_another_rejection_but_one_event(bench: Bench) -> None:
    for _ in range(2):
        bench.workspace.edit(GOOD)
        bench.turn(2)
        bench.workspace.edit(mistake="unknown field")
        assert bench.turn(2).state is ApplyState.REJECTED
    assert bench.journal.kinds == [conventions.EVENT_RULES_APPLIED, conventions.EVENT_RULES_REJECTED]


def test_a_broken_edit_does_not_stop_the_good_rules_from_being_mended(bench: Bench) -> None:
    bench.turn()
    bench.workspace.edit(mistake="unknown field")
    bench.turn(2)
    (bench.folder / "current").unlink()
    bench.backend.reload()
    assert bench.loaded() == {}
    bench.turn()
    assert bench.loaded() == {"test:checkout": "vector(1)"}


def test_a_generation_that_crashed_before_it_was_good_gives_way_to_the_last_good_one(bench: Bench) -> None:
    bench.turn()
    folder = RuleFolderOnDisk(bench.folder)
    good = folder.current()
    other = Bench(bench.folder, bench.url)
    other.workspace.edit(BETTER)
    other.turn()
    folder.mark_good(str(good))
    bench.workspace.edit(mistake="unknown field")
    bench.restart()
    assert bench.turn().state is ApplyState.REJECTED
    assert folder.current() == good
    assert bench.loaded() == {"test:checkout": "vector(1)"}


def test_two_processes_do_not_apply_at_once(bench: Bench) -> None:
    with RuleFolderOnDisk(bench.folder).exclusive(), pytest.raises(Transient, match="another process"):
        RuleFolderOnDisk(bench.folder, patience_seconds=0).exclusive().__enter__()
    assert bench.turn().state is ApplyState.APPLIED


def test_a_journal_that_fails_leaves_the_rules_unmarked_and_the_next_turn_finishes(bench: Bench) -> None:
    class Locked:
        """A store that is busy."""

        def write(self, event: Event) -> bool:
            raise Transient("database is locked")

    bench.daemon = replace(bench.daemon, journal=Locked())
    with pytest.raises(Transient):
        bench.turn()
    assert bench.daemon.folder.last_good() is None
    bench.daemon = replace(bench.daemon, journal=bench.journal)
    assert bench.turn().state is ApplyState.APPLIED
    assert len(bench.journal.events) == 1
