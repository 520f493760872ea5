"""`flyball plan` as people and CI run it, against what a real Prometheus runs."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import flyball.cli.commands  # noqa: F401 -- registers them
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from flyball.cli import app
from flyball.demo import servers
from tests.contracts.fake_ruler import fake_ruler
from tests.flyball.test_apply import SLO


@dataclass
class Stage:
    """A workspace, its rules directory, and a Prometheus that reads it."""

    workspace: Path
    rules: Path
    url: str

    def write(self, text: str, name: str = "checkout.yaml") -> None:
        (self.workspace / name).write_text(text)

    def run(self, command: str, *options: str) -> Result:
        main = [command, str(self.workspace), f"--rules-directory={self.rules}"]
        return CliRunner().invoke(app, [*main, *options], env={"XDG_CACHE_HOME": str(self.rules.parent / "cache")})

    def plan(self, *options: str) -> Result:
        return self.run("plan", f"--prometheus={self.url}", *options)

    def answer(self, *options: str) -> Any:
        return json.loads(self.plan("--json", *options).stdout)

    def apply(self, *options: str) -> Result:
        done = self.run("apply", f"--prometheus={self.url}", *options)
        assert done.exit_code == 0, done.output
        return done


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("prometheus")
    globs = [str(folder / "rules/current/*.yaml")]
    with servers.prometheus(folder / "engine", rule_globs=globs, out_of_order="40d", block_duration="31d") as server:
        yield server.url, folder / "rules"


@pytest.fixture
def stage(tmp_path: Path, prometheus: tuple[str, Path]) -> Stage:
    url, rules = prometheus
    shutil.rmtree(rules, ignore_errors=True)
    (tmp_path / "workspace").mkdir()
    stage = Stage(tmp_path / "workspace", rules, url)
    stage.write(SLO)
    return stage


def test_before_the_first_apply_everything_is_added_and_after_it_nothing_differs(stage: Stage) -> None:
    first = stage.plan()
    assert first.exit_code == 2
    assert first.stdout.startswith("+ checkout-availability  checkout  ")
    assert "a page needs 1.44 % errors over 1 h" in first.stdout
    assert not stage.rules.exists()
    stage.apply()
    again = stage.plan()
    assert (again.exit_code, again.stdout) == (0, "No difference: what the files say was applied.\n")


def test_an_objective_is_told_in_words_of_whom_it_wakes_up(stage: Stage) -> None:
    stage.apply()
    stage.write(SLO.replace("0.999", "0.995"))
    done = stage.plan()
    assert done.exit_code == 2
    for words in (
        "~ checkout-availability  checkout  ",
        "objective 99.9 % → 99.5 %",
        "a page now needs 7.2 % errors over 1 h, was 1.44 %",
        "a ticket now needs 0.5 % errors over 3 d, was 0.1 %",
        "1 to change; 0 unchanged.",
        "Rules ±0, series ±0, samples read per minute ±0.",
    ):
        assert words in done.stdout
    assert max(map(len, done.stdout.replace(str(stage.workspace), "").splitlines())) <= 80
    assert stage.plan().stdout == done.stdout  # a plan changes nothing


def test_added_and_removed_slos_are_counted_with_their_rules_and_series(stage: Stage) -> None:
    stage.apply()
    stage.write(SLO.replace("checkout", "search"), "search.yaml")
    answer = stage.answer()
    assert [(slo["action"], slo["name"]) for slo in answer["slos"]] == [("added", "search-availability")]
    live = stage.apply("--json")
    loaded = json.loads(live.stdout)["rules"]
    before, after = answer["cost"]["rules"]
    assert (after - before) * 2 == loaded
    (stage.workspace / "checkout.yaml").unlink()
    answer = stage.answer()
    assert [(slo["action"], slo["name"]) for slo in answer["slos"]] == [("removed", "checkout-availability")]
    assert answer["cost"]["rules"] == [loaded // 2, 0]


def test_the_json_says_all_that_the_words_say(stage: Stage) -> None:
    stage.apply()
    stage.write(SLO.replace("0.999", "0.99").replace("duration: 30d", "duration: 28d"))
    answer = stage.answer()
    assert (answer["version"], answer["differs"]) == (1, True)
    assert answer["summary"] == {"added": 0, "removed": 0, "changed": 1, "renamed": 0, "unchanged": 0}
    (slo,) = answer["slos"]
    assert [(each["field"], each["before"], each["after"]) for each in slo["changes"]][:2] == [
        ("objective", "99.9 %", "99 %"),
        ("window", "30 d", "28 d"),
    ]
    assert (slo["path"].endswith("checkout.yaml"), slo["line"]) == (True, 4)


def test_files_with_mistakes_have_no_plan(stage: Stage) -> None:
    stage.apply()
    stage.write(SLO.replace("0.999", "99.9"))
    done = stage.plan()
    assert (done.exit_code, "checkout.yaml:16:25: " in done.stdout) == (1, True)
    assert json.loads(stage.plan("--json").stdout)["problems"][0]["line"] == 16


def test_a_prometheus_that_was_named_and_does_not_answer_is_exit_status_3_and_the_default_one_a_remark(
    stage: Stage,
) -> None:
    stage.apply()
    stage.url = f"http://{servers.LOOPBACK}:{servers.free_port()}"
    named = stage.plan()
    assert (named.exit_code, "What runs was not looked at" in named.stdout) == (3, True)
    (stage.workspace / "flyball.yaml").write_text(
        f"apiVersion: flyball.dev/v1\nkind: Workspace\nspec: {{prometheus: {{url: '{stage.url}'}}}}\n"
    )
    assert stage.run("plan").exit_code == 0


def test_a_renamed_slo_is_told_with_the_days_of_history_that_stay_behind(stage: Stage) -> None:
    stage.apply()
    now = datetime.now(UTC)
    times = [now - timedelta(minutes=5) * entry for entry in range(1440, 0, -1)]
    labels = {"__name__": "slo:sli_events:ledger5m", "slo": "checkout-availability", "event": "all"}
    with RemoteWriter(stage.url) as writer:
        writer.write([Series(labels, tuple((at, 100.0) for at in times))])
    stage.write(SLO.replace("name: checkout-availability", "name: cart-availability"))
    done = stage.plan()
    words = " ".join(done.stdout.split())
    assert "~ cart-availability ← checkout-availability" in words
    assert "! history: the past is recorded under the name checkout-availability (5 days of it)" in words
    assert "→ write the annotation flyball.dev/renamed-from: checkout-availability" in words
    assert "history is kept" in stage.plan("--keep-history").stdout
    stage.write(
        SLO.replace(
            "{name: checkout-availability}",
            "{name: cart-availability, annotations: {flyball.dev/renamed-from: checkout-availability}}",
        )
    )
    assert "history is kept" in stage.plan().stdout


def test_apply_with_keep_history_copies_the_past_of_what_was_renamed(stage: Stage) -> None:
    stage.write(SLO.replace("checkout", "basket"))
    stage.apply()
    labels = {"__name__": "slo:sli_events:ledger5m", "slo": "basket-availability", "event": "all"}
    now = datetime.now(UTC)
    points = tuple((now - timedelta(minutes=5) * entry, 100.0) for entry in range(288, 0, -1))
    with RemoteWriter(stage.url) as writer:
        writer.write([Series(labels, points)])
    stage.write(SLO.replace("checkout", "basket").replace("name: basket-av", "name: trolley-av"))
    done = stage.apply("--keep-history")
    assert "trolley-availability has the history of basket-availability: 288 samples, 1 day" in done.stderr
    assert "begins now" not in done.stderr


def test_what_breaks_history_besides_names_is_told(stage: Stage) -> None:
    stage.apply()
    stage.write(SLO.replace('code=~"5.."', 'code=~"5..|429"').replace("service: checkout", "service: cart"))
    words = " ".join(stage.plan().stdout.split())
    assert "the past was counted by the old indicator" in words
    assert 'alerts carry service="cart": routes, silences and dashboards that look for "checkout" miss them' in words
    assert 'indicator bad: http_requests_total{job="checkout", code=~"5.."} → ' in words


def test_rules_altered_by_hand_and_rules_that_do_not_run_are_drift(stage: Stage) -> None:
    stage.apply()
    path = next((stage.rules / "current").glob("slo-*.yaml"))
    path.write_text(path.read_text().replace("[30d]", "[29d]"))
    done = stage.plan()
    assert (done.exit_code, "the applied rule files were altered by hand" in done.stdout) == (2, True)
    stage.rules = stage.rules.with_name("elsewhere")
    shutil.copytree(stage.rules.with_name("rules"), stage.rules, symlinks=True)
    generation = stage.rules / ".generations"
    copy = (generation / "last-good").readlink().name
    (generation / ("0" * 64)).symlink_to(copy)
    (stage.rules / "current").unlink()
    (stage.rules / "current").symlink_to(f".generations/{'0' * 64}")
    done = stage.plan()
    assert f"generation {'0' * 12} was applied last, but generation {copy[:12]} runs" in " ".join(done.stdout.split())
    assert done.exit_code == 2


def test_another_workspace_and_what_compile_wrote_can_be_compared_with(stage: Stage, tmp_path: Path) -> None:
    other = tmp_path / "base"
    shutil.copytree(stage.workspace, other)
    assert CliRunner().invoke(app, ["compile", str(other), "-o", str(tmp_path / "out")]).exit_code == 0
    assert stage.run("plan", f"--against={other}").exit_code == 0
    stage.write(SLO.replace("0.999", "0.99"))
    for against in (other, tmp_path / "out"):
        done = stage.run("plan", f"--against={against}")
        assert (done.exit_code, "objective 99.9 % → 99 %" in done.stdout) == (2, True)


def test_without_a_manifest_rule_files_are_compared(stage: Stage) -> None:
    stage.apply()
    (stage.rules / "current/flyball-slos.jsonl").unlink()
    assert stage.plan().exit_code == 0
    stage.write(SLO.replace("0.999", "0.99"))
    stage.write(SLO.replace("checkout", "search"), "search.yaml")
    done = stage.plan()
    assert done.exit_code == 2
    assert "+ slo-search-availability.yaml\n~ slo-checkout-availability.yaml\n" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense\n\udcff",
        '{"flyball":1}\nnot json\n',
        '{"flyball":1}\n{"name":"a"}\n',
        '{"flyball":1,"sharing":{"30x":-1},"sharedAbove":"many"}\n[]\n',
    ],
)
def test_a_damaged_manifest_is_none(stage: Stage, text: str) -> None:
    stage.apply()
    (stage.rules / "current/flyball-slos.jsonl").write_bytes(text.encode(errors="surrogateescape"))
    stage.write(SLO.replace("0.999", "0.99"))
    done = stage.plan()
    assert (done.exit_code, "~ slo-checkout-availability.yaml" in done.stdout) == (2, True)
    assert "or the file is damaged" in done.stdout


def test_what_changes_every_rule_is_told_beside_the_slos(stage: Stage) -> None:
    stage.apply()
    (stage.workspace / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nspec: {console: {externalUrl: 'https://flyball.example.com'}}\n"
    )
    done = stage.plan()
    assert (done.exit_code, "~ slo-checkout-availability.yaml" in done.stdout) == (2, True)
    assert "the console has another address: rules change though their SLOs do not" in " ".join(done.stdout.split())


def test_a_workspace_of_a_ruler_is_applied_and_planned_there(stage: Stage) -> None:
    with fake_ruler(token="secret-of-the-test") as ruler:
        env = {
            "FLYBALL_RULES_TARGET": "mimir",
            "FLYBALL_RULER_URL": ruler.url,
            "FLYBALL_RULER_TOKEN": "secret-of-the-test",
        }
        command = ["apply", str(stage.workspace), f"--rules-directory={stage.rules}"]
        done = CliRunner().invoke(app, command, env=env)
        assert (done.exit_code, f"Applied: Mimir at {ruler.url} runs 1 SLO" in done.stdout) == (0, True)
        assert ruler.groups() == [
            "flyball-generation", "slo:checkout-availability:1m", "slo:checkout-availability:5m",
        ]  # fmt: skip
        del ruler.tenants["anonymous"]["flyball"]["slo:checkout-availability:5m"]
        plan = CliRunner().invoke(app, ["plan", *command[1:]], env=env)
        assert "applied, but not running: group slo:checkout-availability:5m" in plan.stdout
        wrong = CliRunner().invoke(app, command, env={**env, "FLYBALL_RULER_TOKEN": "wrong-secret"})
        assert (wrong.exit_code, "wrong-secret" in wrong.output) == (3, False)
