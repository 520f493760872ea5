"""What a Prometheus says of budgets becomes the state that caps are computed from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.budget import Budget
from controlplane.model.series import Series
from controlplane.model.slo import CalendarUnit, CalendarWindow
from controlplane.model.source import SourcePosition
from finops.caps.asking import budget_states, replica_prices
from finops.caps.capping import maximum_of
from finops.caps.manifests import manifests, maxima_in
from flyball.demo import servers
from tests.finops.caps.reading import BUDGET, GOOD, HPA, declared_in

NOW = datetime.now(UTC).replace(microsecond=0)
MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "UTC")
HERE = SourcePosition("x.yaml", 1, 1)
NAN = float("nan")
SAID = {
    names.BUDGET_SPENT: {"infrastructure": 9000.5, "silent": 100.0, "gaps": 400.0, "blind": 400.0, "broken": NAN},
    names.BUDGET_COVERAGE: {"infrastructure": 1.0, "silent": 1.0, "gaps": 0.8, "blind": 0.4, "broken": 1.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus"), out_of_order="1d") as server:
        with RemoteWriter(server.url) as writer:
            for name, values in SAID.items():
                for budget, value in values.items():
                    at = NOW - (timedelta(minutes=9) if budget == "silent" else timedelta(0))
                    labels = {"__name__": name, names.BUDGET: budget, names.CURRENCY: "USD"}
                    writer.write([Series(labels, ((at, value),))])
            for pod, price in (("a", 0.1), ("b", 0.2)):
                writer.write([Series({"__name__": "price", "pod": pod}, ((NOW, price),))])
        backend = PrometheusBackend(server.url)
        yield backend
        backend.close()


def budget(name: str) -> Budget:
    return Budget(name, Decimal(18_000), "USD", MONTH, HERE)


def test_what_is_left_is_as_old_as_its_sample(backend: PrometheusBackend) -> None:
    (gateway,) = declared_in(HPA + BUDGET).values
    state = budget_states([gateway], [budget("infrastructure"), budget("silent")], backend, NOW)
    assert state.keys() == {"infrastructure"}
    assert (state["infrastructure"].remaining, state["infrastructure"].at) == (Decimal("8999.5"), NOW)
    (silent,) = declared_in(HPA.replace("budget: infrastructure", "budget: silent"), check_names=False).values
    state = budget_states([silent], [budget("silent")], backend, NOW)
    assert state["silent"].at == NOW - timedelta(minutes=9)
    assert maximum_of(silent, state["silent"], Decimal(1), NOW + timedelta(minutes=2)).replicas == 3


@pytest.mark.parametrize(("name", "remaining"), [("gaps", Decimal(17_500)), ("blind", None), ("broken", None)])
def test_gaps_cost_as_much_as_what_is_known_and_too_many_of_them_leave_nothing_known(
    backend: PrometheusBackend, name: str, remaining: Decimal | None
) -> None:
    (cap,) = declared_in(HPA.replace("budget: infrastructure", f"budget: {name}"), check_names=False).values
    assert budget_states([cap], [budget(name)], backend, NOW)[name].remaining == remaining


def test_a_budget_that_prometheus_does_not_know_is_not_known(backend: PrometheusBackend) -> None:
    (cap,) = declared_in(HPA.replace("budget: infrastructure", "budget: other"), check_names=False).values
    state = budget_states([cap], [budget("other")], backend, NOW)
    assert state == {}
    assert maxima_in(manifests([cap], state, NOW)) == {"gateway": 3}


@pytest.mark.parametrize(
    ("query", "price"), [("avg(price)", Decimal("0.15")), ("price", None), ("nothing", None), ("avg(price) * 0", None)]
)
def test_a_price_is_one_number_above_nothing(backend: PrometheusBackend, query: str, price: Decimal | None) -> None:
    text = GOOD.replace("{amount: 0.096}", f"{{query: {query}}}")
    asked = replica_prices(declared_in(text + BUDGET).values, backend, NOW)
    assert asked == ({} if price is None else {"connector": pytest.approx(price)})
