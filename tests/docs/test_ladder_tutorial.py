"""The tutorial about the ladder: what it tells people to type is understood, and what it says of figures is so.

The way itself, 0 → 3 → 0, is walked in tests/end_to_end/test_demo.py: it takes a quarter of an hour.
"""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli import app
from flyball.cli import commands as commands
from flyball.demo.platform.catalogue import INTELGRAPH

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "tutorial" / "ladder.md", ROOT / "examples" / "intelgraph" / "runbooks" / "ladder.md")


def typed(page: Path) -> list[list[str]]:
    """Every command of ours that stands on a line or between backticks, as words."""
    text = page.read_text()
    found = re.findall(r"^    (?:watch -n 2 )?flyball (.+)$", text, re.MULTILINE) + re.findall(r"`flyball (.+?)`", text)
    return [shlex.split(each.replace('"…"', '"because"'), comments=True) for each in found]


def is_understood(words: list[str]) -> bool:
    """Whether there is such a command with such options: with `--help` at its end it says so, and runs nothing."""
    return CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_command_is_one_with_options_that_there_are(page: Path) -> None:
    found = typed(page)
    assert len(found) >= 7
    assert [words for words in found if not is_understood(words)] == []


def test_a_command_that_is_none_would_be_noticed() -> None:
    for words in (["ladder", "status", "--loudly"], ["ladders"], ["demo", "brake", "spend"]):
        assert not is_understood(words)


def test_the_faults_that_it_names_are_there() -> None:
    named = set(re.findall(r"flyball demo (?:break|heal) (\w+)", PAGES[0].read_text()))
    assert named == {"spend"}
    assert named <= {fault.name for fault in INTELGRAPH.faults}
