"""The flagd file: what is kept, who else writes, and what is left when a writer is killed anywhere."""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.ports import Permanent, Transient
from finops.flags.adapters import file_replacing
from finops.flags.adapters.flagd_file import FlagdFile
from finops.flags.adapters.flagd_text import flags_of, with_defaults
from finops.flags.model import FlagWrite, WriteNote
from finops.flags.ports import Conflict
from tests.contracts.flag_benches import declared, document, entry

A, B = declared("a"), declared("b")
NOTE = WriteNote("flyball", "why", "w1")
WRITER = Path(__file__).with_name("dying_writer.py")
ODD = """{
  "$schema" : "https://flagd.dev/schema/v0/flags.json","metadata": { "team" :"\\u00fcber ✓" },
  "flags": {"b" : {"defaultVariant":\t"off" , "variants":{"on":true,"off":false}, "state": "ENABLED",
     "metadata": {"defaultVariant": "on"}, "targeting": null},
    "a": {
      "state": "ENABLED", "variants": { "off": false, "ön": true }, "defaultVariant": "off"
    }
  },
  "$evaluators": {"defaultVariant": {"in": ["a", {"var": "b"}]}}
}"""


def a_file(folder: Path, text: str = "") -> Path:
    path = folder / "flags.json"
    path.write_text(text or document({"a": entry([False, True], False), "b": entry([False, True], False)}))
    return path


def turn_on(store: FlagdFile, note: WriteNote = NOTE) -> None:
    seen = store.read([A, B])
    store.write([FlagWrite(seen["a"], True), FlagWrite(seen["b"], True)], note)


def test_only_the_names_of_default_variants_change(tmp_path: Path) -> None:
    path = a_file(tmp_path, ODD)
    turn_on(FlagdFile(path))
    wanted = ODD.replace('"defaultVariant":\t"off"', '"defaultVariant":\t"on"')
    assert path.read_text() == wanted.replace('"defaultVariant": "off"', '"defaultVariant": "ön"')


VALUES = st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=3))
NAMES = st.text(min_size=1, max_size=4)
JUNK = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2))
FLAG = st.tuples(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), st.dictionaries(NAMES, JUNK, max_size=2))


@settings(max_examples=40)
@given(
    flags=st.dictionaries(NAMES, FLAG, min_size=1, max_size=4), indent=st.sampled_from([None, 1, "\t"]), data=st.data()
)
def test_any_document_keeps_everything_but_the_chosen_variant(flags, indent, data) -> None:  # type: ignore[no-untyped-def]
    body = {
        name: {**junk, "state": "ENABLED", "defaultVariant": next(iter(variants)), "variants": variants}
        for name, (variants, junk) in flags.items()
    }
    name = data.draw(st.sampled_from(list(flags)))
    variant = data.draw(st.sampled_from(list(body[name]["variants"])))
    whole = {"$evaluators": {"flags": {}}, "flags": body, "metadata": {}}
    text = json.dumps(whole, indent=indent, ensure_ascii=data.draw(st.booleans()))
    new = with_defaults(text, {name: variant}, flags_of(text, frozenset([name])))
    body[name]["defaultVariant"] = variant
    assert json.loads(new) == whole
    assert list(json.loads(new)["flags"]) == list(body)


@pytest.mark.parametrize("text", ["", "{", '{"flags": {"a"', "[]x", '{"flags": {}} trailing'], ids=range(5))
def test_what_is_no_json_yet_may_pass_since_somebody_may_be_writing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "flags.json"
    path.write_text(text)
    with pytest.raises(Transient, match="is no JSON"):
        FlagdFile(path).read([A])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "no object `flags`"),
        ('{"flags": []}', "no object `flags`"),
        ('{"flags": {"a": {"state": "ENABLED"}}}', "flag a has no `variants`"),
        ('{"flags": {"a": {"state": "ENABLED", "variants": {}, "defaultVariant": 3}}}', "no name of a variant"),
        ('{"flags": {"a": {"state": "ENABLED", "variants": {"x": 3}, "defaultVariant": "x"}}}', "declared as boolean"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    ],
    ids=range(6),
)
def test_what_is_no_flagd_document_is_refused_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Permanent, match=told):
        FlagdFile(a_file(tmp_path, text)).read([A])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"state": "DISABLED"}, "DISABLED"),
        ({"defaultVariant": None}, "no defaultVariant"),
        ({"variants": {"v0": False}}, "no variant with the value true; it has v0 = false"),
    ],
    ids=["disabled", "no default", "no variant"],
)
def test_a_flag_that_cannot_be_set_for_applications_is_refused_and_the_file_kept(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    path = a_file(tmp_path, document({"a": {**entry([False, True], False), **change}}))
    before, store = path.read_bytes(), FlagdFile(path)
    seen = store.read([A])["a"]
    assert seen.value is (False if "variants" in change else None)
    with pytest.raises(Permanent, match=told):
        store.write([FlagWrite(seen, True)], NOTE)
    assert path.read_bytes() == before


def test_mode_links_and_attributes_stay_and_readers_find_a_later_time(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    path.chmod(0o640)
    os.setxattr(path, "user.origin", b"git")
    later = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(later, later))
    link = tmp_path / "link.json"
    link.symlink_to(path.name)
    turn_on(FlagdFile(link))
    assert link.is_symlink()
    assert [flag["defaultVariant"] for flag in json.loads(path.read_text())["flags"].values()] == ["v1", "v1"]
    assert (path.stat().st_mode & 0o7777, os.getxattr(path, "user.origin")) == (0o640, b"git")
    assert path.stat().st_mtime > later / 1e9
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".flags.json.lock", ".flags.json.writes", "flags.json", "link.json",
    ]  # fmt: skip


