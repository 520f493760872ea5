"""Plans with the cache read what they would read without it, whatever was edited and whatever the cache holds."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.adapters.files import listing
from controlplane.problems import has_errors
from flyball.examining import examine
from flyball.planning.file_cache import FileCache
from flyball.planning.reading import Read, declared_in, read_workspace

SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {service}
  {indicator}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}]
"""
INLINE = """indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: 'x_total{{job="{name}",code="500"}}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: 'x_total{{job="{name}"}}'}}}}}}"""
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: {name}}}\n"
SLI = """apiVersion: openslo/v1
kind: SLI
metadata: {name: shared}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: 'y_total{code="500"}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'y_total'}}}
"""
LATER = 60_000_000_000  # a minute: what was saved now is no longer young


def slo(name: str, service: str = "shop", indicator: str = "") -> str:
    return SLO.format(name=name, service=service, indicator=indicator or INLINE.format(name=name))


@dataclass
class Bench:
    """A workspace of 30 files, one of which declares a service, and a cache of it."""

    folder: Path
    cache_folder: Path
    code: str = "this"

    @property
    def cache(self) -> FileCache:
        return FileCache(self.cache_folder, self.folder, self.code)

    def read(self) -> Read:
        """With the cache, as if a minute had passed."""
        return read_workspace(self.folder, self.cache, self._understood, self._now())

    def whole(self) -> Read:
        """Without."""
        return read_workspace(self.folder, None, self._understood, self._now())

    def _now(self) -> int:
        return max(path.stat().st_ctime_ns for path in self.folder.rglob("*")) + LATER

    @staticmethod
    def _understood(files):  # type: ignore[no-untyped-def]
        result = examine(files)
        return result.problems, result.slos

    def write(self, name: str, *documents: str) -> None:
        (self.folder / name).write_text("---\n".join(documents))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "workspace", tmp_path / "cache")
    bench.folder.mkdir()
    for number in range(30):
        bench.write(f"slo-{number:02d}.yaml", slo(f"slo-{number:02d}"))
    bench.write("services.yaml", SERVICE.format(name="shop"), SERVICE.format(name="search"))
    return bench


def told(read: Read) -> object:
    errors = [(problem.path, problem.line, problem.message) for problem in read.problems if has_errors([problem])]
    return errors or sorted((slo.name, slo.line, str(read.position(slo.name))) for slo in read.slos)


def rename(bench: Bench) -> None:
    bench.write("slo-03.yaml", slo("slo-three"))


def add(bench: Bench) -> None:
    bench.write("more.yaml", slo("more"), slo("still-more", "search"))


def take_a_file_away(bench: Bench) -> None:
    (bench.folder / "slo-04.yaml").unlink()


def move_it(bench: Bench) -> None:
    (bench.folder / "sub").mkdir()
    (bench.folder / "slo-04.yaml").rename(bench.folder / "sub/slo-04.yaml")


def take_a_name_twice(bench: Bench) -> None:
    bench.write("slo-05.yaml", slo("slo-06"))


def make_a_mistake(bench: Bench) -> None:
    bench.write("slo-05.yaml", slo("slo-05").replace("0.999", "99.9"))


def name_a_service_that_is_none(bench: Bench) -> None:
    bench.write("slo-05.yaml", slo("slo-05", "nowhere"))


def take_a_service_away(bench: Bench) -> None:
    bench.write("services.yaml", SERVICE.format(name="search"))


def declare_an_sli(bench: Bench) -> None:
    bench.write("slis.yaml", SLI)
    bench.write("slo-07.yaml", slo("slo-07", indicator="indicatorRef: shared"))


def refer_to_an_sli_that_is_none(bench: Bench) -> None:
    bench.write("slo-07.yaml", slo("slo-07", indicator="indicatorRef: shared"))


