"""What the reference says about running Flyball is what Flyball does."""

import re
import shutil
import subprocess
from pathlib import Path

from controlplane import anomaly_names, check_names, delivery_names
from flyball import setting_names, wiring
from flyball.settings import Settings, load_settings
from flyball.wiring import wire

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_every_metric_of_ours_is_described(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {})
    assert isinstance(found, Settings)
    services = wire(found)
    page = (DOCS / "reference/metrics.md").read_text()
    ours = {metric.name for metric in services.own_metrics.registry.collect() if metric.name.startswith("flyball_")}
    services.close()
    rendered = [
        value for each in (anomaly_names, check_names, delivery_names) for value in vars(each).values()
    ]  # in no registry
    ours |= {value.removesuffix("_total") for value in rendered if str(value).startswith("flyball_")}
    described = {name.removesuffix("_total") for name in re.findall(r"^\| `(flyball_\w+)`", page, re.MULTILINE)}
    assert described == ours
    named = [*vars(delivery_names).values(), *vars(anomaly_names).values()]
    others = {str(value) for value in named if str(value).startswith(("dora_", "anomaly_", "yhat"))}
    assert {name for name in others if f"`{name}`" not in page} == set()


def test_every_setting_is_described() -> None:
    page = (DOCS / "reference/configuration.md").read_text()
    for name, variable in setting_names.VARIABLES.items():
        assert f"`{variable}`" in page, variable
        assert "." not in name or f"| `{name}` " in page, name


def test_every_job_is_described(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {})
    assert isinstance(found, Settings)
    services = wire(found)
    services.close()
    page = (DOCS / "reference/metrics.md").read_text()
    for job in services.jobs:
        assert f"`{job.name}`" in page.partition("The jobs:")[2]
    assert "30 days" in page
    assert wiring.KEPT_DELIVERED.days == 30


def test_the_alertmanager_snippet_is_a_valid_configuration(tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    assert amtool, "amtool is not installed: run `make setup`"
    page = (DOCS / "how-to/receive-alerts.md").read_text()
    (snippet,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    config = tmp_path / "alertmanager.yml"
    config.write_text(re.sub(r"^   ", "", snippet, flags=re.MULTILINE))
    checked = subprocess.run([amtool, "check-config", config], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_example_workspace_of_the_reference_loads(tmp_path: Path) -> None:
    page = (DOCS / "reference/configuration.md").read_text()
    (snippet,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "flyball.yaml").write_text(snippet)
    found = load_settings(tmp_path, {})
    assert isinstance(found, Settings), found
    assert found.external_url == "https://flyball.example"
