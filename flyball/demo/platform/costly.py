"""What IntelGraph spends money on: machines, tokens of language models, bytes that leave the cloud, rows read.

In a quiet month of 30 days about 15,600 USD of infrastructure and 4,200 USD of tokens; tests/flyball/test_demo_money.py
adds it up.
"""

from decimal import Decimal
from typing import Final

from flyball.demo.platform.shapes import Demand, Flow, ForgottenNodes, NodePool, counted

TOKENS: Final = "gen_ai_client_token_usage"  # OpenTelemetry's gen_ai.client.token.usage, as Prometheus spells it
EGRESS: Final = "network_transmit_bytes_total"
EGRESS_USD: Final = Decimal("0.09") / 10**9  # AWS: to the internet, the first 10 TB of a month
TOKEN_USD: Final = {  # https://openai.com/api/pricing, as genai-prices has them
    ("gpt-4o", "input"): Decimal("2.50") / 10**6,
    ("gpt-4o", "output"): Decimal("10.00") / 10**6,
    ("gpt-4o-mini", "input"): Decimal("0.150") / 10**6,
    ("gpt-4o-mini", "output"): Decimal("0.600") / 10**6,
}

# AWS on-demand list prices, rounded: https://aws.amazon.com/ec2/pricing/on-demand/
POOLS: Final = (
    NodePool("general", 3, "m6i.2xlarge", 8, 32, "eu-west-1", 0.428),
    NodePool("general-us", 2, "m6i.2xlarge", 8, 32, "us-east-1", 0.384),
    NodePool("graph", 2, "r6i.12xlarge", 48, 384, "eu-west-1", 3.384),
    NodePool("ingest", 3, "c6i.8xlarge", 32, 64, "eu-west-1", 1.4592),
    NodePool("ai", 3, "g5.4xlarge", 16, 64, "us-east-1", 1.624),
    NodePool("batch", 2, "m6i.8xlarge", 32, 128, "eu-west-1", 1.712, working_hours=True),
)

# Somebody made room for a migration of the graph and gave it back a day later.
FORGOTTEN: Final = (ForgottenNodes(11.2, 20 * 60, "graph", 2),)


def _tokens(
    service: str, model: str, kind: str, per_second: float, *, a_call: int, demand: Demand = Demand.BUSINESS
) -> Flow:
    """Tokens of one kind that a service sends to (input) or gets from (output) a language model."""
    return Flow(
        f"{service}.{kind}_tokens",
        service,
        TOKENS,
        "Tokens of calls to language models.",
        per_second=per_second,
        bad_ratio=0,
        cells=counted({(): 1}, {}),
        demand=demand,
        labels=(
            ("gen_ai_request_model", model),
            ("gen_ai_token_type", kind),
            ("provider", "openai"),
            ("service", service),
        ),
        tenanted=True,
        per_observation=a_call,
    )


def _egress(service: str, per_second: float) -> Flow:
    """Bytes that a service sends out of the cloud."""
    return Flow(
        f"{service}.egress",
        service,
        EGRESS,
        "Bytes sent to clients.",
        per_second=per_second,
        bad_ratio=0,
        cells=counted({(): 1}, {}),
        labels=(("service", service),),
        tenanted=True,
    )


SPENDING: Final = (
    _tokens("assistant", "gpt-4o", "input", 253, a_call=1900),
    _tokens("assistant", "gpt-4o", "output", 36, a_call=270),
    _tokens("enrichment", "gpt-4o-mini", "input", 2500, a_call=3100, demand=Demand.STEADY),
    _tokens("enrichment", "gpt-4o-mini", "output", 405, a_call=500, demand=Demand.STEADY),
    _egress("graphql-gateway", 840_000),
    _egress("subscriptions", 6_000_000),
    _egress("exports", 480_000),
    Flow(
        "connectors.rows",
        "jdbc-connector",
        "connector_rows_total",
        "Rows read from customers' databases.",
        per_second=380,
        bad_ratio=0,
        cells=counted({(("connector", "jdbc"),): 1}, {}),
        demand=Demand.STEADY,
        labels=(("service", "jdbc-connector"),),
        tenanted=True,
    ),
)
