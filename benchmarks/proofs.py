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
from random import Random
from typing import Final

from benchmarks.report import Figure, progress, show
from benchmarks.rule_mutants import Mutant, mutants
from controlplane.model.alerting import Alerting, AlertMethod
from controlplane.model.slo import SLO, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.rulefile import to_yaml
from slo.compiler import CompileOptions, rule_file, subjects
from slo.proofs import proof_of

# What only tickets look at: their tests are tried first.
_SLOW: Final = r"ticket$|2h|1d|3d|:6h$"
_HERE: Final = SourcePosition("benchmark.yaml", 1, 1)


@dataclass(frozen=True, slots=True)
class Known:
    """Mutants that no test can catch: patterns for where and what, and why."""

    where: str
    change: str
    why: str


EQUIVALENT: Final = (
    Known(r"total30d|window_coverage:ratio", r"\[30d →", "no test lasts as long as the window"),
    Known(r"rolling5m|ledger5m", r"5m( →|\] →)", "means over another range: the same where traffic is even"),
    Known(
        r"error_budget:events", r"15m( →|\] →)", "a look back over evaluations that are missed; promtool misses none"
    ),
    Known(
        r"rolling5m bad", r"(instance|job).*5m →", "a guard for error series that are born; those of tests are there"
    ),
    Known(
        r"page$", r"clause 1: .*\[14.4 →", "who spends 2 % in 5 minutes burns 172 times too fast, so the factor is met"
    ),
    Known(r"page$", r"clause 1: .*\[0.02 → 0.022", "the clause of an hour sees the same 4 minutes later"),
    Known(r"sum\d+[hd]", r"15m →", "a look back over evaluations that are missed; promtool misses none"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a mutant. `caught_by`: a test's title, empty when it survived; `why` nothing could catch it."""

    mutant: Mutant
    caught_by: str
    why: str = ""


def an_slo(alerting: Alerting) -> SLO:
    """A usual SLO with these alerts."""
    bad, total = (Query(f'http_requests_total{{job="shop"{more}}}', _HERE) for more in (',code=~"5.."', ""))
    indicator = RatioIndicator(total=total, bad=bad, good=None)
    window = RollingWindow(timedelta(days=30))
    return SLO("shop", "shop", Decimal("0.999"), window, indicator, _HERE, alerting=alerting)


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
        """Whether a test catches the mutant; those that nothing could catch are not tried."""
        mutant = self.mutants[index]
        if why := _reason(mutant):
            return Outcome(mutant, "", why)
        folder = self._folder / str(index)
        folder.mkdir()
        (folder / self.rules.name).write_text(to_yaml(mutant.rules))
        slow = re.search(_SLOW, mutant.where) is not None
        tests = sorted(self._tests, key=lambda test: (test.title.startswith("ticket") != slow, test.evaluations))
        return Outcome(mutant, next((test.title for test in tests if not _passes(folder, test.text)), ""))

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


def outcomes(slo: SLO, sample: int | None = None) -> list[Outcome]:
    """What comes of the mutants of an SLO's rules: of all, or of some that are not equivalent, always the same ones."""
    with tempfile.TemporaryDirectory(prefix="flyball-mutants-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        campaign = Campaign(slo, Path(folder))
        chosen: Sequence[int] = range(len(campaign.mutants))
        if sample is not None:
            chosen = Random(3).sample([each for each in chosen if not _reason(campaign.mutants[each])], sample)
        return list(pool.map(campaign.outcome, chosen))


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
        wrong = len(found) - len(excused)
        detail = f"caught {len(caught)} of {wrong}, beside {len(excused)} that are equivalent"
        share = len(caught) / wrong
        figures.append(Figure(f"mutants caught, {name}", 100 * share, "%", 100, at_most=False, detail=detail))
    show("proofs: wrong rules that the written tests catch", figures)
