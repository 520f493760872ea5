"""SLOs that use short forms, for tests."""

from textwrap import indent

from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile, read
from flyball.kinds import KINDS
from slo.resolve import Resolved, slos_from
from slo.templates import built_in
from slo.templates.documentation import example
from slo.templates.values import flow


def resolved(*texts: str) -> Resolved:
    files = [SourceFile(f"{chr(97 + index)}.yaml", text.encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    assert not result.problems, result.problems
    return slos_from(result.documents)


def use(
    name: str, *, at: str = "ratioMetric", target: str = "0.999", slo: str = "checkout", **parameters: object
) -> str:
    """An SLO whose indicator is a short form; `at` says where the metric source stands."""
    *outer, last = at.split(".")
    inner = f"{{metricSource: {{type: {name}, spec: {flow(parameters)}}}}}"  # type: ignore[arg-type]
    if outer:
        inner = f"{{{'rawType: success, ' if last == 'raw' else ''}{last}: {inner}}}"
    inner = f"{{{at.split('.')[0]}: {inner}}}"
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {slo}}}
spec:
  service: shop
  indicator:
    spec: {inner}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: {target}}}]
"""


def template(name: str, parameters: str, bad: str, total: str = 'x_total{job="a"}') -> str:
    return f"""\
apiVersion: flyball.dev/v1
kind: SLITemplate
metadata: {{name: {name}}}
spec:
  parameters:
{indent(parameters, "    ")}
  sli:
    ratioMetric:
      counter: true
      bad: {{metricSource: {{type: Prometheus, spec: {{query: '{bad}'}}}}}}
      total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
"""


def exemplary(name: str) -> SLO:
    """The SLO of a template's own example."""
    found = resolved(example(built_in()[name]))
    assert not found.problems, found.problems
    (slo,) = found.slos
    return slo
