import re
import subprocess
import sys
import zipfile
from pathlib import Path

from controlplane.adapters.files import read_folder
from controlplane.model.slo import (
    SLO,
    Absent,
    CalendarWindow,
    CompositeIndicator,
    LatencyIndicator,
    RatioIndicator,
    TimeslicesIndicator,
)
from controlplane.specfile import read
from flyball.alerting.reading import alerts_in
from flyball.demo.children import alertmanager_config
from flyball.demo.run import example_workspace, explained_in
from flyball.kinds import KINDS
from slo.resolve import slos_from

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "intelgraph"


def example_slos() -> list[SLO]:
    files, unreadable = read_folder(EXAMPLE)
    result = read(files, KINDS)
    resolved = slos_from(result.documents)
    assert not [*unreadable, *result.problems, *resolved.problems]
    for slo in resolved.slos:
        assert slo.owner, slo.name
        parts = isinstance(slo.indicator, CompositeIndicator)
        assert slo.worst_by or parts, slo.name
        runbook = slo.runbook_url.rpartition("/")[2]
        assert (EXAMPLE / "runbooks" / f"{runbook}.md").exists(), slo.name
    return list(resolved.slos)


def test_the_example_has_no_problem_and_every_objective_an_owner_and_a_runbook_that_exists() -> None:
    assert len(example_slos()) == 17


def test_every_tenant_of_the_platform_has_a_budget_of_its_own_by_the_month() -> None:
    (tenants,) = (slo for slo in example_slos() if slo.groups)
    assert tenants.groups == ("tenant",)
    assert isinstance(tenants.window, CalendarWindow)


def test_the_example_shows_every_dialect_and_most_indicators() -> None:
    slos = example_slos()
    kinds = {type(slo.indicator) for slo in slos}
    assert kinds == {RatioIndicator, LatencyIndicator, TimeslicesIndicator, CompositeIndicator}
    assert {Path(slo.source.path).suffixes[0] for slo in slos} >= {".sloth", ".pyrra", ".yaml"}
    assert [slo.name for slo in slos if slo.exclusions] == ["neo4j-one-hop-latency"]
    paging = {slo.service for slo in slos if slo.policy.absent is Absent.PAGE}
    assert paging == {"graphql-gateway", "auth"}
    assert {slo.name for slo in slos if slo.alerting.fewest_bad_events == 2} == {
        "rtbf-within-24h", "exports-redacted-and-signed",
    }  # fmt: skip


def test_the_demo_finds_the_example_in_a_checkout() -> None:
    assert example_workspace() == EXAMPLE


def test_an_installed_demo_has_the_example_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in EXAMPLE.rglob("*"):
        if path.is_file():
            assert f"flyball/demo/intelgraph/{path.relative_to(EXAMPLE)}" in names


def test_every_runbook_that_money_links_exists() -> None:
    files = list((EXAMPLE / "money").glob("*.yaml"))
    links = re.findall(r"https://runbooks\.intelgraph\.example/([a-z-]+)", "".join(file.read_text() for file in files))
    assert set(links) >= {"connector-cost-spike", "llm-spend", "cost-data"}
    assert all((EXAMPLE / "runbooks" / f"{link}.md").exists() for link in links)


def test_the_demos_alertmanager_mutes_what_a_tier_explains() -> None:
    """By the rules that `flyball compile` writes, too."""
    alerts = alerts_in(read_folder(EXAMPLE)[0]).declared
    rules = alertmanager_config(alerts, "http://127.0.0.1:1", Path("token"), explained_in(EXAMPLE))["inhibit_rules"]
    assert 'alertname="ServiceReducedOnPurpose"' in {rule["source_matchers"][0] for rule in rules}
    assert ['alertname="SLOErrorBudgetBurn"', 'slo="ingest-batch-throughput"'] in [
        rule["target_matchers"] for rule in rules
    ]
