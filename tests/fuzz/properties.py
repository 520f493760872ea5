"""What must be true of any file whatever: it ends, raises nothing, is never passed over, and makes rules that load."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import promql_parser
import yaml

from controlplane.model.alerting import AlertMethod
from controlplane.model.rule import RecordingRule, RuleFile
from controlplane.model.slo import SLO
from controlplane.problem_report import as_github, as_json, as_text
from controlplane.problems import Problem, Severity, has_errors
from controlplane.rulefile import to_yaml
from controlplane.source_text import SourceText, decode
from controlplane.specfile import SourceFile
from controlplane.specfile.composing import Composer
from flyball.checking import check_files
from flyball.converting import ConvertOptions, convert
from flyball.examining import Examined, examine
from flyball.grafana import grafana_files
from flyball.kinds import MAKES_SLOS
from flyball.slo_manifests import manifest_file
from slo.compiler import CompileOptions, compile_rules, rule_file, shared_files, subjects
from slo.explanation import explained
from slo.explanation_text import as_data
from slo.explanation_text import as_text as explanation_text
from slo.inhibition import inhibit_rules
from slo.proofs import proof_of

CPU_SECONDS: Final = 20.0
"""What one file may cost: about a hundred times what odd ones usually do, with the code watched."""
NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
_PATH: Final = "a.yaml"
_OPTIONS: Final = CompileOptions("https://slo.example", "https://wiki.example/{service}/{slo}")


class Hung(Exception):
    """A file took more processor time than any file may."""


def assert_understood(content: bytes, *, with_drawings: bool = True) -> tuple[RuleFile, ...]:
    """Check everything about one file, and give the rules that it makes: none, if it has mistakes.

    `with_drawings` also makes its dashboards and proofs, which takes longer than all the rest.
    """
    with _processor_time(CPU_SECONDS):
        examined = examine([SourceFile(_PATH, content)])
        _told(examined.problems, content)
        _told(check_files([SourceFile(_PATH, content)], NOW).problems, content)
        if has_errors(examined.problems):
            return ()
        _nothing_passed_over(examined, content)
        _converted(content)
        _explained(examined.slos)
        if with_drawings:
            _drawn(examined.slos)
        return _compiled(examined.slos)


@contextmanager
def _processor_time(seconds: float) -> Iterator[None]:
    """Raise `Hung` after so many seconds of processor time, however busy the machine is."""

    def _stop(number: int, frame: object) -> None:
        raise Hung(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _told(problems: Sequence[Problem], content: bytes) -> None:
    """Every problem stands in the file, says something, and can be shown in every form."""
    source = SourceText(_PATH, decode(content))
    for problem in problems:
        assert problem.path == _PATH
        assert problem.message.strip(), problem
        assert problem.rule, problem
        assert 1 <= problem.line <= len(source.line_starts), problem
        line = source.line(problem.line)
        assert 1 <= problem.column <= len(line) + 1, problem
        assert problem.column - 1 + problem.length <= len(line) + 1, problem
        assert len(problem.message) < 1000, problem
    as_text(problems, {_PATH: content}, True).encode()
    as_json(problems).encode()
    assert as_github(problems).count("\n") == len(problems)


def _nothing_passed_over(examined: Examined, content: bytes) -> None:
    """Every document that is there was read, and what describes SLOs made some."""
    documents = list(Composer(decode(content), 0).documents())
    lists = any(
        isinstance(each.value, list) or (isinstance(each.value, dict) and each.value.get("kind") == "List")
        for each in documents
    )
    if not lists:
        read = {document.place.start for document in examined.documents}
        assert read == {composed.place.start for composed in documents}, "a document was passed over"
    for document in examined.documents:
        if document.kind in MAKES_SLOS and not _is_only_seen(document.value):
            first, last = document.position.line, document.end.line
            assert any(first <= slo.source.line <= last for slo in examined.slos), "a document made no SLO"


def _is_only_seen(value: object) -> bool:
    """Whether a document makes no SLOs by itself: a service, say."""
    return "SLO" not in type(value).__name__ and "ServiceLevel" not in type(value).__name__


def _converted(content: bytes) -> None:
    for options in (ConvertOptions(), ConvertOptions(AlertMethod.BURN_RATE, keep_names=True)):
        conversion = convert([SourceFile(_PATH, content)], options)
        _told(conversion.problems, content)
        lost = [problem for problem in conversion.problems if problem.severity is Severity.ERROR]
        for text in conversion.texts.values():
            assert lost or not has_errors(examine([SourceFile(_PATH, text)]).problems), (
                "what was converted is not right"
            )


def _explained(slos: Sequence[SLO]) -> None:
    for slo in slos:
        explanation = explained(slo, {})
        explanation_text(explanation).encode("utf-8", "surrogatepass")
        as_data(explanation)


def _compiled(slos: Sequence[SLO]) -> tuple[RuleFile, ...]:
    files = compile_rules(slos, _OPTIONS)
    for file in (*files, *compile_rules(slos, CompileOptions(shared_above=0))):
        _loads(file)
    yaml.load(inhibit_rules(slos), yaml.CSafeLoader)
    manifest_file(slos, _OPTIONS)
    return files


def _drawn(slos: Sequence[SLO]) -> None:
    grafana_files(slos)
    for subject in subjects(slos, _OPTIONS):
        for proof in proof_of(subject, rule_file(subject), rules_folder=".", beside=shared_files(subject.slos)):
            assert proof.file.text.strip()


def _loads(file: RuleFile) -> None:
    """What is written reads back as what is meant, and Prometheus can parse it."""
    read = yaml.load(to_yaml(file), yaml.CSafeLoader)["groups"]
    assert len(read) == len(file.groups)
    for group, again in zip(file.groups, read, strict=True):
        assert len(again["rules"]) == len(group.rules)
        for rule, back in zip(group.rules, again["rules"], strict=True):
            assert back["expr"] == rule.expr
            assert back.get("labels", {}) == dict(rule.labels)
            if not isinstance(rule, RecordingRule):
                assert back.get("annotations", {}) == dict(rule.annotations)
            promql_parser.parse(rule.expr)


def assert_loadable(files: Sequence[RuleFile]) -> None:
    """Prometheus itself takes the rules."""
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="flyball-fuzz-") as folder:
        paths = []
        for file in files:
            path = Path(folder) / file.name
            path.write_text(to_yaml(file), encoding="utf-8")
            paths.append(str(path))
        done = subprocess.run(["promtool", "check", "rules", *paths], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
