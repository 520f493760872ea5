"""An import that is killed at any moment leaves the ledger as it was before, or as it is after."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.ports import Transient
from finops.billed.adapters.folder import LedgerFolder
from tests.finops.billed.focus import Ledger, row, write_csv

ROOT = Path(__file__).parents[3]
SCRIPT = (
    "import sys\nfrom pathlib import Path\nfrom tests.finops.billed.focus import Ledger\n"
    "ledger = Ledger(Path(sys.argv[1]))\nledger.take(sys.argv[3])\nledger.take(sys.argv[2])\n"
    "print('ready', flush=True)\n"
    "turn = 0\nwhile True:\n    ledger.take(sys.argv[3 - turn % 2])\n    print(turn, flush=True)\n    turn += 1\n"
)
MONEY = {"before": Decimal(30), "after": Decimal(45)}


def importing(folder: Path) -> "subprocess.Popen[str]":
    """A process that imports two versions of a period in turn, without end."""
    before = write_csv(folder / "before.csv", *(row(BilledCost="1") for _ in range(30)))
    after = write_csv(folder / "after.csv", *(row(BilledCost="1.5") for _ in range(30)))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder / "ledger", before, after], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kills(seed: int, folder: Path, times: int) -> Iterator[Decimal]:
    """What the ledger has after each kill at a random moment; readers look at it meanwhile, too."""
    moments = random.Random(seed)
    for turn in range(times):
        process = importing(folder / f"{seed}-{turn}")
        ledger = Ledger(folder / f"{seed}-{turn}" / "ledger")
        assert process.stdout is not None
        reader = LedgerFolder(ledger.folder)
        seen, until = reader.catalogue().generation, 0.0
        while not until or time.monotonic() < until:  # whoever reads meanwhile sees one state or the other
            assert process.poll() is None
            catalogue = reader.catalogue()
            (partition,) = catalogue.partitions.values()
            assert partition.money[0].billed in MONEY.values()
            if catalogue.generation > seen and not until:  # a whole switch was watched: die within the next import
                until = time.monotonic() + moments.random() * 0.4
        process.send_signal(signal.SIGKILL)
        process.communicate()
        yield ledger.billed()["USD"]
        ledger.take(folder / f"{seed}-{turn}" / "after.csv")
        assert ledger.billed() == {"USD": MONEY["after"]}
        folders = LedgerFolder(ledger.folder)
        with folders.writing():
            assert len(list(ledger.folder.glob("partitions/*/*/*"))) == len(folders.catalogue().partitions)
        assert not list(ledger.folder.glob("work/*"))
        assert not list(ledger.folder.glob(".catalogue*"))


def test_an_import_that_is_killed_leaves_the_ledger_as_it_was_before_or_after(tmp_path: Path) -> None:
    assert set(kills(7, tmp_path, 3)) <= set(MONEY.values())


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_two_hundred_kills_leave_two_hundred_sound_ledgers(seed: int, tmp_path: Path) -> None:
    assert set(kills(seed, tmp_path, 10)) <= set(MONEY.values())


def test_two_imports_do_not_write_at_once(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", row())
    with LedgerFolder(ledger.folder).writing(), pytest.raises(Transient, match="another import"):
        ledger.take(path)
    assert not ledger.take(path).refused
