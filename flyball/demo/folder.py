"""The folder that a demo runs in: one demo at a time, nothing of anybody else's touched, little left behind."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_LOCK: Final = "demo.lock"
_STATE: Final = "state.json"
_OURS: Final = (
    "workspace", "bills", "prometheus", "alertmanager", "rules", "logs", "flyball.db", "webhook-token", "usage-token",
    "events-token", "connectors.git",
    "probers", "certificates", "status", "flags", "pager", "spool", _STATE,
)  # fmt: skip


class FolderNotOurs(Exception):
    """The folder holds something that no demo has put there."""


class AlreadyRunning(Exception):
    """Another demo runs in this folder."""


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """Where the parts of a running demo answer; `control_token` opens the platform's switches.

    `app_url` is IntelGraph itself, `status_url` its public status page (empty without one), `pager_url` shows what
    reached people.
    """

    process_id: int
    console_url: str
    prometheus_url: str
    alertmanager_url: str
    platform_url: str
    control_token: str
    app_url: str = ""
    status_url: str = ""
    pager_url: str = ""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Paths below `root`. Logs are in `logs`; `workspace` is a copy that users may edit."""

    root: Path

    @classmethod
    def default(cls) -> "DemoFolder":
        """`~/.cache/flyball/demo`."""
        return cls(Path.home() / ".cache" / "flyball" / "demo")

    @property
    def workspace(self) -> Path:
        """The files that this demo runs."""
        return self.root / "workspace"

    @property
    def rules(self) -> Path:
        """Where Prometheus reads rules."""
        return self.root / "rules"

    @property
    def logs(self) -> Path:
        """One file for each child."""
        return self.root / "logs"

    @property
    def webhook_token(self) -> Path:
        """The file with Alertmanager's credentials for Flyball."""
        return self.root / "webhook-token"

    @property
    def events_token(self) -> Path:
        """The file with the pipeline's credentials for Flyball."""
        return self.root / "events-token"

    @property
    def usage_token(self) -> Path:
        """The file with the platform's credentials for sending usage to Flyball."""
        return self.root / "usage-token"

    @property
    def probers(self) -> Path:
        """What probers keep, a folder for each region, and their tokens."""
        return self.root / "probers"

    @property
    def prober_tokens(self) -> Path:
        """The file with every region's token, for Flyball."""
        return self.probers / "tokens"

    @property
    def prober_environment(self) -> Path:
        """What checks sign in with, as lines that a shell reads: for commands that somebody types."""
        return self.probers / "environment"

    def prober_token(self, region: str) -> Path:
        """The file with one region's token, for its prober."""
        return self.probers / f"{region}.token"

    @property
    def certificates(self) -> Path:
        """What the platform's ingress shows, and who signed it."""
        return self.root / "certificates"

    @property
    def flags(self) -> Path:
        """The platform's feature flags, as flagd has them."""
        return self.root / "flags" / "flags.flagd.json"

    @property
    def status(self) -> Path:
        """Where the status page is published."""
        return self.root / "status"

    @property
    def bills(self) -> Path:
        """Where the platform's providers put their cost files."""
        return self.root / "bills"

    @contextmanager
    def held(self, *, keep: bool = False) -> Iterator[None]:
        """Keep the folder for this process; the kernel lets go of it when we die.

        What an earlier demo left is removed at the beginning, and what this one leaves at the end: not with `keep`, and
        not after an error, for its logs. Raises `AlreadyRunning` or `FolderNotOurs`.
        """
        made = [path for path in (self.root, *self.root.parents) if not path.exists()]
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.root / _LOCK).exists() and (strange := sorted(path.name for path in self.root.iterdir())):
            raise FolderNotOurs(f"{self.root} holds {strange[0]} and more, and no demo has put it there")
        lock = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(lock) or not _is_at(lock, self.root / _LOCK):
                raise AlreadyRunning(f"a demo is already running in {self.root}")
            self.clear()
            try:
                yield
            except KeyboardInterrupt:
                self._end(made, keep=keep)
                raise
            self._end(made, keep=keep)
        finally:
            os.close(lock)

    def _end(self, made: list[Path], *, keep: bool) -> None:
        if keep:
            (self.root / _STATE).unlink(missing_ok=True)
            return
        self.clear()
        (self.root / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # somebody keeps files of their own here
            for path in made or [self.root]:
                path.rmdir()

    def clear(self) -> None:
        """Remove everything that a demo puts here, save for the lock."""
        for name in _OURS:
            path = self.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def write_secret(self, path: Path, text: str) -> None:
        """Write a file that only its owner can read, from the first byte on."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    def tell(self, demo: RunningDemo) -> None:
        """Let other processes find the demo."""
        self.write_secret(self.root / _STATE, json.dumps(asdict(demo)))

    def running(self) -> RunningDemo | None:
        """The demo that runs here now, None when there is none (or it is still setting up)."""
        try:
            lock = os.open(self.root / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if _locked(lock):
                return None
            return RunningDemo(**json.loads((self.root / _STATE).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        finally:
            os.close(lock)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file that we opened is still the one at `path`: the demo that ended may just have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
