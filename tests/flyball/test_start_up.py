"""The command line starts without what it does not need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slo.reading import an_slo_file

HEAVY = {"alembic", "apscheduler", "grafanalib", "httpx", "jinja2", "multiprocessing", "numpy", "opentelemetry"} | {
    "pandas", "prometheus_client", "rich", "sqlalchemy", "starlette", "uvicorn"
}  # fmt: skip
RUN = """
import json, sys
from flyball.cli import main
try:
    main()
finally:
    loaded = (name for name, module in sys.modules.items() if module)
    print(json.dumps(sorted({name.partition(".")[0] for name in loaded})), file=sys.stderr)
"""


def imported(folder: Path, *arguments: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    ended = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(ended.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], ["check"], ["check", "--format", "json"], ["schema"]])
def test_what_needs_no_server_loads_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "slo.yaml").write_text(an_slo_file())
    assert not imported(tmp_path, *arguments) & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["compile", "--help"], ["up", "--help"]])
def test_help_does_not_even_load_the_reader(tmp_path: Path, arguments: list[str]) -> None:
    assert not imported(tmp_path, *arguments) & {"yaml", "promql_parser"}
