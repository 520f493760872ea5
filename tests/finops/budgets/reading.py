"""Budget text to budgets, for tests."""

from datetime import timedelta
from decimal import Decimal
from textwrap import dedent
from typing import Any

from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Declared, SourceFile, read
from finops.budgets.declared import declared
from finops.budgets.kinds import KINDS

BERLIN_MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "Europe/Berlin")
MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "UTC")
THIRTY_DAYS = RollingWindow(timedelta(days=30))


def a_budget(name: str = "llm", amount: str = "5000", **changes: Any) -> Budget:
    """A month's budget in USD for everything."""
    settings = {"currency": "USD", "window": MONTH} | changes
    return Budget(name=name, amount=Decimal(amount), source=SourcePosition("budgets.yaml", 1, 1), **settings)


def a_file(spec: str = "", metadata: str = "", name: str = "llm") -> str:
    """A Budget document; `spec` and `metadata` are added to a budget of 5,000 USD a month."""
    head = f"apiVersion: flyball.dev/v1\nkind: Budget\nmetadata:\n  name: {name}\n"
    body = "".join(f"  {line}\n" for line in dedent(metadata).strip().splitlines())
    rest = dedent(spec).strip().splitlines()
    given = {line.split(":")[0] for line in rest if not line.startswith(" ")}
    usual = [line for line in ("amount: 5000", "currency: USD") if line.split(":")[0] not in given]
    return head + body + "spec:\n" + "".join(f"  {line}\n" for line in (*usual, *rest))


def found(*texts: str) -> tuple[Declared[Budget], tuple[Problem, ...]]:
    """What files named a.yaml, b.yaml, … declare, and all problems, those of their shape first."""
    files = [SourceFile(f"{chr(97 + index)}.yaml", text.encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    budgets = declared(result.documents)
    return budgets, (*result.problems, *budgets.problems)


def told(*texts: str) -> list[str]:
    """Every problem on a line: where, which field, what, and the way out."""
    return [
        f"{problem.line}:{problem.column}: {problem.severity.value}: {problem.field}: {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in found(*texts)[1]
    ]
