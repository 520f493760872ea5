"""OpenSLO text to what it means, for tests."""

from textwrap import dedent

from controlplane.specfile import SourceFile, read
from slo.openslo.kinds import KINDS
from slo.resolve import Resolved, slos_from


def resolved(*texts: str) -> Resolved:
    """The meaning of files named a.yaml, b.yaml, …; those must be well-formed."""
    files = [SourceFile(f"{chr(97 + index)}.yaml", dedent(text).encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    assert not result.problems, result.problems
    return slos_from(result.documents)


def told(found: Resolved) -> list[str]:
    """Every problem on a line: where, which field, what, and the way out."""
    return [
        f"{problem.position}: {problem.severity.value}: {problem.field}: {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in found.problems
    ]


def an_slo_file(
    *,
    name: str = "checkout",
    bad: str = 'http_requests_total{code=~"5.."}',
    total: str = "http_requests_total",
    kind: str = "bad",
    window: str = "{duration: 30d, isRolling: true}",
    objectives: str = "[{target: 0.999}]",
    more: str = "",
    metadata: str = "",
) -> str:
    """One SLO as text."""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
{metadata}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{window}]
  objectives: {objectives}
{more}
  indicator:
    metadata: {{name: requests}}
    spec:
      ratioMetric:
        counter: true
        {kind}: {{metricSource: {{type: Prometheus, spec: {{query: '{bad}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
"""
