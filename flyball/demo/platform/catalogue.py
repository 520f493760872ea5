"""IntelGraph in figures (REFERENCE.md): its tenants, services, metrics, a month of incidents and deployments."""

from typing import Final

from flyball.demo.platform.costly import FORGOTTEN, POOLS, SPENDING
from flyball.demo.platform.retries import Retries
from flyball.demo.platform.shapes import (
    Catalogue,
    Demand,
    Deployment,
    Effect,
    Fault,
    Flow,
    Incident,
    Labels,
    Service,
    Size,
    Tenant,
    counted,
    timed,
)

# Working hours all around the globe: together they leave the gateway a night of more than 0.6 of its mean.
TENANTS: Final = (
    Tenant("alpha", 0.34, -6, 0.72),
    Tenant("beta", 0.28, 1, 0.78),
    Tenant("gamma", 0.24, 8, 0.80),
    Tenant("delta", 0.14, -3, 0.85),
)

SERVICES: Final = (
    Service("graphql-gateway", 3, "2.14.0", "edge", Size(2, 4, "general")),
    Service("subscriptions", 2, "1.8.2", "edge", Size(2, 4, "general")),
    Service("neo4j", 2, "5.21.0", "graph", Size(40, 320, "graph")),
    Service("opa", 2, "0.68.0", "graph", Size(0.5, 1, "general")),
    Service("ingest", 2, "3.4.1", "ingest", Size(24, 44, "ingest")),
    Service("auth", 2, "1.12.0", "edge", Size(1, 2, "general")),
    Service("rtbf", 1, "0.9.4", "trust", Size(1, 4, "general")),
    Service("exports", 1, "1.3.0", "trust", Size(2, 8, "general")),
    Service("workflows", 1, "0.6.1", "workflows", Size(1, 2, "general")),
    Service("assistant", 2, "1.6.2", "ai", Size(6, 24, "ai")),
    Service("enrichment", 2, "2.2.1", "ingest", Size(8, 24, "ai")),
    Service("jdbc-connector", 1, "1.4.0", "connectors", Size(2, 4, "general-us")),
)

_GRAPHQL_BUCKETS: Final = (0.025, 0.05, 0.1, 0.2, 0.35, 0.7, 1.5, 3.0, 10.0)
_ROUTES: Final = (
    ("/graphql/query", 0.62),
    ("/graphql/mutation", 0.22),
    ("/graphql/search", 0.11),
    ("/files/upload", 0.05),
)


def _code(value: str) -> Labels:
    return (("code", value),)


def _outcome(value: str) -> Labels:
    return (("outcome", value),)


def _connector(value: str) -> Labels:
    return (("connector", value),)


