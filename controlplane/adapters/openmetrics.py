"""OpenMetrics text of past samples, as promtool and other importers read it."""

from collections.abc import Iterable, Mapping

END = "# EOF\n"
"""The last line of every exposition."""


def selector(labels: Mapping[str, str]) -> str:
    """A series as OpenMetrics and PromQL write it: its name and all other labels, sorted."""
    inside = ",".join(
        f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()) if value and name != "__name__"
    )
    return f"{labels['__name__']}{{{inside}}}"


def lines(labels: Mapping[str, str], unix_seconds: Iterable[int], values: Iterable[float]) -> str:
    """One line for each sample of a series, in their order; times are whole seconds."""
    series = selector(labels)
    return "".join(f"{series} {value!r} {at}\n" for at, value in zip(unix_seconds, values, strict=True))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
