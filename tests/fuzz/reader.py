"""Coverage-guided fuzzing of the reader and everything behind it: `python -m tests.fuzz.reader --seconds 60`.

libFuzzer keeps the files that reach new code and changes them further, by our own changes more often than by its own.
It stops at the first file about which something is not true, or that takes too much time or memory; the file is kept
and its path told. The exit status is 0 when there is none.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path
from zlib import crc32

import atheris

# Watched code is some thirty times as slow; what only computes on SLOs that are right teaches nothing about files.
with atheris.instrument_imports(
    include=["controlplane.specfile", "controlplane.promql", "controlplane.promql_tokens", "flyball.examining", "slo"],
    exclude=["slo.proofs", "slo.course", "slo.replay", "slo.plan", "slo.status", "slo.views", "slo.manifest"],
):
    from tests.fuzz.mutating import SEEDS, mutated
    from tests.fuzz.properties import assert_loadable, assert_understood

_MEMORY_MB = 3000
_TIMEOUT_SECONDS = 300  # by the clock, on a busy machine; `properties` bounds the processor time
_LONGEST = 20_000
_PROMTOOL_ONE_IN = 50
_DRAWN_ONE_IN = 20
_THEIRS_ONE_IN = 5  # changes of libFuzzer's own


def changed(content: bytes, max_size: int, seed: int) -> bytes:
    """A file made from one of the corpus: the same for the same seed."""
    choices = random.Random(seed)
    if choices.randrange(_THEIRS_ONE_IN) == 0:
        return bytes(atheris.Mutate(content, max_size))
    new = mutated(content or choices.choice(SEEDS), choices.randrange, choices.choice(SEEDS))
    return new if len(new) <= max_size else new[:max_size]


def check(content: bytes) -> None:
    """One run."""
    number = crc32(content)
    files = assert_understood(content, with_drawings=number % _DRAWN_ONE_IN == 0)
    if number % _PROMTOOL_ONE_IN == 0:
        assert_loadable(files)


def main() -> None:
    """Fuzz for some seconds; does not return."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=60, help="how long; 0 means until something is found")
    arguments.add_argument("--corpus", type=Path, help="folder of files to begin with, which grows by what is found")
    arguments.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()), help="where a bad file is kept")
    arguments.add_argument("--seed", type=int, default=0, help="of the choices; 0 means any")
    chosen = arguments.parse_args()
    corpus = chosen.corpus or Path(tempfile.mkdtemp(prefix="flyball-corpus-"))
    corpus.mkdir(parents=True, exist_ok=True)
    chosen.found.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (corpus / f"seed-{number}.yaml").write_bytes(seed)
    options = {
        "max_total_time": chosen.seconds,
        "timeout": _TIMEOUT_SECONDS,
        "rss_limit_mb": _MEMORY_MB,
        "max_len": _LONGEST,
        "artifact_prefix": chosen.found / "flyball-",
        "seed": chosen.seed,
        "report_slow_units": _TIMEOUT_SECONDS,
        "print_final_stats": 1,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], check, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