FLOWS: Final = (
    Flow(
        "gateway.requests",
        "graphql-gateway",
        "http_requests_total",
        "HTTP requests answered.",
        per_second=140,
        bad_ratio=0.00021,
        cells=counted({_code("200"): 0.985, _code("404"): 0.015}, {_code("500"): 0.7, _code("503"): 0.3}),
        labels=(("service", "graphql-gateway"),),
        tenanted=True,
        routes=_ROUTES,
    ),
    Flow(
        "gateway.reads",
        "graphql-gateway",
        "graphql_latency",
        "Seconds from a GraphQL request to its answer.",
        per_second=104,
        bad_ratio=0.021,
        cells=timed(0.35, _GRAPHQL_BUCKETS, median=0.09),
        labels=(("operation", "read"),),
    ),
    Flow(
        "gateway.writes",
        "graphql-gateway",
        "graphql_latency",
        "Seconds from a GraphQL request to its answer.",
        per_second=36,
        bad_ratio=0.0392,
        cells=timed(0.7, _GRAPHQL_BUCKETS, median=0.19),
        labels=(("operation", "write"),),
    ),
    Flow(
        "subscriptions.deliveries",
        "subscriptions",
        "subscription_delivery_seconds",
        "Seconds from a message on the server to its arrival at the client.",
        per_second=4000,
        bad_ratio=0.011,
        cells=timed(0.25, (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5), median=0.06),
        tenanted=True,
    ),
    Flow(
        "subscriptions.messages",
        "subscriptions",
        "subscription_messages_total",
        "Messages that were due to clients.",
        per_second=4050,
        bad_ratio=0.00034,
        cells=counted({(("result", "delivered"),): 1}, {(("result", "dropped"),): 1}),
        tenanted=True,
    ),
    Flow(
        "neo4j.one_hop",
        "neo4j",
        "neo4j_query_duration_seconds",
        "Seconds that a graph query took, by the hops that it traverses.",
        per_second=240,
        bad_ratio=0.017,
        cells=timed(0.3, (0.005, 0.02, 0.05, 0.1, 0.3, 0.6, 1.2, 5.0), median=0.045, spread=0.8),
        labels=(("hops", "1"),),
    ),
    Flow(
        "neo4j.two_hops",
        "neo4j",
        "neo4j_query_duration_seconds",
        "Seconds that a graph query took, by the hops that it traverses.",
        per_second=38,
        bad_ratio=0.014,
        cells=timed(0.6, (0.005, 0.02, 0.05, 0.1, 0.3, 0.6, 1.2, 5.0), median=0.13, spread=0.7),
        labels=(("hops", "2"),),
    ),
    Flow(
        "opa.decisions",
        "opa",
        "opa_decision_duration_seconds",
        "Seconds that a policy decision took.",
        per_second=420,
        bad_ratio=0.0026,
        cells=timed(0.025, (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1), median=0.004),
    ),
    Flow(
        "ingest.processing",
        "ingest",
        "ingest_processing_duration_seconds",
        "Seconds from the arrival of an event to its place in the graph.",
        per_second=2400,
        bad_ratio=0.0125,
        cells=timed(0.1, (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0), median=0.03),
        demand=Demand.STEADY,
    ),
    Flow(
        "ingest.events",
        "ingest",
        "ingest_events_total",
        "Streaming events taken in.",
        per_second=2400,
        bad_ratio=0,
        cells=counted({_connector("kafka"): 0.62, _connector("webhook"): 0.23, _connector("s3"): 0.15}, {}),
        demand=Demand.STEADY,
        labels=(("service", "ingest"), ("source", "stream")),
        tenanted=True,
    ),
    Flow(
        "ingest.bytes",
        "ingest",
        "ingest_batch_bytes_total",
        "Bytes of batches taken in.",
        per_second=124_000_000,
        bad_ratio=0,
        cells=counted({(("source", "batch"),): 1}, {}),
        demand=Demand.STEADY,
        noise=0.09,
    ),
    Flow(
        "auth.step_up",
        "auth",
        "auth_webauthn_step_up_total",
        "WebAuthn step-up attempts.",
        per_second=1.6,
        bad_ratio=0.0038,
        cells=counted({_outcome("success"): 1}, {_outcome("failure"): 1}),
    ),
    Flow(
        "rtbf.requests",
        "rtbf",
        "rtbf_requests_total",
        "Erasure requests done, and whether within 24 hours.",
        per_second=0.02,
        bad_ratio=0.00012,
        cells=counted({_outcome("in_time"): 1}, {_outcome("late"): 1}),
        demand=Demand.STEADY,
    ),
    Flow(
        "exports.files",
        "exports",
        "exports_total",
        "Exports, and whether they left redacted and signed.",
        per_second=0.12,
        bad_ratio=0.00002,
        cells=counted({_outcome("redacted_and_signed"): 1}, {_outcome("rejected"): 1}),
    ),
    Flow(
        "workflows.hello_world",
        "workflows",
        "workflow_runs_total",
        "Reference workflows run, and whether done in time.",
        per_second=0,
        bad_ratio=0.0035,
        cells=counted({_outcome("in_time"): 1}, {_outcome("late"): 1}),
        labels=(("workflow", "hello-world"),),
        every_minutes=5,
    ),
    Flow(
        "workflows.hello_case",
        "workflows",
        "workflow_runs_total",
        "Reference workflows run, and whether done in time.",
        per_second=0,
        bad_ratio=0,
        cells=counted({_outcome("in_time"): 1}, {_outcome("late"): 1}),
        labels=(("workflow", "hello-case"),),
        every_minutes=360,
    ),
    *SPENDING,
)

