"""The migration guides are executed as they are written; `…` in them stands for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_tutorial import ROOT, pattern, transcript

FILE = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("tool", ["sloth", "pyrra"])
def test_the_guide_works_as_it_is_written(tool: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / f"migrate-from-{tool}.md").read_text()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }
    for section in re.split(r"^## ", page, flags=re.MULTILINE):
        for name, content in FILE.findall(section):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content)
        for command, shown in transcript(section):
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, check=False
            )
            assert re.fullmatch(pattern(shown), done.stdout.strip(), re.DOTALL), f"$ {command}\n{done.stdout}"
