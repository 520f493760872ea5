"""The example's prices on the demo's metrics, against what the simulation itself says it spent."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.specfile import SourceFile, read
from finops.pricing.declared import declared
from finops.pricing.kinds import KINDS
from finops.pricing.revaluing import revalue
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.history import write_history
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.spending import Bought, spend_of
from tests.slo.evaluating import past, unix, utc

PRICES = Path(__file__).resolve().parent.parent.parent.parent / "examples/intelgraph/money/prices.yaml"
START = utc(2026, 11, 19)
END = START + timedelta(days=1)
ITEMS = {Bought.NODE: "nodes", Bought.TOKENS: "llm-tokens", Bought.EGRESS: "egress"}


def spent(simulation: Simulation) -> Mapping[tuple[str, str], Decimal]:
    """A day's money by item and service, as the simulation adds it up."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for spend in spend_of(simulation, START.date()):
        found[ITEMS[spend.bought], spend.service] += spend.usd
    return found


def test_the_examples_prices_give_what_the_simulation_spends(tmp_path: Path) -> None:
    result = read([SourceFile(PRICES.name, PRICES.read_bytes())], KINDS)
    prices = declared(result.documents)
    assert (result.problems, prices.problems) == ((), ())
    seam = unix(END) // 60
    simulation = Simulation(INTELGRAPH, seed=3, start=seam - 26 * 60, seam=seam)
    with past(tmp_path) as memory:
        write_history(simulation, memory.writer.send, lambda _: None)
        found = revalue([], prices.values, memory.backend, start=START, end=END)
    truth = spent(simulation)
    money = {(row.item, row.service): float(row.new or 0) for row in found.rows}
    assert money.keys() == truth.keys()
    assert money == pytest.approx({key: float(usd) for key, usd in truth.items()}, rel=0.01)
    assert all(item.known == 1 and item.unpriced == 0 for item in found.items)
