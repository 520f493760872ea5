"""Every detector on the pages loads without a mistake or a warning; every field and each alert is on the reference."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from alerts.anomaly import spec
from alerts.anomaly.declared import declared
from alerts.anomaly.kinds import KINDS
from alerts.anomaly.labels import RESERVED
from alerts.anomaly.rules import rule_files
from controlplane.model.rule import AlertingRule
from controlplane.specfile import SourceFile, read

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "reference/anomaly-detector.md").read_text()
GUIDE = (DOCS / "how-to/detect-anomalies.md").read_text()
SNIPPETS = [
    text for page in (REFERENCE, GUIDE) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "kind:" in text
]
PARTS: tuple[type[BaseModel], ...] = (
    spec.AnomalyDetectorSpec, spec.CostPart, spec.SeasonPart, spec.LeastDeviationPart, spec.DenominatorPart,
    spec.CalendarPart, spec.GroupingPart, spec.OpenPart, spec.AnomalyDetectorMetadata,
)  # fmt: skip


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_detector_of_the_pages_loads(text: str) -> None:
    result = read([SourceFile("page.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    assert [*result.problems, *found.problems] == []
    assert len(found.values) == 1


def test_every_field_label_and_alert_is_on_the_page() -> None:
    names = {field.alias or name for part in PARTS for name, field in part.model_fields.items()}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", REFERENCE)] == []
    assert [label for label in sorted(RESERVED) if f"`{label}`" not in REFERENCE] == []
    text = next(text for text in SNIPPETS if "grouping" in text)
    (file,) = rule_files(declared(read([SourceFile("page.yaml", text.encode())], KINDS).documents).values)
    alerts = {rule.alert for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule)}
    assert [alert for alert in sorted(alerts) if f"`{alert}`" not in REFERENCE] == []


def test_defaults_on_the_page_are_those_of_the_fields() -> None:
    told = {
        name: default
        for name, default in re.findall(r"^\| `(\w+)` \| .* \| `(\w+)` \|$", REFERENCE, re.MULTILINE)
        if name in {field.alias or key for key, field in spec.AnomalyDetectorSpec.model_fields.items()}
    }
    fields = {field.alias or key: field.default for key, field in spec.AnomalyDetectorSpec.model_fields.items()}
    assert told == {name: str(fields[name]) for name in told}
    assert {"values", "direction", "sensitivity", "output", "maxSeries"} <= told.keys()
