"""The kinds that budgets are written in."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "finops.budgets.spec"
BUDGET: Final = Kind(API_VERSION, "Budget", ModelAt(_SPEC, "BudgetDocument"))
KINDS: Final[tuple[Kind, ...]] = (BUDGET,)
