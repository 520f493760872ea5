"""Standard streams that are closed, full, or read by somebody who has seen enough: no traceback, the right status."""

import subprocess
import sys
from pathlib import Path

import pytest

FLYBALL = str(Path(sys.executable).with_name("flyball"))


def shell(command: str) -> tuple[int, str]:
    """The exit status of flyball in a shell, and what was said on what is left of standard error."""
    script = f'set -o pipefail; "$0" {command}'
    done = subprocess.run(
        ["bash", "-c", script, FLYBALL], check=False, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("command", "status"), [("check no-such-file >&-", 1), ("slo templates <&- >&- 2>&-", 0)])
def test_closed_streams_change_nothing(command: str, status: int) -> None:
    assert shell(command) == (status, "")


def test_output_that_cannot_be_written_is_told() -> None:
    assert shell("slo templates >/dev/full") == (3, "the output cannot be written: No space left on device\n")
    assert shell("slo templates >/dev/full 2>&1") == (3, "")


def test_a_reader_that_has_seen_enough_is_no_mistake() -> None:
    assert shell("schema | head -1") == (0, "")
