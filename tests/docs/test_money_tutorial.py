"""The tutorial about money is executed as it is written: its files are saved, its commands are run, in their order."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path
from shlex import quote

from tests.docs.test_tutorial import END, pattern

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "money.md"
BLOCK = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```", re.DOTALL)


def saving(name: str, text: str) -> str:
    return f"echo {base64.b64encode(text.encode()).decode()} | base64 -d > {quote(name)}\n"


def script_of(page: str) -> tuple[str, list[tuple[str, str]]]:
    """A script for bash, and its commands with the output that the page shows."""
    script, steps = "", []
    for language, name, text in BLOCK.findall(page):
        if name:
            script += saving(name, text)
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                script += f"{command}\necho '{END}'\n"
                steps.append((command, output))
    return script, steps


def test_the_first_budget_works_as_the_tutorial_shows_it(tmp_path: Path) -> None:
    script, steps = script_of(PAGE.read_text())
    assert len(steps) >= 9
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
        },
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
