"""What promtool says of rule files, for when Prometheus says only that they do not load."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from controlplane.model.generation import Generation

_TIMEOUT_SECONDS: Final = 60
_FAULT: Final = re.compile(r"^\s*(?:FAILED:)?\s*(?P<fault>\S.*)$", re.MULTILINE)


def explain_refusal(generation: Generation) -> str:
    """The first fault in the files, as the rest of a sentence; empty where promtool is not installed or is too slow.

    When promtool finds none, something else in Prometheus' configuration keeps it from loading, and that is said.
    """
    program = shutil.which("promtool")
    if program is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="flyball-") as folder:
        rules = [file for file in generation.files if file.name.endswith(".yaml")]
        paths = [Path(folder) / file.name for file in rules]
        for path, file in zip(paths, rules, strict=True):
            path.write_text(file.text)
        command = [program, "check", "rules", "--lint=none", *map(str, paths)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if done.returncode == 0:
            return "; promtool finds no fault in these rules, so look at Prometheus' log and its other files"
        return f"; promtool: {_first_fault(done.stderr, folder)}"


def _first_fault(text: str, folder: str) -> str:
    faults = [match["fault"] for match in _FAULT.finditer(text.replace(f"{folder}/", ""))]
    return next((fault for fault in faults if fault != "FAILED:"), "no reason given")
