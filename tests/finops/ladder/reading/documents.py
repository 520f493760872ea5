"""Files of the tests: a ladder in which nothing is wrong, everything that it refers to, and how problems are shown."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from alerts.anomaly.kinds import KINDS as ANOMALY_KINDS
from controlplane.problems import Problem, Severity
from controlplane.specfile import Declared, Kind, SourceFile, read
from exporters.unit_cost.kinds import KINDS as UNIT_COST_KINDS
from exporters.usage.kinds import KINDS as USAGE_KINDS
from finops.budgets.kinds import KINDS as BUDGET_KINDS
from finops.flags.kinds import KINDS as FLAG_KINDS
from finops.ladder.declared import declared
from finops.ladder.kinds import KINDS as LADDER_KINDS
from finops.ladder.model import Ladder
from finops.pricing.kinds import KINDS as PRICING_KINDS
from synthetics.journeys.kinds import KINDS as JOURNEY_KINDS

KINDS: Final[tuple[Kind, ...]] = (
    *FLAG_KINDS, *LADDER_KINDS, *BUDGET_KINDS, *PRICING_KINDS, *UNIT_COST_KINDS, *USAGE_KINDS, *JOURNEY_KINDS,
    *ANOMALY_KINDS,
)  # fmt: skip
SLOS: Final = frozenset({"gateway-availability", "read-latency"})

LADDER: Final = """\
apiVersion: flyball.dev/v1
kind: Ladder
metadata:
  name: intelgraph
  annotations: {flyball.dev/owner: team-platform}
spec:
  flagStore: platform
  currency: USD
  signals:
    - {name: llm-burn, budget: llm, measure: burnRate}
    - {name: llm-forecast, budget: llm, measure: forecast}
    - {name: llm-spike, budget: llm, measure: spike}
    - {name: queue, query: max(queue_length)}
    - {name: call-cost, unitCost: graphql-calls}
  brakes:
    - {slo: gateway-availability, fromTier: 2}
  growth: {signal: call-cost}
  emergency: {tier: 3, any: {llm-spike: 10, queue: 1000}}
  tiers:
    - name: observe
      flags: {adaptive-sampling: true}
      saving: 1
      enter: {any: {llm-burn: 2, llm-forecast: 1.1}}
      exit: {all: {llm-burn: 1.2, llm-forecast: 1}}
      journeys: [core-flow]
    - name: throttle
      flags: {context-limit: 4000}
      saving: 4
      enter: {all: {llm-burn: 4}}
      exit: {all: {llm-burn: 2}}
      journeys: [core-flow]
      explains: [{alertname: LatencyTooHigh, service: assistant}]
    - name: shed
      flags: {enrichers-paused: true}
      saving: 9
      enter: {all: {llm-burn: 8}}
      exit: {all: {llm-burn: 4}}
      journeys: [core-flow]
"""
STORE: Final = """\
---
apiVersion: flyball.dev/v1
kind: FlagStore
metadata:
  name: platform
  annotations: {flyball.dev/owner: team-platform}
spec:
  flagd: {file: flags.json}
  flags:
    - {name: adaptive-sampling}
    - {name: context-limit, type: integer, normal: 16000}
    - {name: enrichers-paused}
    - {name: mode, type: string, normal: full}
"""
REST: Final = """\
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: llm}
spec:
  amount: 5000
  currency: USD
  scope: {resource: token}
  alerts: {spike: {floorPerHour: 7}}
---
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: live}
spec:
  currency: USD
  items:
    - name: tokens
      resource: token
      usage: {counter: gen_ai_tokens_total}
      by: [service, tenant]
      prices: [{amount: 3, per: 1000000}]
    - name: nodes
      resource: node
      openCost: auto
      by: [service]
---
apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: graphql-calls}
spec:
  currency: USD
  units: {what: calls, counter: http_requests_total}
  per: 1000000
  target: 2
---
apiVersion: flyball.dev/v1
kind: Meter
metadata: {name: tokens}
spec: {eventType: inference, aggregation: sum, value: tokens, unit: tokens}
---
apiVersion: flyball.dev/v1
kind: UsageQuota
metadata: {name: llm-tokens}
spec: {meter: tokens, limit: 1000000}
---
apiVersion: flyball.dev/v1
kind: Journey
metadata: {name: core-flow}
spec:
  interval: 1m
  steps:
    - name: sign-in
      http: {url: "https://intelgraph.example/login"}
      expect: [{status: [200]}]
"""
DETECTORS: Final = """\
---
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: traffic}
spec:
  query: sum by (service) (rate(http_requests_total[5m]))
---
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: spend}
spec:
  cost: {ledger: estimated, by: [service], where: {resource: node}}
"""


def declared_in(
    text: str,
    *,
    slos: Collection[str] | None = SLOS,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Declared[Ladder]:
    """The ladders of a file, with the problems of reading it as well."""
    result = read([SourceFile("ladder.yaml", text.encode())], KINDS)
    made = declared(result.documents, slos=slos, may_be_declared=may_be_declared)
    return Declared(made.values, (*result.problems, *made.problems))


def shown(problems: Sequence[Problem], text: str) -> list[str]:
    """Each problem in a line: its field, what of the file is underlined, message, way out, and rule."""
    lines = text.split("\n")
    found = []
    for one in problems:
        marked = lines[one.line - 1][one.column - 1 :][: one.length]
        way_out = f" = {one.hint}" if one.hint else ""
        level = "warning: " if one.severity is Severity.WARNING else ""
        found.append(f"{one.field} «{marked}» {level}{one.message}{way_out} [{one.rule}]")
    return found


def problems_in(text: str, *, slos: Collection[str] | None = SLOS) -> list[str]:
    """What is wrong in a file, as `shown` says it."""
    return shown(declared_in(text, slos=slos).problems, text)


def problems_after(old: str, new: str) -> list[str]:
    """What is wrong with the ladder after a change to it, or to what it refers to."""
    whole = LADDER + STORE + REST + DETECTORS
    assert old in whole, old
    return problems_in(whole.replace(old, new, 1))
