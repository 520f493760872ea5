"""The past incidents of the platform (catalogue.INCIDENTS) as its customers were told of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TOLD_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway.requests": ("graphql-gateway-availability", "gateway-health", "api-graphql", "core-flow", "core-flow-api"),
    "gateway.reads": ("graphql-gateway-read-latency",),
    "gateway.writes": ("graphql-gateway-write-latency",),
    "subscriptions.messages": ("subscriptions-drop-rate", "subscriptions"),
    "subscriptions.deliveries": ("subscriptions-delivery-latency",),
    "neo4j.one_hop": ("neo4j-one-hop-latency",),
    "ingest.processing": ("ingest-processing-latency",),
    "ingest.bytes": ("ingest-batch-throughput",),
    "ingest.events": ("ingest-streaming-throughput", "event-stream"),
    "auth.step_up": ("auth-step-up-success", "sign-in-page"),
    "exports.files": ("exports-redacted-and-signed",),
    "rtbf.requests": ("rtbf-within-24h",),
    "workflows.hello_world": ("workflows-hello-world", "hello-world"),
    "opa.decisions": ("opa-decision-latency",),
}
"""Objectives, probes and journeys that see each flow of the platform."""


@dataclass(frozen=True, slots=True)
class Story:
    """What was said, in Markdown."""

    title: str
    investigating: str
    identified: str
    monitoring: str
    resolved: str


STORIES: Final[Mapping[float, Story]] = {
    27.6: Story(
        "Errors after a gateway release",
        "Some requests to the API and the console fail. We are looking into it.",
        "Gateway 2.15.0, rolled out a few minutes earlier, exhausts its connections to the graph. We are rolling it "
        "back.",
        "The earlier version runs again and requests succeed. We are watching.",
        "Requests succeed as usual. **7 %** of requests failed for 42 minutes. A load test of connection limits now "
        "runs before each release.",
    ),
    25.2: Story(
        "Slow queries and writes",
        "Queries and writes take several seconds for many customers.",
        "The graph database pauses for garbage collection after a very large import.",
        "The import is paced now, and latency is falling.",
        "Latency is back to normal.",
    ),
    22.9: Story(
        "Subscriptions lose messages",
        "Subscribers miss updates or get them late.",
        "One broker partition takes most of the traffic. We are spreading it.",
        "The partition is split, and messages arrive in time.",
        "All subscriptions deliver in time. A third of messages was dropped for 64 minutes; clients that resume from "
        "their last cursor have received them since.",
    ),
    18.4: Story(
        "Sign-in with security keys fails",
        "Signing in with a security key fails for some people; API requests fail as well.",
        "A release of the gateway drops a header that sign-in needs. We are rolling it back.",
        "Sign-in works again.",
        "It was over after 9 minutes. Version 2.15.1 was released again with the fix.",
    ),
    16.7: Story(
        "Imports are delayed",
        "Imports take longer than usual to show up in the graph. Nothing is lost.",
        "Ingest workers run on too few nodes after a node pool was replaced.",
        "More workers run, and the backlog is being worked off.",
        "The backlog is gone.",
    ),
    12.8: Story(
        "Subscriptions lose messages again",
        "Subscribers miss updates or get them late.",
        "The same partition as ten days ago; the change that spread the load had been undone by a deployment.",
        "Load is spread again.",
        "All subscriptions deliver in time. The setting is part of the deployment now.",
    ),
    10.5: Story(
        "Slow queries",
        "Queries that traverse the graph are slower than usual.",
        "An index is being rebuilt in the background.",
        "The index is rebuilt.",
        "Queries are as fast as before.",
    ),
    5.1: Story(
        "Sign-in with security keys fails for some",
        "About one in three attempts to sign in with a security key fails. Trying again helps.",
        "One of two instances has an expired key.",
        "The key is renewed.",
        "Sign-in works as usual.",
    ),
}
"""By `days_ago` of the incident; those that are not here were felt by components and not told."""
