"""The pages about regions: documents load, the report is one, the worked example works, every field is there."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.specfile import SourceFile, read
from synthetics.regions import signing, spec
from synthetics.regions.declared import declared
from synthetics.regions.kinds import KINDS
from synthetics.regions.report import Report, parse

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference/region.md").read_text()
GUIDE = (DOCS / "how-to/probe-from-regions.md").read_text()
SNIPPETS = [
    text for page in (REFERENCE, GUIDE) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind:" in text
]


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_document_of_the_pages_loads(text: str) -> None:
    result = read([SourceFile("page.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    assert [*result.problems, *found.problems] == []
    assert len(found.values) == text.count("kind: Region")


def test_every_field_is_on_the_page() -> None:
    names = {field.alias or name for name, field in spec.RegionSpec.model_fields.items()}
    assert [name for name in sorted(names) if name not in REFERENCE] == []


def test_the_report_on_the_page_is_one() -> None:
    (written,) = re.findall(r"```json\n(.*?)```", REFERENCE, re.DOTALL)
    found = parse(written.replace("…", "").encode(), region="eu", now=datetime(2026, 11, 30, 12, 1, tzinfo=UTC))
    assert isinstance(found, Report), found
    assert len(found.results) == 1


def test_the_worked_example_works() -> None:
    said = dict(re.findall(r"^\| (token|timestamp|signature) \| `([^`]+)` \|$", REFERENCE, re.MULTILINE))
    key = signing.signing_key(said["token"], "eu")
    at = datetime.fromtimestamp(int(said["timestamp"]), UTC)
    headers = signing.sign(key, region="eu", prober="p1", sequence=17, body=b"{}", now=at)
    assert headers[signing.SIGNATURE] == said["signature"]
    assert all(f"`{name}`" in REFERENCE for name in headers)
