"""Files of any dialect to what they mean, for tests."""

from textwrap import dedent

from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile
from flyball.examining import Examined, examine


def examined(*texts: str) -> Examined:
    """The meaning of files named a.yaml, b.yaml, ….."""
    return examine([SourceFile(f"{chr(97 + at)}.yaml", dedent(text).encode()) for at, text in enumerate(texts)])


def the_slo(*texts: str) -> SLO:
    """The only SLO of files without a mistake."""
    found = examined(*texts)
    assert not told(found), told(found)
    (slo,) = found.slos
    return slo


def told(found: Examined) -> list[str]:
    """Every problem on a line: where, how bad, which field, and what."""
    return [f"{each.position}: {each.severity.value}: {each.field}: {each.message}" for each in found.problems]


def a_sloth_file(
    *,
    service: str = "checkout",
    name: str = "availability",
    objective: str = "99.9",
    sli: str = 'events: {error_query: \'rate(x{code="500"}[{{.window}}])\', total_query: "rate(x[{{.window}}])"}',
    alerting: str = "{name: CheckoutErrors}",
    more: str = "",
    top: str = "",
) -> str:
    """One SLO as `version: prometheus/v1`."""
    return f"""\
version: prometheus/v1
service: {service}
{top}
slos:
- name: {name}
  objective: {objective}
  sli:
    {sli}
  alerting: {alerting}
  {more}
"""


def a_pyrra_file(
    *,
    name: str = "checkout-errors",
    metadata: str = "",
    target: str = "'99.9'",
    window: str = "4w",
    indicator: str = 'ratio: {errors: {metric: \'x{job="shop",code="500"}\'}, total: {metric: \'x{job="shop"}\'}}',
    more: str = "",
) -> str:
    """One ServiceLevelObjective."""
    return f"""\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: {name}
  {metadata}
spec:
  target: {target}
  window: {window}
  {more}
  indicator:
    {indicator}
"""
