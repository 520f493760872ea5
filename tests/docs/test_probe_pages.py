"""Every document on the pages about probes loads without a mistake, and every field and metric is on the page."""

import re
from pathlib import Path

import pytest

from controlplane.specfile import SourceFile, read
from synthetics.probes import spec
from synthetics.probes.builtin import BUILT_IN
from synthetics.probes.declared import declared
from synthetics.probes.exposition import HELP
from synthetics.probes.kinds import KINDS

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference/probe.md").read_text()
GUIDE = (DOCS / "how-to/probe-an-endpoint.md").read_text()
SNIPPETS = [
    text for page in (REFERENCE, GUIDE) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind:" in text
]


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_document_of_the_pages_loads(text: str) -> None:
    result = read([SourceFile("page.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    assert [*result.problems, *found.problems] == []
    assert len(found.values) == len(re.findall("^kind: Probe$", text, re.MULTILINE))


def test_every_field_is_on_the_page() -> None:
    parts = (spec.ProbeSpec, spec.HTTPPart, spec.TLSPart, spec.DNSPart, spec.TCPPart, spec.StepPart, spec.ICMPPart,
             spec.GRPCPart, spec.WebSocketPart, spec.AssertionPart, spec.HeaderPart, spec.LatencyPart)  # fmt: skip
    names = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", REFERENCE)] == []


def test_every_metric_and_every_built_in_module_is_on_the_page() -> None:
    families = re.findall(r"`(probe_[a-z_0-9]+)", REFERENCE)
    groups = tuple(name for name in re.findall(r"`(probe_[a-z]+_)\*`", REFERENCE))
    assert [name for name in HELP if name not in families and not name.startswith(groups)] == []
    assert [name for name in BUILT_IN if f"`{name}`" not in REFERENCE] == []
