"""What is allowed in budgets, but probably not meant: alerts that cannot fire, and budgets within one another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from controlplane.burn_rate import duration, tiers_within
from controlplane.model.budget import Budget
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document

_RULE: Final = "budget-advice"


def advice(budgets: Sequence[tuple[Budget, Document]]) -> Iterator[Problem]:
    """Warnings about budgets that are right by themselves, each with its document."""
    for budget, document in budgets:
        yield from _tiers_too_long(budget, document)
    for budget, document in budgets:
        yield from _same_scope(budget, document, [other for other, _ in budgets if other.name < budget.name])


def _tiers_too_long(budget: Budget, document: Document) -> Iterator[Problem]:
    within = tiers_within(budget.window.length, budget.tiers)
    dropped = [tier for tier in budget.tiers if tier not in within]
    if not dropped:
        return
    listed = ", ".join(f"{tier.urgency.value} over {duration(tier.long)}" for tier in dropped)
    message = f"the window is shorter than some alerts look back, so these can never fire and are left out: {listed}"
    at = ("spec", "alerts", "tiers") if document.has("spec", "alerts", "tiers") else ("spec", "window")
    yield document.problem(*at, message=message, severity=Severity.WARNING, rule=_RULE, hint="write shorter tiers")


def _same_scope(budget: Budget, document: Document, others: Sequence[Budget]) -> Iterator[Problem]:
    """Two budgets on the very same spend and window: one of them is probably a copy that was not finished."""
    for other in others:
        same = (other.currency, other.scope, other.window) == (budget.currency, budget.scope, budget.window)
        if same:
            message = f"counts the same spend over the same window as budget `{other.name}`"
            hint = "keep one, with all thresholds, or change its scope"
            yield document.problem(
                "spec", "scope", message=message, severity=Severity.WARNING, rule=_RULE, hint=hint, on_key=True
            )


def contains(outer: Budget, inner: Budget) -> bool:
    """Whether all spend that `inner` counts also counts in `outer`: same currency, and no narrower scope."""
    if outer.currency != inner.currency or outer.name == inner.name:
        return False
    asked: Mapping[str, tuple[str, ...]] = dict(inner.scope)
    return all(label in asked and set(asked[label]) <= set(values) for label, values in outer.scope)


def containing(budget: Budget, all_budgets: Sequence[Budget]) -> tuple[str, ...]:
    """Names of the budgets in which all spend of a budget counts too, for pages and `flyball plan`: informational."""
    return tuple(other.name for other in all_budgets if contains(other, budget))
