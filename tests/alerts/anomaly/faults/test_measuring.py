import json
from datetime import timedelta

import pytest
import typer
from typer.testing import CliRunner

from alerts.anomaly.faults.daily_measuring import daily_labels, measure_daily
from alerts.anomaly.faults.daily_views import costs_data, costs_markdown, costs_text
from alerts.anomaly.faults.measuring import Measured, labels, measure
from alerts.anomaly.faults.model import Fault, Harmless
from alerts.anomaly.faults.views import measured_data, measured_markdown, measured_text
from flyball.cli.anomaly.faults import faults

FAULTS = (Fault.SPIKE, Fault.LEVEL_SHIFT)
HARMLESS = (Harmless.HOLIDAY,)


@pytest.fixture(scope="module")
def measured() -> tuple[Measured, list[str]]:
    told: list[str] = []
    return measure(1, 1, timedelta(minutes=15), told.append, faults=FAULTS, harmless=HARMLESS), told


def test_every_fault_is_judged_by_every_detector_on_the_same_series(measured: tuple[Measured, list[str]]) -> None:
    found, told = measured
    assert set(found.faults) == set(FAULTS)
    assert set(found.harmless) == set(HARMLESS)
    detectors = {"point", "sustained", "z-score, 1 h", "z-score, 24 h", "Grafana, adaptive"}
    assert all(set(each) == detectors for each in found.faults.values())
    assert set(found.quiet) == detectors
    assert told == list(labels(1, FAULTS, HARMLESS))


def test_tables_fit_a_terminal_and_the_docs_and_say_nothing_of_what_was_not_found(
    measured: tuple[Measured, list[str]],
) -> None:
    found, _ = measured
    assert max(len(line) for line in measured_text(found).splitlines()) <= 80
    assert all(line.startswith("|") for line in measured_markdown(found).splitlines() if line)
    assert json.loads(json.dumps(measured_data(found), allow_nan=False))["faults"]["spike"]["point"]["found"] <= 1
    assert "nan" not in measured_text(found)


def test_daily_costs_are_measured_with_their_own_faults() -> None:
    told: list[str] = []
    found = measure_daily(1, 1, told.append, lengths=(28,))
    assert told == list(daily_labels(1, (28,)))
    assert max(len(line) for line in costs_text(found).splitlines()) <= 80
    assert json.loads(json.dumps(costs_data(found), allow_nan=False))["faults"]["step"]["found"] <= 1
    assert "nan" not in costs_markdown(found)


@pytest.mark.parametrize("arguments", [["--step", "7"], ["--step", "1", "--series", "400"], ["--json", "--markdown"]])
def test_what_cannot_be_is_refused_before_anything_is_drawn(arguments: list[str]) -> None:
    application = typer.Typer()
    application.command()(faults)
    assert CliRunner().invoke(application, arguments).exit_code == 2
