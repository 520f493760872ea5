"""The command `git`: by argument lists, without terminal, hooks or anybody's configuration; bounded in time and size.

Credentials reach it through the environment (`GIT_CONFIG_*`), never by its command line, and are cut out of its errors.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from controlplane.ports import Permanent, Transient

MOST_BYTES: Final = 2 * 2**30  # of what one command says
QUICK_SECONDS: Final = 60.0
READ_SECONDS: Final = 600.0
_CHUNK: Final = 1 << 20
_MOST_ERROR: Final = 4000
_SHOWN: Final = 300
_WAIT_SECONDS: Final = 5.0
_PASSED_ON: Final = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR")
_SET: Final = {
    "LC_ALL": "C.UTF-8",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
    "GIT_HTTP_LOW_SPEED_TIME": "30",
}
_CONFIG: Final = {  # stands above what the repository itself configures: it may be anybody's
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "true",
    "log.showSignature": "false",
    "log.mailmap": "false",
    "log.follow": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.bundleURI": "false",
    "fetch.fsckObjects": "false",
    "credential.helper": "",
    "http.followRedirects": "initial",
    "protocol.version": "2",
}
_PASSING: Final = re.compile(
    r"could not resolve host|timed? ?out|connection (?:refused|reset|closed)|early eof|unable to access|hung up"
    r"|requested url returned error: (?:408|429|5\d\d)|too slow|temporar|\.lock': file exists|rpc failed",
    re.IGNORECASE,
)
_LASTING: Final = re.compile(
    r"returned error: (?:40[0134]|410)|authentication failed|could not read username|permission denied|not found"
    r"|does not (?:appear to be|exist)|not a git repository|certificate|transport '.*' not allowed|host key",
    re.IGNORECASE,
)
_PROMPT: Final = "could not read Username"
_OWNER: Final = "dubious ownership"


@dataclass(frozen=True, slots=True)
class Credential:
    """A token for one server, over https (or http on loopback): sent there only, and nowhere it redirects to."""

    url: str
    user: str
    token: str

    def basic(self) -> str:
        """What the header says."""
        return b64encode(f"{self.user}:{self.token}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git. `environment` is ours, of which a few variables are passed on; `repository` is a git directory."""

    environment: Mapping[str, str]
    repository: Path | None = None
    credential: Credential | None = None
    quick_seconds: float = QUICK_SECONDS
    read_seconds: float = READ_SECONDS
    most_bytes: int = MOST_BYTES
    own_config: Mapping[str, str] = field(default_factory=dict)

    def at(self, repository: Path) -> "Git":
        """The same for a repository; without the credential, for reading needs none."""
        return Git(self.environment, repository, None, self.quick_seconds, self.read_seconds, self.most_bytes)

    def text(self, *arguments: str, seconds: float | None = None) -> str:
        """What a short command says. Raises `Transient` or `Permanent` when it fails."""
        with self.running(arguments, seconds=seconds or self.quick_seconds) as stream:
            return stream.read(_CHUNK).decode(errors="replace")

    def fields(self, *arguments: str, given: Iterable[str] | None = None) -> Iterator[bytes]:
        """What a command says, split at its NULs; `given` are the lines of its input."""
        with self.running(arguments, seconds=self.read_seconds, given=given) as stream:
            yield from split(stream, self.most_bytes)

    @contextmanager
    def running(
        self, arguments: Sequence[str], *, seconds: float, given: Iterable[str] | None = None
    ) -> Iterator[IO[bytes]]:
        """A command's output while it runs; at the end it must have ended well."""
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
            for text in given or ():
                source.write(f"{text}\n".encode())
            source.seek(0)
            process = self._started(arguments, source, errors)
            late = threading.Event()
            watchdog = threading.Timer(seconds, _kill, (process, late))
            watchdog.daemon = True
            watchdog.start()
            assert process.stdout is not None
            is_read = False
            try:
                yield process.stdout
                is_read = True
                process.stdout.close()
                process.wait()
            finally:
                watchdog.cancel()
                if not is_read:
                    _kill(process, threading.Event())
                process.stdout.close()
                process.wait(_WAIT_SECONDS)
            if late.is_set():
                raise Transient(f"git {arguments[0]} did not end within {seconds:g} s")
            if process.returncode not in (0, -signal.SIGPIPE):
                raise self._failed(arguments[0], errors)

    def _started(self, arguments: Sequence[str], source: IO[bytes], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
        where = ["--git-dir", str(self.repository)] if self.repository is not None else []
        try:
            return subprocess.Popen(
                ["git", "--no-pager", *where, *arguments], stdin=source, stdout=subprocess.PIPE, stderr=errors,
                env=self._environment(), cwd="/", start_new_session=True, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            raise Permanent(f"git cannot be run: {error.strerror}: is it installed?") from None

    def _environment(self) -> dict[str, str]:
        config = {**_CONFIG, **self.own_config}
        if self.credential is not None:
            config[f"http.{self.credential.url}.extraHeader"] = f"Authorization: Basic {self.credential.basic()}"
            config["http.followRedirects"] = "false"
        passed = {name: self.environment[name] for name in _PASSED_ON if name in self.environment}
        numbered = {"GIT_CONFIG_COUNT": str(len(config))}
        for number, (key, value) in enumerate(config.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", **passed, **_SET, **numbered}

    def _failed(self, command: str, errors: IO[bytes]) -> Transient | Permanent:
        size = errors.seek(0, os.SEEK_END)
        errors.seek(max(0, size - _MOST_ERROR))
        said = errors.read(_MOST_ERROR).decode(errors="replace")
        words = self._clean(_last_words(said) or "no reason given")
        if _OWNER in said:
            return Permanent(f"git {command}: the repository belongs to another user: run this as its owner")
        if _PROMPT in said:
            wanted = "its token is refused" if self.credential else "it wants a token: `tokenFrom` names its variable"
            return Permanent(f"git {command}: the server does not let us in: {wanted}")
        if _LASTING.search(said):
            return Permanent(f"git {command}: {words}")
        return Transient(f"git {command}: {words}") if _PASSING.search(said) else Permanent(f"git {command}: {words}")

    def _clean(self, text: str) -> str:
        cleaned = re.sub(r"(://)[^@/\s]+@", r"\1", text)
        if self.credential is not None:
            for secret in (self.credential.token, self.credential.basic()):
                cleaned = cleaned.replace(secret, "***") if secret else cleaned
        return cleaned[:_SHOWN]


def split(stream: IO[bytes], most_bytes: int) -> Iterator[bytes]:
    """A stream's pieces between NULs; what follows the last NUL is a piece, too, unless it is empty."""
    rest, taken = b"", 0
    while chunk := stream.read(_CHUNK):
        taken += len(chunk)
        if taken > most_bytes:
            raise Permanent(f"git says more than {most_bytes:,} bytes: read a shorter time (`since`)")
        *pieces, rest = (rest + chunk).split(b"\0")
        yield from pieces
    if rest:
        yield rest


def _last_words(said: str) -> str:
    """The lines that tell why: `fatal:` and `error:`, else the last one."""
    lines = [text.strip() for text in said.splitlines() if text.strip()]
    telling = [text for text in lines if text.startswith(("fatal:", "error:", "remote:"))]
    return " ".join((telling or lines[-1:])[-2:])


def _kill(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
