"""Probe documents as tests write them."""

from collections.abc import Collection, Sequence

from controlplane.problems import Problem
from controlplane.specfile import Declared, SourceFile, read
from synthetics.probes.declared import declared
from synthetics.probes.kinds import KINDS
from synthetics.probes.model import Probe

GOOD = """\
apiVersion: flyball.dev/v1
kind: Probe
metadata:
  name: checkout
  displayName: Checkout
  labels: {team: pay}
  annotations:
    flyball.dev/owner: team-pay
    flyball.dev/runbook-url: https://runbooks.example.com/checkout
spec:
  description: Can a customer pay?
  target: https://shop.example.com/pay
  interval: 30s
  timeout: 5s
  regions: [eu, us]
  http:
    method: POST
    headers:
      Authorization: Bearer ${env:SHOP_TOKEN}
      Content-Type: application/json
    body: '{"amount": 1}'
    tls: {caFile: /etc/shop.pem}
    ipFamily: ip4
  assertions:
    - status: [200, 3xx]
    - header: {name: Content-Type, matches: ^application/json}
    - body: {notMatches: (?i)error}
    - jsonPath: {path: $.state, equals: paid}
    - certificateDays: 14
    - latency: {atMost: 500ms, phase: processing}
    - latency: {atMost: 2s}
  verdict: {downRegions: 2}
"""


def declared_in(text: str, regions: Collection[str] | None = None, **options: object) -> Declared[Probe]:
    result = read([SourceFile("probes.yaml", text.encode())], KINDS)
    made = declared(result.documents, regions=regions, **options)  # type: ignore[arg-type]
    return Declared(made.values, (*result.problems, *made.problems))


def shown(problems: Sequence[Problem]) -> list[str]:
    return [f"{one.field}: {one.message}" + (f" ({one.hint})" if one.hint else "") for one in problems]


def a_probe(spec: str, more: str = "") -> Probe:
    """The probe of a spec, indented by two."""
    head = "apiVersion: flyball.dev/v1\nkind: Probe\nmetadata: {name: it}\nspec:\n"
    made = declared_in(f"{head}{spec}\n{more}")
    assert not made.problems, shown(made.problems)
    return made.values[0]
