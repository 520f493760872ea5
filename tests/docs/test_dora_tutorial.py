"""The tutorial about deliveries runs on the demo; here its commands, options and files are those that there are."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from flyball.cli import app, commands  # noqa: F401 -- they register themselves
from flyball.demo.platform.catalogue import INTELGRAPH

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "dora.md"
LINES = [line.strip() for line in PAGE.read_text().splitlines() if re.match(r"    flyball ", line)]


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_tutorial_is_one(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known, line
    assert not getattr(command, "commands", None) or getattr(command, "invoke_without_command", False), line


def test_its_versions_and_faults_are_the_demos() -> None:
    page = PAGE.read_text()
    assert {fault.name for fault in INTELGRAPH.faults} >= set(re.findall(r"demo (?:break|heal) (\w+)", page))
    assert any(each.version == "0.7.0" and each.service == "workflows" for each in INTELGRAPH.deployments)
    assert "2.17.0" in next(fault.title for fault in INTELGRAPH.faults if fault.name == "release")
    assert len(LINES) > 15


def test_every_page_that_it_leads_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text()):
        assert (PAGE.parent / link).is_file(), link
