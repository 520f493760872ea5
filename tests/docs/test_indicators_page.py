"""Every snippet of the page on indicators loads, and means the kind that its heading says."""

import re
from pathlib import Path

import pytest

from controlplane.model.slo import (
    BoolIndicator,
    CompositeIndicator,
    Indicator,
    NativeLatencyIndicator,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.problems import has_errors
from controlplane.specfile import SourceFile, read
from flyball.kinds import KINDS
from slo.compiler import compile_rules
from slo.resolve import slos_from

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/reference/indicators.md"
SNIPPETS = re.findall(r"^## ([^\n]*)$|```yaml\n(.*?)```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
MEANT: dict[str, type[Indicator]] = {
    "Ratio": RatioIndicator,
    "Latency": NativeLatencyIndicator,
    "Bool gauge": BoolIndicator,
    "Raw ratio": RawRatioIndicator,
    "Threshold": ThresholdIndicator,
    "Time slices": TimeslicesIndicator,
    "Composites": CompositeIndicator,
    "Groups": RatioIndicator,
}
AN_SLO = """---
apiVersion: openslo/v1
kind: SLO
metadata: {name: of-the-page}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicatorRef: %s
  objectives: [{target: 0.99}]
"""


def snippets() -> list[tuple[str, str]]:
    found, heading = [], ""
    for title, text in SNIPPETS:
        heading = title or heading
        if text:
            found.append((heading, text))
    return found


@pytest.mark.parametrize(("heading", "text"), snippets())
def test_a_snippet_means_what_its_heading_says(heading: str, text: str) -> None:
    if "kind: SLI" in text:
        name = re.search(r"name: ([\w-]+)", text)
        assert name
        text += AN_SLO % name[1]
    result = read([SourceFile("page.yaml", text.encode())], KINDS)
    resolved = slos_from(result.documents)
    assert not has_errors([*result.problems, *resolved.problems]), (result.problems, resolved.problems)
    (slo,) = resolved.slos
    assert isinstance(slo.indicator, MEANT[heading])
    assert compile_rules([slo])


def test_every_kind_has_a_snippet() -> None:
    assert {heading for heading, _ in snippets()} == MEANT.keys()
