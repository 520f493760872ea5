"""How much of each item was used, by its PriceMap."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.series import Series
from controlplane.ports import Transient
from controlplane.promql import check_promql
from controlplane.specfile import SourceFile, read
from finops.explain.quantities import STEP, fetch_quantities, unit_of
from finops.pricing.declared import declared
from finops.pricing.kinds import KINDS
from finops.pricing.model import Item, Measure, OpenCost, Price, PriceMap, Usage

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/intelgraph/money/prices.yaml"
PERIOD = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
BY = ("service", "price", "resource", "model")
EGRESS = Item(
    "egress", "byte", Usage(Measure.COUNTER, "sent_bytes_total"), ("service",), labels=(("provider", "aws"),),
    schedule=(Price(Decimal("0.09"), Decimal(10**9)),),
)  # fmt: skip
PODS = Item(
    "pods",
    "pod",
    Usage(Measure.GAUGE, "kube_pod_info"),
    ("service",),
    (("service", "app"),),
    schedule=(Price(Decimal(1)),),
)
NODES = Item("nodes", "node", None, ("service",), (("service", "app"),), opencost=OpenCost())


class _Metrics:
    """The same every 5 minutes, of one service; `share` of the time is known."""

    def __init__(self, value: float = 2.0, *, share: float = 1.0, labels: dict[str, str] | None = None) -> None:
        self._value, self._share, self._labels = value, share, labels or {"service": "api"}
        self.asked: list[str] = []

    def query(self, expr: str, at: datetime) -> list[object]:
        raise NotImplementedError

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        assert (start, end, step) == (PERIOD[0] + STEP, PERIOD[1], STEP)
        self.asked.append(expr)
        assert check_promql(expr) is None, expr
        known = int(288 * self._share)
        return [Series(self._labels, tuple((start + at * step, self._value) for at in range(known)))]


def _asked(
    metrics: _Metrics, items: Sequence[Item], where: dict[str, tuple[str, ...]] | None = None
) -> tuple[dict, list[str]]:  # type: ignore[type-arg]
    missing: list[str] = []
    maps = [PriceMap("m", "USD", tuple(items))]
    found = fetch_quantities(metrics, maps, BY, where or {}, PERIOD, missing)  # type: ignore[arg-type]
    return dict(found), missing


def test_units_of_every_5_minutes_are_added_by_group_and_item() -> None:
    assert _asked(_Metrics(), [EGRESS]) == ({("api", "egress", "byte", None): (Decimal(576), "byte")}, [])


def test_what_there_is_at_a_moment_is_told_in_hours() -> None:
    assert [unit_of(item) for item in (EGRESS, PODS, NODES)] == ["byte", "pod-hour", "core-hour"]


def test_nodes_are_told_by_the_cores_that_were_allocated_under_our_names() -> None:
    metrics = _Metrics(0.25, labels={"app": "api"})
    assert _asked(metrics, [NODES])[0] == {("api", "nodes", "node", None): (Decimal(72), "core-hour")}
    assert "sum by (app)" in metrics.asked[0]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"service": ("api",)}, 1),
        ({"service": ("web",)}, 0),
        ({"resource": ("byte", "token")}, 1),
        ({"resource": ("token",)}, 0),
        ({"provider": ("aws",)}, 1),
        ({"tenant": ("alpha",)}, 0),
    ],
)
def test_only_what_is_selected_counts(where: dict[str, tuple[str, ...]], found: int) -> None:
    assert len(_asked(_Metrics(), [EGRESS], where)[0]) == found


def test_usage_of_a_part_of_the_period_is_no_quantity() -> None:
    quantities, missing = _asked(_Metrics(share=0.8), [EGRESS])
    assert quantities == {}
    assert "egress" in missing[0]


def test_a_prometheus_that_is_away_is_said() -> None:
    class Away(_Metrics):
        def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
            raise Transient("away")

    assert _asked(Away(), [EGRESS]) == ({}, ["quantities of egress: away"])


def test_the_examples_prices_have_quantities_that_prometheus_understands() -> None:
    documents = read([SourceFile("prices.yaml", EXAMPLE.read_bytes())], KINDS).documents
    (prices,) = declared(documents).values
    metrics = _Metrics()
    _asked(metrics, prices.items)
    assert len(metrics.asked) == len(prices.items)
