"""What the pages about events show is what works."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exporters.cloudevents.requests import Mode
from exporters.events.cdevents.own_fields import FIELDS
from exporters.events.reading import EventReader, Terms
from flyball.cli.events import app
from tests.exporters.events.sent import NOW

DOCS = Path(__file__).resolve().parents[3] / "docs"
REFERENCE = (DOCS / "reference/events.md").read_text()
HOW_TO = (DOCS / "how-to/send-events.md").read_text()
BLOCK = re.compile(r"^ *```(?:sh|yaml|groovy)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
READER = EventReader(Terms("page"))


def commands() -> list[str]:
    """Each `flyball event send WHAT`, on one line, without what only its pipeline knows."""
    joined = re.sub(r"\\\n\s*|\n\s+(?=--)", " ", "\n".join(BLOCK.findall(HOW_TO)))
    found = re.findall(r"flyball event send (?!history)[^\n']*", joined)
    return [re.sub(r"\$\{\{[^}]*\}\}|\$\w+", "1f", each) for each in found]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_make_events(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*shlex.split(command)[2:], "--dry-run"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["specversion"] == "1.0"


def test_there_are_commands_for_each_pipeline() -> None:
    assert len(commands()) == 8


def test_the_event_of_the_reference_is_taken() -> None:
    example = re.search(r"```json\n(.*?)```", REFERENCE, re.DOTALL)
    assert example is not None
    delivery = READER.from_body(example[1].encode(), Mode(), {}, NOW)
    assert delivery.faults == ()
    assert delivery.events[0].is_known


def test_what_curl_sends_is_taken() -> None:
    setting = next(block for block in BLOCK.findall(HOW_TO) if block.startswith("NOW="))
    script = f"SHA=3c9d1e0 RUN=4711\n{setting}\nprintf '%s\\n' \"$EVENT\""
    done = subprocess.run(["bash", "-euc", script], capture_output=True, check=True)
    event = json.loads(done.stdout)
    event["data"]["context"]["timestamp"] = "2026-11-20T10:00:00Z"
    delivery = READER.from_body(json.dumps(event).encode(), Mode(), {}, NOW)
    assert delivery.faults == ()
    assert delivery.events[0].entity == "deployment:https://ci.example.com/acme/shop#4711/checkout"


def test_the_reference_names_every_field_of_ours() -> None:
    table = REFERENCE[REFERENCE.index("## Our own fields") : REFERENCE.index("## Bounds")]
    assert {name for fields in FIELDS.values() for name in fields} <= set(re.findall(r"`(\w+)`", table))
