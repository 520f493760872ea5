"""How problems of documents are shown in tests of alerts."""

from collections.abc import Sequence

from controlplane.problems import Problem


def shown(problems: Sequence[Problem], *, hints: bool = True) -> list[str]:
    """Each as `line:column field: message (hint)`, warnings marked."""
    return [
        f"{each.line}:{each.column} {each.field}: "
        + ("" if each.severity.value == "error" else "[warning] ")
        + each.message
        + (f" ({each.hint})" if each.hint and hints else "")
        for each in sorted(problems, key=lambda each: (each.line, each.column))
    ]
