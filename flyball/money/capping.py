"""Caps of autoscaling as files that `flyball compile` writes: from what is left of budgets, or from files alone."""

from datetime import datetime
from pathlib import Path

from controlplane.conventions import CAPS_SUBFOLDER
from controlplane.model.generation import TextFile
from controlplane.ports import MetricsBackend
from finops.caps.asking import budget_states, replica_prices
from finops.caps.capping import whole
from finops.caps.manifests import manifests, maxima_in
from finops.caps.replica_prices import known_prices
from flyball.money.declared import MoneyDeclared


def cap_files(money: MoneyDeclared, out: Path, now: datetime, backend: MetricsBackend | None) -> dict[str, str]:
    """A manifest for each cap, by its path below OUT.

    With a backend a maximum is what the rest of its budget still pays, and the one in force (of the files that lie in
    OUT) is kept while little has changed; without, it is what the whole amount pays over the whole window. Raises what
    the backend raises.
    """
    if not money.caps:
        return {}
    prices = dict(known_prices(money.caps, money.price_maps, now))
    if backend is None:
        states = {budget.name: whole(budget) for budget in money.budgets}
        written = manifests(money.caps, states, now, prices=prices)
    else:
        prices |= replica_prices(money.caps, backend, now)
        found = budget_states(money.caps, money.budgets, backend, now)
        written = manifests(money.caps, found, now, prices=prices, previous=maxima_in(_in_force(out)))
    return {f"{CAPS_SUBFOLDER}/{file.name}": file.text for file in written}


def _in_force(out: Path) -> list[TextFile]:
    folder = out / CAPS_SUBFOLDER
    return [TextFile(path.name, path.read_text(errors="replace")) for path in sorted(folder.glob("*.yaml"))]
