"""What the platform spends less of while its flags are on: factors on its flows, and machines that are given back.

No share of bad events changes: whoever is served is served well. Each tier of the example's ladder adds to those below.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from flyball.demo.platform.infrastructure import Infrastructure
from flyball.demo.platform.platform_flags import FULL_SERVICE, Reduced
from flyball.demo.platform.shapes import Effect

_BATCH_POOL: Final = "batch"
_ASSISTANT: Final = ("assistant.input_tokens", "assistant.output_tokens")
_ENRICHMENT: Final = ("enrichment.input_tokens", "enrichment.output_tokens")


def _all(flows: Collection[str], factor: float) -> dict[str, float]:
    return dict.fromkeys(flows, factor)


TRAFFIC: Final[Mapping[str, Mapping[str, float]]] = {
    # Observe: traces go to a service outside, a tenth of all bytes that leave; batches are enriched later.
    "adaptive-sampling": {"graphql-gateway.egress": 0.92, "subscriptions.egress": 0.92, "exports.egress": 0.92},
    "batch-jobs-frozen": {"exports.egress": 0.4, "connectors.rows": 0.7, **_all(_ENRICHMENT, 0.85)},
    # Throttle
    "rate-limit-non-p0": {
        "gateway.requests": 0.93,
        "gateway.reads": 0.92,
        "graphql-gateway.egress": 0.85,
        **_all(_ASSISTANT, 0.85),
    },
    "llm-context-reduced": {
        "assistant.input_tokens": 0.55,
        "assistant.output_tokens": 0.85,
        "enrichment.input_tokens": 0.65,
    },
    # Shed
    "enrichers-paused": _all(_ENRICHMENT, 0.02),  # what is under way is finished
    "heavy-reads-from-cache": {
        "neo4j.one_hop": 0.75,
        "neo4j.two_hops": 0.6,
        "graphql-gateway.egress": 0.8,
        **_all(_ASSISTANT, 0.9),
    },
    # Degrade
    "advanced-analytics-off": {"neo4j.two_hops": 0.7, **_all(_ASSISTANT, 0.6)},
    "graph-depth-limit": {"neo4j.two_hops": 0.85, "graphql-gateway.egress": 0.9},
    # Protect
    "new-tenants-blocked": {"auth.step_up": 0.95, "connectors.rows": 0.8},
    "priority-traffic-only": {
        "gateway.requests": 0.7,
        "gateway.reads": 0.7,
        "graphql-gateway.egress": 0.7,
        "subscriptions.egress": 0.8,
        "exports.egress": 0.3,
        **_all(_ASSISTANT, 0.5),
    },
    # Emergency
    "essential-endpoints-only": {
        "gateway.requests": 0.8,
        "gateway.reads": 0.8,
        "graphql-gateway.egress": 0.7,
        "subscriptions.egress": 0.6,
        **_all(_ASSISTANT, 0.2),
    },
    "expensive-services-down": {**_all(_ASSISTANT, 0.05), **_all(_ENRICHMENT, 0.1)},
}
"""By flag: what is left of the traffic of flows while it is not at its normal value."""


def reduced_flags(reduced: Reduced) -> Iterator[str]:
    """The flags that are not at their normal values."""
    normal = FULL_SERVICE.flags()
    yield from (name for name, value in reduced.flags().items() if value != normal[name])


def effects_of(reduced: Reduced) -> tuple[Effect, ...]:
    """What flags do to flows; they add up."""
    return tuple(
        Effect(flow, traffic=factor) for name in reduced_flags(reduced) for flow, factor in TRAFFIC[name].items()
    )


def given_back(reduced: Reduced, infrastructure: Infrastructure) -> frozenset[str]:
    """Names of nodes that nobody pays for: those for batch jobs, and in an emergency all on which nothing runs."""
    return frozenset(
        node.name
        for node in infrastructure.nodes
        if (reduced.batch_jobs_frozen and node.pool.name == _BATCH_POOL)
        or (reduced.expensive_services_down and not infrastructure.pods_of(node))
    )