def test_somebody_who_saves_the_file_while_we_write_wins(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    loaded = file_replacing.load(path)
    theirs = document({"a": entry([False, True], True)})
    path.write_text(theirs)
    with file_replacing.locked(path), pytest.raises(file_replacing.Replaced):
        file_replacing.replace(path, loaded.text, loaded, {"a": "w1"})
    assert path.read_text() == theirs
    assert file_replacing.load(path).writes == {}
    assert not path.with_name(".flags.json.new").exists()


def test_writers_at_the_same_time_write_one_after_another(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(8)]
    path = a_file(tmp_path, document({name: entry([False, True], False) for name in names}))
    gate = threading.Barrier(len(names))

    def write(name: str) -> str:
        store, flag = FlagdFile(path), declared(name)
        seen = store.read([flag])[name]
        gate.wait()
        store.write([FlagWrite(seen, True)], WriteNote("flyball", "", name))
        return name

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(write, names))
    states = FlagdFile(path).read([declared(name) for name in names])
    assert [(states[name].value, states[name].last_write) for name in names] == [(True, name) for name in names]


def test_of_two_writers_with_the_same_view_one_gets_a_conflict(tmp_path: Path) -> None:
    path = a_file(tmp_path, document({"t": entry(["a", "b", "c"], "a")}))
    flag, store = declared("t", "a"), FlagdFile(path)
    seen = store.read([flag])["t"]
    store.write([FlagWrite(seen, "b")], NOTE)
    with pytest.raises(Conflict):
        FlagdFile(path).write([FlagWrite(seen, "c")], NOTE)
    assert store.read([flag])["t"].value == "b"


def test_a_lock_that_is_never_let_go_is_told(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    with path.with_name(".flags.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (
            pytest.raises(Transient, match="locked by another writer"),
            file_replacing.locked(path, patience_seconds=0),
        ):
            pass


@pytest.mark.parametrize("kind", ["fifo", "folder", "missing", "large", "binary", "yaml"])
def test_what_is_no_file_of_flags_is_told_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"flags.{'yaml' if kind == 'yaml' else 'json'}"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(file_replacing.MOST_BYTES + 1)
    elif kind != "missing":
        path.write_bytes(b"\xff\xfe")
    with pytest.raises((Permanent, Transient), match="flags"):
        FlagdFile(path).read([A])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_folder_that_must_not_be_written_is_told_with_the_way_out() -> None:
    with TemporaryDirectory() as name:  # other users see nothing below pytest's own
        path = a_file(Path(name))
        path.parent.chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(Permanent, match="may write the folder"):
                turn_on(FlagdFile(path))
        finally:
            os.seteuid(0)


def killed_at(path: Path, id_: str, line: int) -> int:
    """Lines that were left when it ended, -1 when it was killed."""
    done = subprocess.run([sys.executable, WRITER, path, id_, str(line)], capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return -1
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def check_after_a_kill(folder: Path, line: int) -> bool:
    """Whether the write had happened. The next writer must find nothing in its way."""
    folder.mkdir()
    path = a_file(folder)
    turn_on(FlagdFile(path), WriteNote("flyball", "", "first"))
    before = path.read_text()
    assert killed_at(path, "second", line) == -1
    states = FlagdFile(path).read([A, B])
    happened = path.read_text() != before
    wanted = (False, "second") if happened else (True, "first")
    assert [(state.value, state.last_write) for state in states.values()] == [wanted, wanted]
    store = FlagdFile(path)
    store.write([FlagWrite(states["a"], not states["a"].value)], WriteNote("flyball", "", "third"))
    after = store.read([A, B])
    assert (after["a"].value, after["a"].last_write) == (not wanted[0], "third")
    assert (after["b"].value, after["b"].last_write) == wanted
    return happened


def lines_of_a_write(folder: Path) -> int:
    path = a_file(folder)
    turn_on(FlagdFile(path))
    return 100_000 - killed_at(path, "second", 100_000)


def test_a_writer_killed_between_any_two_statements_leaves_all_or_nothing(tmp_path: Path) -> None:
    lines = lines_of_a_write(tmp_path)
    for line in random.Random(6).sample(range(lines // 2, lines), 2):
        check_after_a_kill(tmp_path / str(line), line)


@pytest.mark.soak
def test_a_writer_killed_before_every_statement_leaves_all_or_nothing(tmp_path: Path) -> None:
    outcomes = {check_after_a_kill(tmp_path / str(line), line) for line in range(1, lines_of_a_write(tmp_path) + 1)}
    assert outcomes == {True, False}