EDITS = (rename, add, take_a_file_away, move_it, take_a_name_twice, make_a_mistake, name_a_service_that_is_none,
         take_a_service_away, declare_an_sli, refer_to_an_sli_that_is_none)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit_the_cache_tells_what_reading_everything_tells(
    bench: Bench, edit: Callable[[Bench], None]
) -> None:
    assert told(bench.read()) == told(bench.whole())
    edit(bench)
    for _ in range(2):
        assert told(bench.read()) == told(bench.whole())


def test_only_what_was_edited_is_read_again(bench: Bench) -> None:
    assert bench.read().reread == 31
    assert bench.read().reread == 0
    bench.write("slo-03.yaml", "# another comment\n", slo("slo-03"))
    assert bench.read().reread == 1
    os.utime(bench.folder / "slo-03.yaml")  # saved again, the same
    assert bench.read().reread == 0


def test_a_file_saved_within_the_clock_tick_in_which_it_was_read_is_not_missed(bench: Bench) -> None:
    path = bench.folder / "slo-03.yaml"
    bench.read()
    path.write_text(path.read_text().replace("0.999", "0.998"))
    stamps, _ = listing(bench.folder)
    was = bench.cache.load()[path.name]
    bench.cache.store(
        {path.name: was._replace(stamp=str(stamps[str(path)]))}, (), whole=False
    )  # as if it looked the same
    read = read_workspace(bench.folder, bench.cache, bench._understood, path.stat().st_ctime_ns + 1)
    assert told(read) == told(bench.whole())


def test_a_changed_sli_reaches_the_slos_of_other_files(bench: Bench) -> None:
    declare_an_sli(bench)
    bench.read()
    bench.write("slis.yaml", SLI.replace("y_total'", "z_total'"))
    read = bench.read()
    assert told(read) == told(bench.whole())
    assert any("z_total" in slo.line for slo in read.slos)


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000] + b"\0" * 3000 + path.read_bytes()[8000:])


def replace_with_nonsense(path: Path) -> None:
    path.write_text("not a database")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def alter_a_row(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE file SET slos = replace(slos, '0.999', '0.111')")


@pytest.mark.parametrize("harm", [damage, replace_with_nonsense, empty, alter_a_row])
def test_a_damaged_cache_is_thrown_away(bench: Bench, harm: Callable[[Path], None]) -> None:
    bench.read()
    (path,) = bench.cache_folder.glob("*.db")
    harm(path)
    assert told(bench.read()) == told(bench.whole())
    assert told(bench.read()) == told(bench.whole())
    assert bench.read().reread == 0


def test_what_other_code_read_is_not_believed(bench: Bench) -> None:
    bench.read()
    bench.code = "newer"
    assert bench.read().reread == 31


def test_a_cache_that_others_may_write_to_is_not_used(bench: Bench) -> None:
    bench.read()
    bench.cache_folder.chmod(0o777)
    assert bench.read().reread == 31


def test_a_workspace_with_mistakes_leaves_the_cache_as_it_was(bench: Bench) -> None:
    bench.read()
    make_a_mistake(bench)
    bench.read()
    bench.write("slo-05.yaml", slo("slo-05"))
    assert bench.read().reread <= 1


def test_processes_that_plan_at_once_agree(bench: Bench) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.flyball.test_plan_cache import Bench\n"
        "bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for turn in range(8):\n"
        "    (bench.folder / f'slo-{int(sys.argv[3]):02d}.yaml').touch()\n"
        "    assert len(bench.read().slos) == 30\n"
    )
    command = [sys.executable, "-c", program, str(bench.folder), str(bench.cache_folder)]
    running = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert told(bench.read()) == told(bench.whole())


def test_what_others_depend_on_is_told_by_the_documents_that_declare_it() -> None:
    services, slos = SERVICE.format(name="a"), slo("x")
    both = f"{slos}---\n{services}".encode()
    assert declared_in(slos.encode()) == b""
    assert declared_in(both) == declared_in(f"{slo('y')}---\n{services}".encode())
    assert declared_in(both) != declared_in(f"{slos}---\n{SERVICE.format(name='b')}".encode())