# The last three days are quiet, so that nothing pages before somebody breaks something.
INCIDENTS: Final = (
    Incident(27.6, 42, (Effect("gateway.requests", 0.07), Effect("gateway.reads", 0.24))),
    Incident(25.2, 18, (Effect("neo4j.one_hop", 0.55), Effect("gateway.reads", 0.34), Effect("gateway.writes", 0.4))),
    Incident(22.9, 64, (Effect("subscriptions.messages", 0.33), Effect("subscriptions.deliveries", 0.61))),
    Incident(21.1, 95, (Effect("gateway.requests", 0.15, tenant="gamma"),)),
    Incident(18.4, 9, (Effect("gateway.requests", 0.16), Effect("auth.step_up", 0.4))),
    Incident(16.7, 150, (Effect("ingest.processing", 0.33), Effect("ingest.bytes", traffic=0.58))),
    Incident(
        15.4,
        270,
        (
            Effect("connectors.rows", traffic=4, tenant="gamma"),
            Effect("enrichment.input_tokens", traffic=9),
            Effect("enrichment.output_tokens", traffic=3),
        ),
    ),
    Incident(14.3, 38, (Effect("opa.decisions", 0.3), Effect("gateway.writes", 0.21))),
    Incident(12.8, 75, (Effect("subscriptions.messages", 0.29), Effect("subscriptions.deliveries", 0.42))),
    Incident(10.5, 120, (Effect("neo4j.one_hop", 0.26), Effect("gateway.reads", 0.17))),
    Incident(8.2, 55, (Effect("gateway.requests", 0.055, tenant="gamma"), Effect("exports.files", 0.06))),
    Incident(6.6, 35, (Effect("gateway.requests", 0.024, tenant="beta"), Effect("workflows.hello_world", 0.9))),
    Incident(5.1, 26, (Effect("auth.step_up", 0.31), Effect("gateway.requests", 0.009))),
    Incident(3.7, 210, (Effect("rtbf.requests", 0.012), Effect("ingest.events", traffic=0.74))),
)

DEPLOYMENTS: Final = (
    Deployment(27.61, "graphql-gateway", "2.15.0"),
    Deployment(26.4, "auth", "1.12.1"),
    Deployment(24.3, "subscriptions", "1.9.0"),
    Deployment(22.2, "exports", "1.3.1"),
    Deployment(20.6, "workflows", "0.6.2"),
    Deployment(18.41, "graphql-gateway", "2.15.1"),
    Deployment(16.3, "rtbf", "0.9.5"),
    Deployment(13.4, "ingest", "3.5.0"),
    Deployment(12.4, "exports", "1.4.0"),
    Deployment(11.6, "enrichment", "2.3.0", (Effect("enrichment.input_tokens", traffic=1.22),)),
    Deployment(9.3, "opa", "0.69.0"),
    Deployment(8.22, "exports", "1.4.1"),
    Deployment(8.17, "exports", "1.4.0", rolls_back="1.4.1", mends=8.2),
    Deployment(6.62, "workflows", "0.7.0"),
    Deployment(6.58, "workflows", "0.7.1", mends=6.6),
    Deployment(6.2, "graphql-gateway", "2.16.0"),
    Deployment(5.4, "assistant", "1.7.0", (Effect("assistant.input_tokens", traffic=0.84),)),
    Deployment(4.2, "rtbf", "0.9.6"),
    Deployment(2.3, "auth", "1.13.0"),
    Deployment(1.4, "exports", "1.4.2"),
    Deployment(0.8, "graphql-gateway", "2.16.1"),
)

# The gateway can answer twice its usual traffic. At 99.9 %, 2 % of a month's budget (a page) are 52 seconds of the mean
# traffic, 5 % (a page that stays for half an hour) 130: the storms spend the first in less than a minute, and the
# back-off leaves people several minutes to watch and heal before the second.
_NOBODY_GETS_THROUGH: Final = Retries(capacity=2, storm_seconds=32, halving_seconds=8, settled=0.05)
_HALF_GET_THROUGH: Final = Retries(capacity=2, storm_seconds=60, halving_seconds=15, settled=0.4)

