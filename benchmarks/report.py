"""How a figure is printed and kept."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside its limit; `at_most` tells which side of it is good, None is for information."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_most: bool = True
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is on the good side of its limit."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a table, and keep it in `benchmarks/results/`."""
    print(f"\n{title}")
    for figure in figures:
        limit = "" if figure.limit is None else f"{'≤' if figure.at_most else '≥'} {figure.limit:g}"
        mark = "" if figure.limit is None else ("met" if figure.met else "MISSED")
        print(
            f"  {figure.name:<58} {figure.value:>10.4g} {figure.unit:<9} {limit:<9} {mark:<7} {figure.detail}".rstrip()
        )
    FOLDER.mkdir(exist_ok=True)
    kept = {"machine": machine(), "figures": [asdict(figure) | {"met": figure.met} for figure in figures]}
    path = FOLDER / f"{title.split(':')[0].replace(' ', '_').lower()}.json"
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def machine() -> dict[str, str | int | None]:
    """What it was measured on, without naming it."""
    return {"cores": os.cpu_count(), "architecture": platform.machine(), "python": sys.version.split()[0]}


def progress(text: str) -> None:
    """Talk goes to stderr."""
    print(f"  … {text}", file=sys.stderr, flush=True)
