"""Flags that runbooks name must be there, and take the value."""

from alerts.runbooks.kinds import KINDS
from alerts.runbooks.references import flag_problems
from controlplane.specfile import SourceFile, read

TEXT = """\
apiVersion: flyball.dev/v1
kind: Runbook
metadata: {name: outage}
spec:
  steps:
    - {name: right, flag: {store: platform, flag: cache, value: true}}
    - {name: store, flag: {store: platfrom, flag: cache, value: true}}
    - {name: flag, flag: {store: platform, flag: cahce, value: true}}
    - {name: value, flag: {store: platform, flag: cache, value: warm}}
    - {name: other, http: {url: "https://x.example"}}
"""


def test_a_flag_that_is_not_there_or_does_not_take_the_value_is_told_where_it_is_written() -> None:
    documents = read([SourceFile("runbooks.yaml", TEXT.encode())], KINDS).documents
    flags = {"platform": {"cache": lambda value: "" if value in ("true", "false") else f"not `{value}`"}}
    found = list(flag_problems(documents, flags))
    assert [(each.line, each.field, each.message) for each in found] == [
        (7, "spec.steps[1].flag.store", "there is no FlagStore `platfrom`, did you mean `platform`?"),
        (8, "spec.steps[2].flag.flag", "there is no flag of FlagStore platform `cahce`, did you mean `cache`?"),
        (9, "spec.steps[3].flag.value", "not `warm`"),
    ]
    assert len(list(flag_problems(documents, flags, lambda name: name == "platfrom"))) == 2
