"""Steps that can never do anything, or whose cost would go round in circles: told before anything is spread."""

from collections.abc import Iterator, Sequence

from controlplane.problems import Problem
from controlplane.specfile import Document
from finops.allocation.model import EvenKey, Scope, SharesKey, Step

RULE = "cost-allocation"


def circle_problems(document: Document, steps: Sequence[Step]) -> Iterator[Problem]:
    """Steps that give back to what an earlier step (or they themselves) emptied, and steps to which nothing is left."""
    for number, step in enumerate(steps):
        at = ("spec", "steps", number)
        for earlier in steps[: number + 1]:
            returned = _returned(earlier, step)
            if returned:
                what = "its own selection" if earlier is step else f"what the step `{earlier.name}` took from"
                message = f"the steps go in circles: it gives to {', '.join(returned)}, which is {what}"
                hint = "leave it out of the targets, or put this step first"
                yield document.problem(*at, "name", message=message, hint=hint, rule=RULE)
        for earlier in steps[:number]:
            if earlier.over == step.over and _always_spreads(earlier) and _covers(earlier, step):
                message = f"nothing is left for it: the step `{earlier.name}` has spread all of it"
                hint = "narrow the earlier selection, or put this step first"
                yield document.problem(*at, "select", message=message, hint=hint, rule=RULE)
                break


def _returned(earlier: Step, step: Step) -> list[str]:
    """Known targets of a step in which the earlier one would find cost again."""
    taken = dict(earlier.select).get(step.over)
    if taken is None or not _overlap(earlier.select, step.select, step.over):
        return []
    return [target for target in _known_targets(step) if target in taken]


def _known_targets(step: Step) -> Sequence[str]:
    if isinstance(step.key, SharesKey):
        return [target for target, share in step.key.shares if share]
    return step.targets


def _overlap(one: Scope, other: Scope, leaving_out: str) -> bool:
    """Whether some cost fits both, whatever it has in one dimension."""
    others = dict(other)
    return all(
        dimension == leaving_out or dimension not in others or set(values) & set(others[dimension])
        for dimension, values in one
    )


def _always_spreads(step: Step) -> bool:
    """Whether its key covers whatever it takes; the others may lack weights, and a later step is their fallback."""
    return isinstance(step.key, SharesKey) or (isinstance(step.key, EvenKey) and bool(step.targets))


def _covers(earlier: Step, step: Step) -> bool:
    """Whether everything that fits the step's selection fits the earlier one's."""
    wanted, own = dict(earlier.select), dict(step.select)
    if (step.over in own) != (step.over in wanted):
        return False
    return all(dimension in own and set(own[dimension]) <= set(values) for dimension, values in wanted.items())
