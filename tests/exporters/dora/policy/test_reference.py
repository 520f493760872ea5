"""The page about the policy is about the policy that we have."""

import re
from pathlib import Path

from controlplane.specfile import SourceFile, read
from exporters.dora.policy.declared import declared
from exporters.dora.policy.kinds import KINDS
from exporters.dora.policy.model import DeliveryPolicy

PAGE = Path(__file__).resolve().parents[4] / "docs/reference/delivery-policy.md"


def test_its_document_loads_and_its_defaults_are_ours() -> None:
    text = PAGE.read_text()
    document = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert document is not None
    result = read([SourceFile("policy.yaml", document[1].encode())], KINDS)
    found = declared(result.documents)
    assert (*result.problems, *found.problems) == ()
    (policy,) = found.values
    standard = DeliveryPolicy()
    same = (
        "attribution_window",
        "rollback_window",
        "priorities",
        "hotfix_labels",
        "hotfix_branches",
        "hotfix_titles",
        "effects",
    )
    assert [getattr(policy, name) for name in same] == [getattr(standard, name) for name in same]
    assert f"`[{', '.join(standard.hotfix_branches)}]`" in text
