"""The page about `flyball anomaly` has every option, column and field that there is."""

import re
from pathlib import Path

import pytest
import typer.main

from alerts.anomaly.backtesting.overrides import FIELDS
from alerts.anomaly.csv_series.rows import COLUMNS
from flyball.cli.anomaly import app

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference/anomaly.md").read_text()
GUIDES = [(DOCS / f"how-to/{name}.md").read_text() for name in ("score-a-file", "backtest-a-detector")]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [each for each in COMMANDS if each != "faults"])
def test_every_option_is_on_the_page(name: str) -> None:
    options = {text for each in COMMANDS[name].params for text in each.opts if text.startswith("--")}
    assert [each for each in sorted(options) if not re.search(rf"{each}(?![a-z-])", REFERENCE)] == []


def test_every_column_and_every_field_that_can_be_set_is_on_the_page() -> None:
    assert [each for each in (*COLUMNS, *FIELDS) if f"`{each}`" not in REFERENCE] == []


@pytest.mark.parametrize(
    "line", re.findall(r"^    (?:gzip .* \| )?flyball anomaly (.*)$", "\n".join(GUIDES), re.MULTILINE)
)
def test_options_of_the_guides_exist(line: str) -> None:
    words = line.split("#")[0].split("|")[0].split(">")[0].split()
    options = {text for each in COMMANDS[words[0]].params for text in each.opts}
    assert [each for each in words[1:] if each.startswith("--") and each not in options] == []
