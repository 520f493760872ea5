"""Deployments in the chart of an SLO: those that events tell of, and those that metrics show."""

from datetime import UTC, datetime, timedelta

from flyball.web.gathering import joined_deployments
from slo.status import Deployment

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_deployment_that_was_told_of_and_seen_stands_once_at_the_time_that_was_told() -> None:
    told, seen = Deployment("1.4.2", AT), Deployment("1.4.2", AT + 12 * MINUTE)
    assert joined_deployments([told], [seen]) == (told,)


def test_what_only_one_of_the_two_knows_stands_too() -> None:
    told, seen, later = Deployment("1.4.2", AT), Deployment("1.4.1", AT - MINUTE), Deployment("1.4.2", AT + 90 * MINUTE)
    assert joined_deployments([told], [seen, later]) == (seen, told, later)
