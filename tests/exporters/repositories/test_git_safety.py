"""git is given nothing that it may run, nothing that it may tell, and no time and room without end."""

import os
import shutil
import stat
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore
from exporters.repositories.adapters.git_command import Credential, Git
from exporters.repositories.adapters.opening import open_repository
from exporters.repositories.collecting import Collector
from tests.exporters.repositories.histories import NOW, History, day, git
from tests.exporters.repositories.reading import collect, opened, repository
from tests.outside.failing import Answered, Asked, FailingServer

TOKEN = "glpat-s3cret-of-tests"
PATH = {"PATH": os.environ["PATH"]}


class GitHost(FailingServer):
    """A server that says what it is told to say to whoever fetches."""

    said = Answered(401, b"", {"WWW-Authenticate": "Basic"})

    def answer(self, asked: Asked) -> Answered:
        return self.said


@pytest.fixture
def host() -> Iterator[GitHost]:
    with GitHost() as server:
        yield server


def program(folder: Path, text: str) -> Path:
    """A program named git in a folder of its own, before the real one."""
    folder.mkdir()
    path = folder / "git"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.parametrize("address", ["ext::sh -c 'touch {0}/run' x", "fd::1", "git://127.0.0.1:1/a"])
def test_transports_that_run_programs_or_prove_nothing_are_not_allowed(tmp_path: Path, address: str) -> None:
    with pytest.raises(Permanent, match="not allowed"):
        Git(PATH).text("ls-remote", "--", address.format(tmp_path))
    assert not (tmp_path / "run").exists()


def test_what_a_repository_configures_is_not_run(tmp_path: Path, store: SqlStore) -> None:
    history = History(tmp_path / "shop.git")
    history.tag("v1", history.commit("One", day(0)), day(1))
    history.write()
    evil = program(tmp_path / "evil", f"touch {tmp_path}/run") / "git"
    for key in (
        "core.fsmonitor",
        "gpg.program",
        "core.alternateRefsCommand",
        "core.sshCommand",
        "diff.external",
        "core.pager",
    ):
        git("config", key, str(evil), at=history.folder)
    for key, value in (("log.showSignature", "true"), ("core.hooksPath", str(tmp_path / "evil"))):
        git("config", key, value, at=history.folder)
    (history.folder / "info" / "attributes").write_text("* diff=evil\n")
    git("config", "diff.evil.textconv", str(evil), at=history.folder)

    found = collect(repository(history.folder), store, tmp_path)

    assert (found.taken, found.error) == (2, "")
    assert not (tmp_path / "run").exists()


def test_the_token_goes_to_its_host_in_a_header_and_nowhere_else(
    tmp_path: Path, store: SqlStore, host: GitHost
) -> None:
    real = shutil.which("git")
    spy = program(tmp_path / "spy", f'echo "$0 $@" >> {tmp_path}/lines\nexec {real} "$@"')
    found = repository(f"{host.url}/acme/shop.git", token_from="FLYBALL_GITLAB_TOKEN")
    source = open_repository(
        found, workspace=tmp_path, clones=tmp_path / "clones", secret=lambda name: TOKEN,
        environment={"PATH": f"{spy}:{os.environ['PATH']}"}, now=NOW,
    )  # fmt: skip

    collected = Collector(store).collect(found, source, NOW)

    basic = b64encode(f"token:{TOKEN}".encode()).decode()
    assert {each.headers.get("authorization") for each in host.asked} == {f"Basic {basic}"}
    assert "its token is refused" in collected.error
    told = collected.error + (tmp_path / "lines").read_text()
    told += "".join(path.read_text() for path in (tmp_path / "clones").rglob("config"))
    assert TOKEN not in told
    assert basic not in told
    with store.transaction(read_only=True) as transaction:
        assert TOKEN not in str(transaction.delivery.progress("repository shop"))


def test_a_redirect_does_not_take_the_token_along(tmp_path: Path, store: SqlStore, host: GitHost) -> None:
    with GitHost() as other:
        host.said = Answered(302, b"", {"Location": f"{other.url}/acme/shop.git/info/refs?service=git-upload-pack"})
        found = repository(f"{host.url}/acme/shop.git", token_from="FLYBALL_GITLAB_TOKEN")

        collected = Collector(store).collect(found, opened(found, tmp_path, TOKEN), NOW)

        assert collected.error
        assert not other.asked


def test_a_token_that_is_not_there_is_asked_for_by_its_variable(tmp_path: Path) -> None:
    found = repository("https://host/a", token_from="FLYBALL_GITLAB_READ")
    with pytest.raises(Permanent, match="Repository shop needs FLYBALL_GITLAB_READ or FLYBALL_GITLAB_READ_FILE"):
        opened(found, tmp_path)


def test_errors_show_no_credentials_of_addresses(tmp_path: Path) -> None:
    fake = program(
        tmp_path / "fake", "echo \"fatal: unable to access 'https://ada:s3cret@host/': timed out\" >&2; exit 128"
    )
    with pytest.raises(Transient) as told:
        Git({"PATH": f"{fake}:{os.environ['PATH']}"}).text("fetch")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: unable to access 'https://h/': Could not resolve host: h", Transient),
        ("error: RPC failed; HTTP 503\nfatal: the remote end hung up unexpectedly", Transient),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", Permanent),
        ("remote: Repository not found.\nfatal: repository 'https://h/' not found", Permanent),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", Permanent),
        ("fatal: detected dubious ownership in repository at '/srv'", Permanent),
        ("", Permanent),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(tmp_path: Path, said: str, kind: type[Exception]) -> None:
    (tmp_path / "said").write_text(said)
    fake = program(tmp_path / "fake", f"cat {tmp_path}/said >&2; exit 128")
    with pytest.raises(kind):
        Git({"PATH": f"{fake}:{os.environ['PATH']}"}).text("fetch")


def test_a_git_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    fake = program(tmp_path / "fake", f"sleep 3600 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(Transient, match="did not end within"):
        Git({"PATH": f"{fake}:{os.environ['PATH']}"}, quick_seconds=0.3).text("fetch")
    child = (tmp_path / "pid").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False).stdout
    assert state.strip() in ("", "Z", "Zs")


def test_output_has_an_end(tmp_path: Path) -> None:
    fake = program(tmp_path / "fake", "yes | tr '\\n' '\\0'")
    with pytest.raises(Permanent, match="says more than 4,000,000 bytes"):
        list(Git({"PATH": f"{fake}:{os.environ['PATH']}"}, most_bytes=4_000_000).fields("log"))


def test_without_git_the_reason_is_said() -> None:
    with pytest.raises(Permanent, match="is it installed"):
        Git({"PATH": "/nonexistent"}).text("version")


def test_nothing_of_ours_but_what_it_needs_reaches_git(tmp_path: Path) -> None:
    fake = program(tmp_path / "fake", "env")
    environment = {
        "PATH": f"{fake}:{os.environ['PATH']}",
        "FLYBALL_DATABASE_URL": "s3cret",
        "GIT_DIR": "/x",
        "HOME": "/h",
    }
    said = Git(environment, credential=Credential("https://h", "u", TOKEN)).text("env")
    assert "HOME=/h" in said
    assert "s3cret-of" not in said.replace(b64encode(f"u:{TOKEN}".encode()).decode(), "")
    assert "FLYBALL" not in said
    assert "GIT_DIR" not in said
    assert "GIT_TERMINAL_PROMPT=0" in said
