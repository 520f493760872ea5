"""`flyball slo convert`, as a shell sees it."""

import json
from pathlib import Path

import pytest

from tests.flyball.test_cli_check import flyball
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file, examined

NATIVE = """\
# a comment that stays
apiVersion: openslo/v1
kind: Service
metadata: {name: checkout}
spec: {description: ""}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {description: ""}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "sloth.yml").write_text(a_sloth_file())
    (tmp_path / "in" / "below" / "pyrra.yaml").write_text(a_pyrra_file())
    (tmp_path / "in" / "native.yaml").write_text(NATIVE)
    return tmp_path


def test_a_folder_is_converted_file_by_file(folder: Path) -> None:
    done = flyball("slo", "convert", "in", "-o", "out", "--json", cwd=folder)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["slos"], answer["problems"]) == (0, 2, [])
    assert sorted(answer["written"]) == ["out/below/pyrra.yaml", "out/native.yaml", "out/sloth.yml"]
    assert (folder / "out" / "native.yaml").read_text() == NATIVE
    assert flyball("check", "out", cwd=folder).returncode == 0


def test_what_is_converted_means_the_same(folder: Path) -> None:
    done = flyball("slo", "convert", "in/sloth.yml", "--keep-names", cwd=folder)
    before, after = examined(a_sloth_file()), examined(done.stdout)
    assert done.returncode == 0
    (one,), (other,) = before.slos, after.slos
    assert one.legacy_names is not None
    assert other.legacy_names is not None
    assert (one.indicator, one.alerting, one.window) == (other.indicator, other.alerting, other.window)
    assert one.legacy_names.labels == other.legacy_names.labels
    assert flyball("slo", "convert", "in/sloth.yml", "--keep-names", cwd=folder).stdout == done.stdout


def test_a_file_goes_to_a_file(folder: Path) -> None:
    done = flyball("slo", "convert", "in/sloth.yml", "-o", "slo/checkout.yaml", "--alerts", "burn-rate", cwd=folder)
    assert done.returncode == 0
    assert "1 SLO converted; 1 file written to slo/checkout.yaml" in done.stderr
    assert "flyball.dev/alerts: burn-rate" in (folder / "slo" / "checkout.yaml").read_text()


def test_what_openslo_cannot_say_is_told_and_nothing_is_written(folder: Path) -> None:
    (folder / "in" / "sloth.yml").write_text(a_sloth_file(top="labels: {trailing_: x}"))
    done = flyball("slo", "convert", "in", "-o", "out", cwd=folder)
    assert done.returncode == 1
    assert "OpenSLO v1 cannot say" in done.stderr
    assert not (folder / "out").exists()


def test_mistakes_are_told_as_by_check(folder: Path) -> None:
    (folder / "in" / "sloth.yml").write_text(a_sloth_file(objective="101"))
    done = flyball("slo", "convert", "in/sloth.yml", cwd=folder)
    assert done.returncode == 1
    assert "in/sloth.yml:6:14: slos[0].objective: must be" in done.stderr
    assert done.stdout == ""


def test_json_without_a_place_to_write_to_is_a_mistake(folder: Path) -> None:
    assert flyball("slo", "convert", "in", "--json", cwd=folder).returncode == 2
