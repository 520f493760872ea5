"""Whether the files that OpenSLO, its tools, Sloth and Pyrra publish load and compile, or are refused as they should.

`python -m benchmarks conformance DIR…`, each DIR a checkout of one of their repositories, or a folder of them. Every
YAML and JSON file of a dialect is read alone, as a user would begin. A file that is not expected to be refused must
compile; one that is must be refused at the fields named here.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.rulefile import to_yaml
from controlplane.specfile import SourceFile
from flyball.examining import examine
from slo.compiler import compile_rules

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_MARK: Final = re.compile(
    rb"""(?m)^[-\s]*["']?(?:apiVersion|version)["']?:\s*["']?(?:openslo|prometheus/v1|sloth\.slok\.dev/|pyrra\.dev/)"""
)
_WRITTEN: Final = ("node_modules", ".github", "_gen", "deploy")  # folders of what tools wrote, and of tools' own
_INVALID: Final = "validate"  # folder of files that may not even say what they are
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """Files that must be refused, each of these fields being told (as an error or a warning), and why that is right."""

    files: str  # a pattern for the end of a path
    fields: tuple[str, ...]
    why: str


_NAME: Final = ("metadata.name",)
_NO_NAME: Final = "a name with a space"
_NOT_PROMETHEUS: Final = "metrics that are not from Prometheus"
_WITHOUT: Final = "an SLO whose references are in files that are not there"
_PLUGIN: Final = "plugins are programs of Sloth's"
REFUSALS: Final = (
    # --- OpenSLO/oslo: what its own `oslo validate` refuses
    Refusal("validate/invalid-apiversion.yaml", ("apiVersion",), "a version that there is not"),
    Refusal("validate/unknown-field.yaml", ("spec.markdown",), "an unknown field"),
    Refusal("validate/v1.yaml", ("metadata.name", "spec.objectives[0].op"), _NO_NAME),
    Refusal("validate/v1alpha.yaml", ("metadata.name", "spec.objectives[0].timeSliceTarget"), _NO_NAME),
    Refusal("validate/v2alpha.yaml", ("metadata.name", "spec.objectives[0].op"), _NO_NAME),
    Refusal("validate/mix/*.yaml", _NAME, _NO_NAME),
    Refusal("validate/recursive/*.yaml", _NAME, _NO_NAME),
    Refusal("testdata/format/invalid-service.yaml", _NAME, _NO_NAME),
    # --- OpenSLO/OpenSLO: examples that leave the vendor open
    Refusal("examples/budgeting-method/*.yaml", (), f"{_NOT_PROMETHEUS}: `type: Any`"),
    Refusal("examples/treat-low-traffic-as-equally-important/*.yaml", (), f"{_NOT_PROMETHEUS}: `type: Any`"),
    # --- OpenSLO/go-sdk
    Refusal("openslo/v1/examples/slis.yaml", (), f"{_NOT_PROMETHEUS}: Datadog, AppDynamics"),
    Refusal("openslo/v2alpha/examples/slis.yaml", (), f"{_NOT_PROMETHEUS}: queries of Datadog and AppDynamics"),
    Refusal("openslo/v1alpha/examples/slos.yaml", (), f"{_NOT_PROMETHEUS}: Datadog"),
    Refusal("test_data/decode/v2alpha_data_source.yaml", _NAME, "a name in capitals; only decoded there"),
    Refusal("test_data/decode/v2alpha_slos.yaml", ("spec.objectives",), "no objectives; only decoded there"),
    Refusal("test_data/inline/inputs/v1_slo_invalid_policy.yaml", ("spec.alertPolicies[0].alertPolicyRef",), _WITHOUT),
    Refusal("test_data/inline/inputs/v1_slo_invalid_sli.yaml", ("spec.indicatorRef",), _WITHOUT),
    Refusal(
        "test_data/inline/inputs/v1_slo_invalid_target.yaml",
        ("spec.alertPolicies[0].spec.notificationTargets[1].targetRef",),
        _WITHOUT,
    ),
    Refusal("test_data/inline/*/custom_config.yaml", ("spec.indicatorRef",), _WITHOUT),
    Refusal("test_data/export/*/custom_config.yaml", (), _WITHOUT),
    Refusal("test_data/export/*/v1_slo.yaml", (), _WITHOUT),
    # --- slok/sloth
    Refusal("examples/plugin-*.yml", (), _PLUGIN),
    Refusal("testdata/in-sl?-plugin*.yaml", (), _PLUGIN),
    Refusal("examples/victoria-metrics.yml", (), "MetricsQL, which Prometheus does not know"),
    Refusal("testdata/validate/bad/bad-[abkm]*.yaml", (), "wrong on purpose; bad-openslo has 28 days, which we take"),
    Refusal("validate_with_duplicates/bad-prom-multi-duplicates.yaml", (), "names that are taken"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    path: str
    slos: int
    problems: tuple[Problem, ...]
    expected: Refusal | None

    @property
    def accepted(self) -> bool:
        """Whether it loads."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def conforms(self) -> bool:
        """Whether that is as it should be, and told at the fields where it should be told."""
        if self.expected is None:
            return self.accepted
        told = {problem.field for problem in self.problems}
        return not self.accepted and told.issuperset(self.expected.fields)


def outcomes(folders: Sequence[Path]) -> Iterator[Outcome]:
    """Every file of a dialect below the folders, read and compiled."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix not in _SUFFIXES or not path.is_file() or set(_WRITTEN).intersection(path.parts):
                continue
            content = path.read_bytes()
            if _MARK.search(content) or _INVALID in path.parts:
                yield _outcome(str(path), content)


def _outcome(path: str, content: bytes) -> Outcome:
    examined = examine([SourceFile(path, content)])
    expected = next((each for each in REFUSALS if fnmatch(path, f"*{each.files}")), None)
    outcome = Outcome(path, len(examined.slos), examined.problems, expected)
    if outcome.accepted:
        for file in compile_rules(examined.slos):
            to_yaml(file)
    return outcome


def run(arguments: Sequence[str]) -> int:
    """Print what became of each file; the exit status is 1 when one differs from what is expected."""
    folders = [Path(argument) for argument in arguments]
    if not folders or not all(folder.is_dir() for folder in folders):
        print(
            "python -m benchmarks conformance DIR…: checkouts of OpenSLO, oslo, go-sdk, sloth, pyrra", file=sys.stderr
        )
        return 2
    found = list(outcomes(folders))
    for outcome in found:
        _print(outcome)
    differing = [outcome for outcome in found if not outcome.conforms]
    accepted = sum(outcome.accepted for outcome in found)
    print(f"\n{len(found)} files: {accepted} accepted, {len(found) - accepted} refused, {len(differing)} unexpectedly")
    return 1 if differing else 0


def _print(outcome: Outcome) -> None:
    word = "accepted" if outcome.accepted else "refused "
    why = f"  ({outcome.expected.why})" if outcome.expected is not None else ""
    print(f"{'  ' if outcome.conforms else '! '}{word} {outcome.path}: {outcome.slos} SLOs{why}")
    wrong = [problem for problem in outcome.problems if problem.severity is Severity.ERROR]
    for problem in wrong[:_SHOWN] if not outcome.conforms or outcome.expected is not None else ():
        print(f"      {problem.line}:{problem.column}: {problem.field}: {problem.message}")
