"""What the simulated platform spends by its own metrics and list prices: by day, service, tenant; without noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

import numpy as np

from flyball.demo.platform.costly import EGRESS, EGRESS_USD, TOKEN_USD, TOKENS
from flyball.demo.platform.infrastructure import IDLE, Node
from flyball.demo.platform.shapes import Flow
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.traffic import MINUTES_PER_DAY

_CENTS_OF_MILLIONTHS: Final = Decimal("0.00000001")
_HALF: Final = 0.5  # of a node's price is for its cores, the other half for its memory


class Bought(Enum):
    """What was paid for."""

    NODE = "node"
    EGRESS = "egress"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Spend:
    """USD of one day at list prices: `quantity` hours of a part of a node, bytes, or tokens.

    `kind` is the instance type, or the model and kind of tokens; `resource` the node. `service` is `IDLE` for what
    nobody asked for of a node; `tenant` is empty where nobody knows.
    """

    day: date
    bought: Bought
    service: str
    tenant: str
    region: str
    resource: str
    kind: str
    quantity: Decimal
    usd: Decimal


def spend_of(simulation: Simulation, day: date) -> Iterator[Spend]:
    """Everything that a day (UTC) costs, in the same order each time."""
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 60
    yield from _of_nodes(simulation, day, first)
    yield from _of_flows(simulation, day, first)


def days_between(first: date, end: date) -> list[date]:
    """Every day from the first to before the end."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def _of_nodes(simulation: Simulation, day: date, first: int) -> Iterator[Spend]:
    minutes = np.arange(first, first + MINUTES_PER_DAY, dtype=np.int64)
    for node in simulation.infrastructure.nodes:
        hours = int(node.alive(minutes).sum()) / 60
        if not hours:
            continue
        for service, share in _shares(simulation, node).items():
            usd = hours * node.pool.hourly_usd * share
            yield Spend(
                day, Bought.NODE, service, "", node.pool.region, node.name, node.pool.instance_type,
                _exact(hours * share), _exact(usd),
            )  # fmt: skip


def _shares(simulation: Simulation, node: Node) -> dict[str, float]:
    """Parts of a node by service, its idle rest last; half by cores, half by memory."""
    shares: dict[str, float] = {}
    for service in simulation.infrastructure.pods_of(node):
        part = _HALF * (service.size.cores / node.pool.cores + service.size.memory_gib / node.pool.memory_gib)
        shares[service.name] = shares.get(service.name, 0.0) + part
    rest = 1 - sum(shares.values())
    return shares | ({IDLE: rest} if rest > 0 else {})


def _of_flows(simulation: Simulation, day: date, first: int) -> Iterator[Spend]:
    traffic = simulation.traffic
    good, bad = traffic.per_minute(first, np.zeros((MINUTES_PER_DAY, 2, len(traffic.streams))))
    totals = (good + bad).sum(axis=0)
    for stream, total in zip(traffic.streams, totals, strict=True):
        tenant = stream.tenant.name if stream.tenant else ""
        units = Decimal(round(float(total)))
        if stream.flow.metric == EGRESS:
            usd = units * EGRESS_USD
            yield Spend(day, Bought.EGRESS, stream.flow.service, tenant, "eu-west-1", "", "", units, usd)
        elif stream.flow.metric == TOKENS:
            model, kind = model_of(stream.flow)
            usd = units * TOKEN_USD[model, kind]
            yield Spend(
                day, Bought.TOKENS, stream.flow.service, tenant, "global", "", f"{model} {kind}", units, usd
            )  # fmt: skip


def model_of(flow: Flow) -> tuple[str, str]:
    """The model and the kind of tokens of a flow of tokens."""
    labels = dict(flow.labels)
    return labels["gen_ai_request_model"], labels["gen_ai_token_type"]


def _exact(value: float) -> Decimal:
    """Simulated figures are floats; from here on they are decimals."""
    return Decimal(repr(value)).quantize(_CENTS_OF_MILLIONTHS)
