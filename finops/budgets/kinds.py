"""The kinds that budgets are written in."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from finops.budgets.spec import BudgetDocument

BUDGET: Final = Kind(API_VERSION, "Budget", BudgetDocument)
KINDS: Final[tuple[Kind, ...]] = (BUDGET,)
