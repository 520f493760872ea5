"""No file, however odd, gives a traceback, hangs or passes in silence."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from controlplane.problems import has_errors
from controlplane.specfile import SourceFile
from flyball.examining import examine
from tests.fuzz.mutating import SEEDS, mutated
from tests.fuzz.properties import assert_loadable, assert_understood

MINUTES = 10


@pytest.mark.parametrize("content", SEEDS)
def test_what_the_odd_files_are_made_from_is_right(content: bytes) -> None:
    assert not has_errors(examine([SourceFile("a.yaml", content)]).problems)
    assert_loadable(assert_understood(content))


@seed(20261120)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32))
def test_odd_files_are_told_or_make_rules(number: int) -> None:
    choices = random.Random(number)
    content = mutated(choices.choice(SEEDS), choices.randrange, choices.choice(SEEDS))
    files = assert_understood(content)
    if number % 20 == 0:
        assert_loadable(files)


@pytest.mark.soak
def test_no_odd_file_is_found_by_what_code_it_reaches(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.reader", "--seconds", str(MINUTES * 60), "--found", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