# The LLM budget is 5,000 USD a month. `spend` spends 92 USD an hour instead of 5, twelve times the pace: enough for the
# ladder's first three tiers and no more. They leave 40 of it, so that it stays there until somebody heals it; its loads
# are of gamma's mean, the same at every hour. `cost` spends about 900 USD an hour: after two minutes that is three
# times an hour's usual money (a spike), after seven 2 % of the budget (a page), unless the ladder is faster.
FAULTS: Final = (
    Fault(
        "errors",
        "half of the requests to graphql-gateway fail with 500 and 503; clients retry, then back off",
        (Effect("gateway.requests", 0.5, retries=_HALF_GET_THROUGH),),
    ),
    Fault(
        "latency",
        "Neo4j is slow: nearly every read and write is late, and two of five requests run into the gateway's timeout",
        (
            Effect("neo4j.one_hop", 0.97),
            Effect("neo4j.two_hops", 0.99),
            Effect("gateway.reads", 0.97),
            Effect("gateway.writes", 0.97),
            Effect("gateway.requests", 0.4),
        ),
    ),
    Fault(
        "outage",
        "graphql-gateway answers nothing but errors; clients retry at once, then back off",
        (
            Effect("gateway.requests", 1.0, retries=_NOBODY_GETS_THROUGH),
            Effect("gateway.reads", traffic=0.02),
            Effect("gateway.writes", traffic=0.02),
            Effect("subscriptions.messages", traffic=0.6),
            Effect("subscriptions.deliveries", traffic=0.6),
        ),
    ),
    Fault(
        "tenant",
        "every request of the tenant delta fails, those of the others do not; its clients retry, then back off",
        (Effect("gateway.requests", 1.0, tenant="delta", retries=_NOBODY_GETS_THROUGH),),
    ),
    Fault(
        "ingest",
        "workers and pods of ingest take in two fifths of what they should",
        (Effect("ingest.bytes", traffic=0.4), Effect("ingest.events", traffic=0.4)),
    ),
    Fault(
        "release",
        "release 2.17.0 of graphql-gateway goes out, and two of five requests fail; healing rolls it back",
        (Effect("gateway.requests", 0.4, retries=_HALF_GET_THROUGH),),
    ),
    Fault(
        "cost",
        "the JDBC connector reads its tables over and over, and each row goes to the language model with all before it",
        (
            Effect("connectors.rows", traffic=6),
            Effect("enrichment.input_tokens", traffic=480),
            Effect("enrichment.output_tokens", traffic=120),
        ),
    ),
    Fault(
        "spend",
        "an agent of the tenant gamma asks the assistant in a loop, and all that it writes is enriched; nothing fails",
        (
            Effect("assistant.input_tokens", load=97, tenant="gamma"),
            Effect("assistant.output_tokens", load=97, tenant="gamma"),
            Effect("enrichment.input_tokens", load=22, tenant="gamma"),
            Effect("enrichment.output_tokens", load=22, tenant="gamma"),
            Effect("graphql-gateway.egress", traffic=3, tenant="gamma"),
            Effect("connectors.rows", traffic=5, tenant="gamma"),
        ),
    ),
    Fault(
        "crawler",
        "a crawler of the tenant delta asks five times as much as is usual at this hour; nothing fails",
        (Effect("gateway.requests", traffic=5, tenant="delta"), Effect("gateway.reads", traffic=1.6)),
    ),
    Fault(
        "pagerduty",
        "PagerDuty answers 503 to everything; the platform itself is well",
        (),
    ),
    Fault(
        "region",
        "the ingress in us resets every connection; what does not arrive is counted nowhere, so SLIs barely move",
        tuple(Effect(flow, traffic=0.7) for flow in ("gateway.requests", "gateway.reads", "gateway.writes")),
    ),
    Fault(
        "certificate",
        "the ingress shows a certificate that ends in 2 days, everywhere; nothing else changes yet",
        (),
    ),
    Fault(
        "slow",
        "pages and API answer 2.5 seconds late everywhere; nothing fails",
        (Effect("gateway.reads", 0.97), Effect("gateway.writes", 0.97)),
    ),
)

INTELGRAPH: Final = Catalogue(TENANTS, SERVICES, FLOWS, INCIDENTS, DEPLOYMENTS, FAULTS, POOLS, FORGOTTEN)
