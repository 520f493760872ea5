"""A query for some series of those that an expression gives, chosen by the backend itself."""

from collections.abc import Mapping


def narrowed(query: str, labels: Mapping[str, str]) -> str:
    """Series of the expression that have all of these labels with these values; without labels the expression itself.

    `and on (…)` leaves values and labels as they are. A label that is empty is one that a series does not have.
    """
    if not labels:
        return query
    wanted = "vector(1)"
    for name, value in sorted(labels.items()):
        if value:
            wanted = f'label_replace({wanted}, "{name}", "{_replacement(value)}", "", "")'
    return f"({query}\n) and on ({', '.join(sorted(labels))}) {wanted}"


def _replacement(value: str) -> str:
    """In PromQL's quotes, with `$` that refers to no group."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("$", "$$")
