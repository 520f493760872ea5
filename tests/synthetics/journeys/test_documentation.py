"""What the pages about journeys show is right."""

import ast
import re
from pathlib import Path

import pytest

from controlplane.specfile import SourceFile, read
from synthetics.journeys.declared import declared
from synthetics.journeys.kinds import KINDS
from synthetics.journeys.spec import BrowserPart, JourneySpec, StepPart
from tests.synthetics.journeys.reading import WORKSPACE

_DOCS = WORKSPACE.parents[1] / "docs"
_PAGES = (_DOCS / "reference" / "journey.md", _DOCS / "how-to" / "write-a-journey.md")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_examples_of_journeys_are_right(page: Path) -> None:
    examples = [text for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S) if "kind: Journey" in text]
    assert examples
    for text in examples:
        result = read([SourceFile(page.name, text.encode())], KINDS)
        assert [*result.problems, *declared(result.documents).problems] == []
    for text in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
        ast.parse(text)


def test_the_reference_names_every_field() -> None:
    text = _PAGES[0].read_text()
    for model in (JourneySpec, StepPart, BrowserPart):
        for name, field in model.model_fields.items():
            assert f"{field.alias or name}" in text
