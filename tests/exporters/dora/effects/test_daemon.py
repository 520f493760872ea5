"""Effects of deployments measured on a real Prometheus, kept in a real store."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.conventions import EVENT_TIER_CHANGED
from controlplane.model.delivery import DeliveryIncident, Deployment, DeploymentKind
from controlplane.model.event import Event
from controlplane.model.series import Sample, Series
from controlplane.model.source import SourcePosition
from controlplane.ports import Transient
from controlplane.store import SqlStore
from exporters.dora.effects.daemon import EffectsDaemon, Turn
from exporters.dora.effects.model import ConfounderKind, Effect, Figures, State, Subject
from exporters.dora.effects.ranking import worst
from exporters.dora.effects.rows import from_row, of_deployment
from exporters.dora.policy.model import DeliveryPolicy
from exporters.unit_cost.model import UnitCost, Units
from tests.exporters.dora.effects.recorded import AT, BUDGET, HEALED, Truth

HOUR = timedelta(hours=1)
READY = AT + timedelta(minutes=80)
LATER = AT + timedelta(hours=29)
CALLS = UnitCost(
    "calls", "USD", Units("calls", "calls_total"), Decimal(1000), SourcePosition("x.yaml", 1, 1),
    scope=(("service", ("checkout",)),),
)  # fmt: skip


class Watched:
    """A Prometheus of which the number of questions is known, and that may be away."""

    def __init__(self, url: str) -> None:
        self.backend = PrometheusBackend(url)
        self.asked = 0
        self.is_away = False

    def query(self, expr: str, at: datetime) -> list[Sample]:
        self._ask()
        return self.backend.query(expr, at)

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self._ask()
        return self.backend.query_range(expr, start, end, step)

    def _ask(self) -> None:
        if self.is_away:
            raise Transient("Prometheus does not answer")
        self.asked += 1


@pytest.fixture
def metrics(server: tuple[str, Truth]) -> Iterator[Watched]:
    watched = Watched(server[0])
    yield watched
    watched.backend.close()


@pytest.fixture
def truth(server: tuple[str, Truth]) -> Truth:
    return server[1]


def deployment(service: str = "checkout", at: datetime = AT, **other: object) -> Deployment:
    version = other.pop("version", "1.4.2")
    kind = other.pop("kind", DeploymentKind.DEPLOYED)
    environment = str(other.pop("environment", "production"))
    id_ = f"{service}-{version}-{environment}"
    return Deployment(id_, service, environment, at, kind, version=version, **other)  # type: ignore[arg-type]


ROLLBACK = deployment(at=HEALED, version="1.4.1", kind=DeploymentKind.ROLLED_BACK)


def known(store: SqlStore, *deployments: Deployment) -> None:
    with store.transaction() as transaction:
        transaction.delivery.put_deployments(deployments)


def daemon(store: SqlStore, metrics: Watched, costs: Sequence[UnitCost] = ()) -> EffectsDaemon:
    return EffectsDaemon(store, metrics, DeliveryPolicy, lambda: costs)


def effects_of(store: SqlStore, deployment: Deployment) -> dict[str, Effect]:
    with store.transaction(read_only=True) as transaction:
        rows = transaction.delivery.effects_of([deployment.id]).get(deployment.id, [])
    return {each.name: each for each in map(from_row, rows)}


def figures(effect: Effect) -> Figures:
    assert effect.figures
    return effect.figures


def test_a_bad_release_that_was_rolled_back_cost_what_was_injected(
    store: SqlStore, metrics: Watched, truth: Truth
) -> None:
    known(store, deployment(), ROLLBACK)
    assert daemon(store, metrics).run_once(HEALED + 2 * HOUR) == Turn(2)
    found = effects_of(store, deployment())["checkout-availability"]
    assert (found.is_measurable, found.period) == (True, "30d")
    spent = figures(found).spent
    assert (spent.is_final, spent.ended_by) == (True, "the rollback to 1.4.1")
    assert spent.extra.lower <= truth.extra_bad <= spent.extra.upper
    assert abs(float(spent.extra.value) / truth.extra_bad - 1) < 0.03
    assert spent.budget
    assert abs(float(spent.budget.value) - truth.extra_bad / BUDGET) < 0.0005
    assert 0.03 < figures(found).after < 0.06
    assert figures(found).pasts > 100
    healing = effects_of(store, ROLLBACK)["checkout-availability"]
    assert healing.is_measurable
    assert figures(healing).change.value < 0


def test_a_unit_cost_that_rose_is_told_with_the_money(store: SqlStore, metrics: Watched, truth: Truth) -> None:
    known(store, deployment(), ROLLBACK)
    daemon(store, metrics, [CALLS]).run_once(HEALED + 2 * HOUR)
    found = effects_of(store, deployment())["calls"]
    assert (found.is_measurable, found.subject) == (True, Subject.UNIT_COST)
    assert figures(found).change.lower <= Decimal("0.4") <= figures(found).change.upper
    assert abs(float(figures(found).spent.extra.value) / truth.extra_money - 1) < 0.03
    assert abs(float(figures(found).expected.value) - 1) < 0.02
    assert (found.currency, found.per) == ("USD", "1,000 calls")


def test_a_calm_service_had_no_measurable_effect(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment("catalogue"), deployment("rare"))
    daemon(store, metrics).run_once(READY)
    for service in ("catalogue", "rare"):
        (found,) = effects_of(store, deployment(service)).values()
        assert (found.state, found.is_measurable) == (State.MEASURED, False), service
        assert figures(found).change.lower <= 0 <= figures(found).change.upper
    (calm,) = effects_of(store, deployment("catalogue")).values()
    assert [each.kind for each in calm.confounders] == [ConfounderKind.EXCLUSION]
    assert calm.confounders[0].text == "events were taken out by night"


def test_without_half_of_the_slots_it_is_unknown_and_says_why(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment("gap"), deployment("nobody"), deployment("catalogue", kind=DeploymentKind.REMOVED))
    assert daemon(store, metrics).run_once(READY) == Turn(2)
    (gap,) = effects_of(store, deployment("gap")).values()
    assert (gap.state, gap.reason) == (State.UNKNOWN, "0 of 12 slots after it have data")
    (nobody,) = effects_of(store, deployment("nobody")).values()
    assert (nobody.subject, nobody.reason) == (Subject.NONE, "no SLO and no unit cost belongs to the service")


def test_nothing_is_measured_before_its_time_is_over_nor_twice(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment(), deployment("checkout", environment="staging"))
    measuring = daemon(store, metrics)
    assert measuring.run_once(READY - timedelta(minutes=10)) == Turn(0)
    assert metrics.asked == 0
    assert measuring.run_once(READY) == Turn(1)
    asked = metrics.asked
    assert measuring.run_once(READY + timedelta(minutes=1)) == Turn(0)
    assert daemon(store, metrics).run_once(READY + timedelta(minutes=2)) == Turn(0)
    assert metrics.asked == asked


def test_what_was_rolled_back_is_known_soon_after(store: SqlStore, metrics: Watched, truth: Truth) -> None:
    known(store, deployment(), ROLLBACK)
    measuring, settled = daemon(store, metrics), HEALED + timedelta(minutes=15)
    assert measuring.run_once(settled - timedelta(minutes=1)) == Turn(0)
    assert measuring.run_once(settled) == Turn(1)
    found = effects_of(store, deployment())["checkout-availability"]
    assert figures(found).spent.is_final
    assert abs(float(figures(found).spent.extra.value) / truth.extra_bad - 1) < 0.03
    assert measuring.run_once(settled + timedelta(minutes=1)) == Turn(0)


def test_while_prometheus_is_away_deployments_wait_and_are_measured_afterwards(
    store: SqlStore, metrics: Watched
) -> None:
    known(store, deployment())
    measuring = daemon(store, metrics)
    metrics.is_away = True
    assert measuring.run_once(READY) == Turn(0, "Prometheus does not answer")
    assert not effects_of(store, deployment())
    metrics.is_away = False
    assert measuring.run_once(READY + timedelta(minutes=1)) == Turn(1)


def test_what_it_spent_is_measured_again_when_something_ended_it(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment("leaky"))
    measuring = daemon(store, metrics)
    measuring.run_once(READY)
    assert effects_of(store, deployment("leaky"))["leaky-availability"].is_open
    known(store, deployment("leaky", at=READY + HOUR, version="1.4.3"))
    assert measuring.run_once(READY + timedelta(hours=1, minutes=5)) == Turn(0)
    assert measuring.run_once(READY + timedelta(hours=2, minutes=20)) == Turn(2)
    found = effects_of(store, deployment("leaky"))["leaky-availability"]
    assert not found.is_open
    assert figures(found).spent.ended_by == "the deployment of 1.4.3"


@pytest.mark.parametrize(("service", "lasted"), [("leaky", timedelta(days=1)), ("checkout", timedelta(minutes=65))])
def test_nothing_more_is_held_against_it_after_a_day_nor_when_all_is_as_before(
    store: SqlStore, metrics: Watched, service: str, lasted: timedelta
) -> None:
    known(store, deployment(service))
    daemon(store, metrics).run_once(LATER)
    found = effects_of(store, deployment(service))[f"{service}-availability"]
    spent = figures(found).spent
    assert (spent.until, spent.is_final, spent.ended_by) == (AT + lasted, True, "")


def test_ledgers_of_a_time_before_anybody_described_them_count(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment("old"))
    daemon(store, metrics).run_once(READY)
    assert effects_of(store, deployment("old"))[""].subject is Subject.NONE
    daemon(store, metrics).again(AT, LATER)
    found = effects_of(store, deployment("old"))["old-availability"]
    assert found.is_measurable
    assert figures(found).spent.budget
    with store.transaction(read_only=True) as transaction:
        rows = transaction.delivery.effects_of([deployment("old").id])[deployment("old").id]
    assert [each.name for each in of_deployment(rows)] == ["old-availability"]


def test_many_deployments_share_their_questions(store: SqlStore, metrics: Watched) -> None:
    known(
        store,
        *(deployment("catalogue", AT - number * timedelta(minutes=70), version=str(number)) for number in range(15)),
    )
    assert daemon(store, metrics).run_once(READY) == Turn(15)
    assert metrics.asked == 6


def test_what_else_happened_is_named(store: SqlStore, metrics: Watched) -> None:
    known(
        store,
        deployment(run="release-7"),
        deployment("catalogue", run="release-7"),
        deployment(at=AT - timedelta(minutes=30), version="1.4.1"),
    )
    started = AT - timedelta(minutes=20)
    moved = Event("t", EVENT_TIER_CHANGED, "production", AT + timedelta(minutes=20), {"from": 0, "to": 2})
    incidents = [
        DeliveryIncident("i", "checkout", "production", started, AT + HOUR, name="INC-7"),
        DeliveryIncident("later", "checkout", "production", AT + timedelta(minutes=9), name="INC-8"),
        DeliveryIncident("over", "checkout", "production", AT - 3 * HOUR, AT - 2 * HOUR, name="INC-6"),
    ]
    with store.transaction() as transaction:
        transaction.delivery.put_incidents(incidents)
        transaction.events.append(moved, READY)
    daemon(store, metrics).run_once(READY)
    found = effects_of(store, deployment())["checkout-availability"]
    assert [each.text for each in found.confounders] == [
        "the deployment of 1.4.1 30 min before it: that window is shorter",
        "the same run deployed catalogue",
        "incident INC-7 had begun 2026-11-20 09:43 UTC and went on",
        "ladder production went from tier 0 to 2 2026-11-20 10:23 UTC",
    ]


def test_two_deployments_within_minutes_cannot_be_told_apart(store: SqlStore, metrics: Watched) -> None:
    next_one = deployment(at=AT + timedelta(minutes=3), version="1.4.3")
    known(store, deployment(), next_one)
    daemon(store, metrics).run_once(READY + HOUR)
    for each in (deployment(), next_one):
        found = effects_of(store, each)["checkout-availability"]
        assert found.state is State.UNKNOWN
        assert "was only 3 min" in found.reason


def test_what_was_rolled_back_within_minutes_is_known_all_the_same(store: SqlStore, metrics: Watched) -> None:
    back = deployment(at=AT + timedelta(minutes=3), version="1.4.1", kind=DeploymentKind.ROLLED_BACK)
    known(store, deployment(), back)
    daemon(store, metrics).run_once(READY + HOUR)
    found = effects_of(store, deployment())["checkout-availability"]
    assert found.is_measurable
    assert figures(found).spent.ended_by == "the rollback to 1.4.1"
    assert effects_of(store, back)["checkout-availability"].state is State.UNKNOWN


def test_by_hand_it_is_measured_again_and_older_ones_too(store: SqlStore, metrics: Watched) -> None:
    known(store, deployment(), ROLLBACK, deployment("catalogue"))
    measuring = daemon(store, metrics)
    now = AT + timedelta(days=20)
    assert measuring.run_once(now) == Turn(0)
    assert measuring.again(now - timedelta(days=30), now, service="checkout") == Turn(2)
    assert measuring.again(now - timedelta(days=30), now, deployment=deployment("catalogue").id) == Turn(1)
    with store.transaction(read_only=True) as transaction:
        ten = worst(transaction, now - timedelta(days=30), now, DeliveryPolicy())
    assert [each.deployment for each in ten.budgets] == [deployment().id]
    assert (ten.measured, ten.calm, ten.better, ten.unknown, ten.waiting) == (3, 1, 1, 0, 0)
