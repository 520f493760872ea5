"""The unit tests of a workspace's rules: written, and run by promtool, several at a time.

A test file that passed is not run again while it, the rules and promtool stay the same.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.conventions import PROOFS_SUBFOLDER, RULES_SUBFOLDER
from controlplane.model.slo import SLO
from flyball.in_parallel import Run
from flyball.settings import environment_of_child
from slo.compiler import CompileOptions, rule_file, shared_files, subjects
from slo.passes import Subject
from slo.proofs import proof_of

PASSED_SUBFOLDER: Final = "proofs-passed"
_SUFFIX: Final = ".test.yaml"
_TIMEOUT_SECONDS: Final = 1800
# Tests allocate much and live shortly: collecting garbage less often saves a quarter of their time.
_ENVIRONMENT: Final = {"GOGC": "400"}
_FAILURE: Final = re.compile(r"\n(?=    (?:expr|alertname): )")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one test file. `failures` are promtool's words, one per statement that is not true."""

    name: str
    statements: int
    failures: tuple[str, ...] = ()
    remembered: bool = False


class NoPromtool(Exception):
    """promtool cannot be run; the text says why."""


def proof_texts(slos: Sequence[SLO], options: CompileOptions, run: Run) -> dict[str, str]:
    """The text of every test file, and of the rules that only tests need, by its path below OUT."""
    files = run(_proofs_of, subjects(slos, options))
    return {f"{PROOFS_SUBFOLDER}/{name}": text for each in files for name, text in each}


def _proofs_of(subject: Subject) -> list[tuple[str, str]]:
    folder = os.path.relpath(RULES_SUBFOLDER, PROOFS_SUBFOLDER)
    beside = shared_files(subject.slos)
    proofs = proof_of(subject, rule_file(subject), rules_folder=folder, beside=beside)
    return [(proof.file.name, proof.file.text) for proof in proofs]


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Rules and tests below a folder, for promtool."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def verdicts(folder: Path, names: Sequence[str], *, jobs: int, passed: Path | None) -> Iterator[Verdict]:
    """Run the test files below `folder`, `jobs` at a time, and tell each when it is done. Raises `NoPromtool`.

    `passed` is where files that passed are remembered; None runs everything.
    """
    version = _promtool_version()
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(_verdict, folder, name, version, passed) for name in names]
        try:
            for run in as_completed(runs):
                yield run.result()
        finally:
            for run in runs:
                run.cancel()


def tests_among(files: Iterable[str]) -> list[str]:
    """The paths of the test files, in order."""
    return sorted(name for name in files if name.startswith(f"{PROOFS_SUBFOLDER}/") and name.endswith(_SUFFIX))


def _verdict(folder: Path, name: str, version: str, passed: Path | None) -> Verdict:
    text = (folder / name).read_text(encoding="utf-8")
    statements = text.count("\n  - expr: ")
    mark = passed / _digest(folder / name, text, version) if passed else None
    if mark is not None and mark.exists():
        return Verdict(name, statements, remembered=True)
    failures = _run(folder / name)
    if mark is not None and not failures:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return Verdict(name, statements, failures)


def _digest(path: Path, text: str, version: str) -> str:
    """What the verdict depends on: the test, the rule files that it names, and promtool."""
    digest = hashlib.sha256(version.encode() + text.encode())
    listed = re.search(r"^rule_files: \[(.*)\]$", text, re.MULTILINE)
    for rules in listed[1].split(", ") if listed else ():
        digest.update((path.parent / rules.strip("'\"")).read_bytes())
    return digest.hexdigest()


def _run(path: Path) -> tuple[str, ...]:
    done = _promtool("test", "rules", str(path), folder=path.parent)
    if done.returncode == 0:
        return ()
    said = done.stdout + done.stderr
    return tuple(part.strip() for part in _FAILURE.split(said)[1:]) or (said.strip(),)


def _promtool_version() -> str:
    return _promtool("--version", folder=Path(tempfile.gettempdir())).stdout


def _promtool(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            ["promtool", *arguments],
            check=False,
            cwd=folder,
            env=environment_of_child(_ENVIRONMENT),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        hint = "it comes with Prometheus (Debian: apt-get install prometheus)"
        raise NoPromtool(f"promtool is not on PATH; {hint}") from None
    except subprocess.TimeoutExpired:
        raise NoPromtool(f"promtool did not end within {_TIMEOUT_SECONDS // 60} minutes") from None
