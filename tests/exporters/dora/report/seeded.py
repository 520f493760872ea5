"""A store with a month of a small shop's deliveries, as facts that were folded and measured."""

from datetime import UTC, datetime, timedelta

from controlplane.delivery_names import SOURCE_INCIDENTS
from controlplane.model.delivery import (
    Change,
    DeliveryEvent,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    SheetKey,
)
from controlplane.ports import Store
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
POLICY = DeliveryPolicy(teams={"checkout": "shop", "search": "discovery"})
REPOSITORY = "git.example/acme/shop"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BAD = "/argo#checkout-20"  # what an incident is held against
INCIDENT = f"{SOURCE_INCIDENTS}#inc-7"
NASTY = '<script>alert(1)</script>" onload="x'


def change(number: int, merged_at: datetime, **more: object) -> Change:
    return Change(
        f"{REPOSITORY}#{number}",
        REPOSITORY,
        merged_at,
        revision=f"{number:040x}",
        first_commit_at=merged_at - (20 + number % 7) * HOUR,
        opened_at=merged_at - (10 + number % 5) * HOUR,
        services=("checkout",),
        title=f"Change {number}" if number % 6 else NASTY,
        url="javascript:alert(1)" if number % 6 == 0 else f"https://git.example/acme/shop/pull/{number}",
        **more,  # type: ignore[arg-type]
    )


def deployments() -> list[Deployment]:
    found = [
        Deployment(
            f"/argo#checkout-{at}",
            "checkout",
            "production",
            NOW - (29 - at) * DAY - HOUR,
            DeploymentKind.ROLLED_BACK if at == 21 else DeploymentKind.UPGRADED,
            version="1.19" if at == 21 else f"1.{at}",
            repository=REPOSITORY,
            revision=f"{19 if at == 21 else at:040x}",
            undoes=BAD if at == 21 else "",
            url=f"https://cd.example/{at}",
        )
        for at in range(30)
    ]
    quiet = Deployment("/argo#search-1", "search", "production", NOW - 9 * DAY, DeploymentKind.DEPLOYED, version="7")
    return [*found, quiet]


def incidents() -> list[DeliveryIncident]:
    bad = NOW - 9 * DAY - HOUR
    return [
        DeliveryIncident(
            INCIDENT,
            "checkout",
            "production",
            bad + timedelta(minutes=12),
            bad + timedelta(minutes=54),
            name="INC-7",
            title="Checkout fails for one in ten",
            priority="P1",
        ),
        DeliveryIncident(
            "/pager#Q9", "search", "production", NOW - 3 * DAY, name="Q9", title=NASTY, url="javascript:alert(2)"
        ),
    ]


def event(source: str, id_: str, type_: str, entity: str) -> DeliveryEvent:
    body = b'{"specversion":"1.0","note":"<script>alert(3)</script>"}'
    return DeliveryEvent(source, id_, type_, "checkout", NOW - DAY, entity, "cloudevents", id_.encode(), body)


def seed(store: Store) -> None:
    """Write it, and measure every day."""
    found, went_wrong = deployments(), incidents()
    days = {SheetKey(each.service, each.environment, each.at.date()) for each in found}
    days |= {SheetKey(each.service, each.environment, each.started_at.date()) for each in went_wrong}
    with store.transaction() as transaction:
        log = transaction.delivery
        log.put_changes([change(at, NOW - (29 - at) * DAY - 2 * HOUR) for at in range(30)])
        log.put_deployments(found)
        log.put_incidents(went_wrong)
        log.mark_stale(sorted(days))
    MeasureDaemon(store, lambda: POLICY).run_once(NOW)


def take_events(store: Store) -> None:
    """Events to look at: one behind the bad deployment, one of a type that nobody knows."""
    with store.transaction() as transaction:
        transaction.delivery.take(
            [
                event("/argo", "checkout-20", "dev.cdevents.service.upgraded.0.2.0", f"deployment:{BAD}"),
                event("https://odd.example", NASTY, "com.example.unheard", ""),
            ],
            NOW,
        )
        transaction.delivery.refuse("github", 3)
