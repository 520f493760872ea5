"""The tutorial is executed as it is written; `…` in it stands for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flyball.demo.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-slo.md"
END = "--- end of a command ---"


def transcript(text: str) -> list[tuple[str, str]]:
    """The commands of all console blocks, each with the output that the page shows."""
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            steps.append((command, output))
    return steps


def pattern(shown: str) -> str:
    return ".*".join(re.escape(piece) for piece in shown.strip().split("…"))


# Of the proofs of four tiers the two for tickets, which last for days, take twice as long as all else together.
ONLY_PAGES = """#!/bin/sh
case "$*" in "test rules "*-5m.test.yaml) exit 0 ;; esac
exec {} "$@"
"""


@pytest.mark.parametrize("proofs", ["of pages", pytest.param("all", marks=pytest.mark.soak)])
def test_the_first_slo_works_as_the_tutorial_shows_it(tmp_path: Path, promtool: str, proofs: str) -> None:
    page = PAGE.read_text().replace("127.0.0.1:9090", f"127.0.0.1:{free_port()}")
    steps = transcript(page)
    assert len(steps) >= 10
    script = "set -m\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + "".join(
        f"{command}\necho '{END}'\n" for command, _ in steps
    )
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    if proofs == "of pages":
        shortened = tmp_path / "programs" / "promtool"
        shortened.parent.mkdir()
        shortened.write_text(ONLY_PAGES.format(promtool))
        shortened.chmod(0o755)
        programs.insert(0, str(shortened.parent))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": ":".join(programs), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=120,
        check=False,
    )
    answers = done.stdout.split(f"{END}\n")
    for (command, shown), answer in zip(steps, answers, strict=False):
        assert re.fullmatch(pattern(shown), answer.strip(), re.DOTALL), f"$ {command}\n{answer}\ninstead of\n{shown}"
    assert len(answers) == len(steps) + 1
