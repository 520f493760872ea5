"""The alertmanager.yml that we write, against the Alertmanager of Debian."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from alerts.maintenance.declared import declared as windows_of
from alerts.routing.alertmanager_yaml import alertmanager_yaml
from alerts.routing.model import Route
from alerts.routing.router import Router
from controlplane.model.inhibition import Inhibition
from tests.alerts.routing.reading import documents, of, root
from tests.alerts.routing.trees import labels, roots

GOLDEN = Path(__file__).parent / "golden" / "alertmanager.yml"
ROUTES = (
    of(
        "Route",
        "default",
        "default: true\nreceivers: [chat]\ngroupBy: [service, slo]\ngroupWait: 10s\nrepeatInterval: 4h",
    ),
    of(
        "Route",
        "pages",
        """\
match: ['severity="page"', "team!~\\"it's|a b\\""]
continue: true
muteDuring: [nights]
activeDuring: [office-hours]
routes:
  - {name: database, match: ['service=~"db|cache"'], groupBy: ["..."], groupInterval: 2m}""",
    ),
)
WINDOWS = (
    of(
        "MaintenanceWindow",
        "nights",
        """\
timeZone: Europe/Berlin
weekly:
  - {days: [mon-fri], from: "22:30", to: "06:00"}
  - {days: [sat, sun]}
spans: [{from: 2026-12-24T09:00, until: 2026-12-27T09:00}]
recurring: [{start: 2037-10-01T02:00, minutes: 60, rule: FREQ=MONTHLY;BYDAY=1SU}]""",
    ),
    of("MaintenanceWindow", "office-hours", "weekly: [{days: [mon-fri], from: '09:00', to: '17:00'}]"),
    of("MaintenanceWindow", "unused", "weekly: [{}]"),
)
FURTHER = (
    Inhibition(
        ('alertname="ServiceReducedOnPurpose"', 'ladder="platform"', 'tier=~"[2-9]|[1-9][0-9]+"'),
        ('alertname="CacheMisses"',),
        (),
    ),
)


def compiled(tree: Route, windows: str = "") -> str:
    return alertmanager_yaml(
        tree,
        windows_of(documents(windows)).values if windows else (),
        FURTHER,
        external_url="https://flyball.example.com/",
        credentials_file="/etc/flyball/webhook-token",
    )


def amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_same_documents_give_the_golden_file() -> None:
    text = compiled(root(*ROUTES), "---\n".join(WINDOWS))
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_amtool_accepts_it_and_finds_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(compiled(root(*ROUTES), "---\n".join(WINDOWS)))
    said = amtool("check-config", str(file))
    assert "SUCCESS" in said
    assert " - 5 receivers" in said


def test_what_a_ladder_explains_is_quiet_while_it_is_on_its_way() -> None:
    rules = yaml.safe_load(compiled(root(*ROUTES)))["inhibit_rules"]
    assert {
        "source_matchers": ['alertname="DownshiftInProgress"', 'ladder="platform"'],
        "target_matchers": ['alertname="CacheMisses"'],
        "equal": [],
    } in rules


@settings(max_examples=20)
@given(tree=roots, first=labels, second=labels)
def test_amtool_routes_as_we_do(
    tree: Route, first: dict[str, str], second: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "routed.yml"
    file.write_text(compiled(tree))
    router = Router(tree)
    for found in (first, second):
        said = amtool("config", "routes", "test", f"--config.file={file}", *(f"{k}={v}" for k, v in found.items()))
        assert said.split() == [",".join(routed.route for routed in router.routes_of(found))]


@pytest.mark.soak
@settings(max_examples=1500)
@given(tree=roots, found=labels)
def test_amtool_routes_as_we_do_whatever_the_tree(
    tree: Route, found: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    test_amtool_routes_as_we_do.hypothesis.inner_test(tree, found, {}, tmp_path_factory)  # type: ignore[attr-defined]


def test_the_file_is_yaml_with_the_settings_of_the_tree() -> None:
    config = yaml.safe_load(compiled(root(*ROUTES), "---\n".join(WINDOWS)))
    pages = config["route"]["routes"][1]
    assert json.loads(json.dumps(pages)) == {
        "receiver": "pages",
        "matchers": ['severity="page"', 'team!~"it\'s|a b"'],
        "continue": True,
        "mute_time_intervals": ["nights"],
        "active_time_intervals": ["office-hours"],
        "routes": [
            {
                "receiver": "pages/database",
                "matchers": ['service=~"db|cache"'],
                "group_by": ["..."],
                "group_interval": "2m",
            }
        ],
    }
    assert [receiver["name"] for receiver in config["receivers"]] == [
        "default", "watchdog", "pages", "pages/database", "record",
    ]  # fmt: skip
    hook = config["receivers"][0]["webhook_configs"][0]
    assert hook["url"] == "https://flyball.example.com/hooks/alertmanager"
    assert hook["http_config"]["authorization"]["credentials_file"] == "/etc/flyball/webhook-token"
