"""Do the unit tests that `flyball compile` writes catch rules with a mistake? Each mutant of an SLO's rules is tried.

A mutant that no test tells from the right rules must be listed here with the reason why nothing could.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, progress, show
from benchmarks.rule_mutants import Mutant, mutants
from controlplane.model.alerting import Alerting, AlertMethod
from controlplane.model.slo import SLO, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.rulefile import to_yaml
from slo.compiler import CompileOptions, rule_file, subjects
from slo.proofs import proof_of

_HERE: Final = SourcePosition("benchmark.yaml", 1, 1)


@dataclass(frozen=True, slots=True)
class Known:
    """Mutants that no test can catch: patterns for where and what, and why."""

    where: str
    change: str
    why: str


_NO_LONGER: Final = "no test lasts as long as the window"
EQUIVALENT: Final = (Known(r"total30d|window_coverage:ratio", r"\[30d →", _NO_LONGER),)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a mutant. `caught_by` is the title of a test, empty when it survived; `why` it may."""

    mutant: Mutant
    caught_by: str
    why: str = ""


def an_slo(alerting: Alerting) -> SLO:
    """A usual SLO with these alerts."""
    bad, total = (Query(f'http_requests_total{{job="shop"{more}}}', _HERE) for more in (',code=~"5.."', ""))
    indicator = RatioIndicator(total=total, bad=bad, good=None)
    window = RollingWindow(timedelta(days=30))
    return SLO("shop", "shop", Decimal("0.99"), window, indicator, _HERE, alerting=alerting)


class Campaign:
    """The mutants of one SLO's rules, and the tests that are to catch them."""

    def __init__(self, slo: SLO, folder: Path) -> None:
        (self._subject,) = subjects([slo], CompileOptions())
        self.rules = rule_file(self._subject)
        self.mutants = tuple(mutants(self.rules))
        self._folder = folder
        proofs = proof_of(self._subject, self.rules, rules_folder=".")
        self._tests = sorted(
            (test for proof in proofs for test in _single(proof.file.text)), key=lambda test: test.evaluations
        )

    def outcome(self, index: int) -> Outcome:
        """Whether a test, from the shortest on, catches the mutant."""
        mutant = self.mutants[index]
        folder = self._folder / str(index)
        folder.mkdir()
        (folder / self.rules.name).write_text(to_yaml(mutant.rules))
        caught_by = next((test.title for test in self._tests if not _passes(folder, test.text)), "")
        return Outcome(mutant, caught_by, "" if caught_by else _reason(mutant))

    def is_right(self) -> bool:
        """Whether the rules without a mistake pass."""
        (self._folder / self.rules.name).write_text(to_yaml(self.rules))
        return all(_passes(self._folder, test.text) for test in self._tests)


@dataclass(frozen=True, slots=True)
class _Test:
    title: str
    evaluations: int
    text: str


def _single(text: str) -> Iterator[_Test]:
    """Each test of a file as a file of its own."""
    header, *tests = re.split(r"(?m)^- name: ", text)
    every = 5 if "evaluation_interval: 5m" in header else 1
    for test in tests:
        last = max(int(at) for at in re.findall(r"eval_time: (\d+)m", test))
        yield _Test(test.splitlines()[0].strip("'"), last // every, f"{header}- name: {test}")


def _passes(folder: Path, test: str) -> bool:
    (folder / "test.yaml").write_text(test)
    command = ["promtool", "test", "rules", "test.yaml"]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True).returncode == 0


def _reason(mutant: Mutant) -> str:
    found = (
        each.why for each in EQUIVALENT if re.search(each.where, mutant.where) and re.search(each.change, mutant.change)
    )
    return next(found, "")


SUBJECTS: Final[Mapping[str, Alerting]] = {
    "budget in events": Alerting(),
    "burn rates": Alerting(method=AlertMethod.BURN_RATE),
}


def outcomes(slo: SLO, chosen: Sequence[int] | None = None) -> list[Outcome]:
    """What comes of the mutants of an SLO's rules: all of them, or those with these numbers."""
    with tempfile.TemporaryDirectory(prefix="flyball-mutants-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        campaign = Campaign(slo, Path(folder))
        return list(pool.map(campaign.outcome, range(len(campaign.mutants)) if chosen is None else chosen))


def run() -> None:
    """Every mutant of the rules of both methods."""
    figures = []
    for name, alerting in SUBJECTS.items():
        progress(f"mutants of rules: {name}")
        found = outcomes(an_slo(alerting))
        caught = [each for each in found if each.caught_by]
        excused = [each for each in found if each.why]
        for each in found:
            if not each.caught_by:
                progress(f"not caught: {each.mutant.where}: {each.mutant.change} ({each.why or 'MISSED'})")
        detail = f"caught {len(caught)} of {len(found)}; {len(excused)} are equivalent"
        share = len(caught) / (len(found) - len(excused))
        figures.append(Figure(f"mutants caught, {name}", 100 * share, "%", 100, at_most=False, detail=detail))
    show("proofs: wrong rules that the written tests catch", figures)
