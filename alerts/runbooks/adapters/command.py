"""Steps that run a program from the list of commands: by its arguments, never by a shell."""

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

from alerts.runbooks.commands import Command, commands_of
from alerts.runbooks.model import RunbookStep
from alerts.runbooks.ports import AfterCrash, Performed
from controlplane.ports import Permanent, Transient

MOST_BYTES: Final = 64 * 1024  # of what a command prints; the rest is read and dropped
_MOST_OF_LIST: Final = 1024 * 1024
_WAIT_SECONDS: Final = 5.0  # for a killed command
_LINGER_SECONDS: Final = 1.0  # for what it left behind
_BESIDE: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/"}
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_SECRET_LENGTH: Final = 6  # shorter values of variables are no secrets, or cannot be told from other text


class CommandSteps:
    """Implements `Performer`. `path` is the list, read each time: what is taken off it stops at once. None: no command.

    `variables_of` gives the values of environment variables by name.
    """

    def __init__(self, path: Path | None, variables_of: Callable[[Iterable[str]], Mapping[str, str]]) -> None:
        self._path = path
        self._variables_of = variables_of

    def check(self, step: RunbookStep) -> str:
        """What would be run; it is on the list, takes the arguments, and is a program that only its owner changes."""
        command, argv = self._prepared(step)
        return f"run {_shown(argv)}, for {_limit(step, command).total_seconds():g} s at most"

    def look(self, step: RunbookStep) -> str:
        """Nobody can tell."""
        return ""

    def perform(self, step: RunbookStep, key: str) -> Performed:
        """Run it once. Raises `Permanent` for another status than 0, `Transient` when it does not end in time."""
        command, argv = self._prepared(step)
        given = dict(self._variables_of(command.environment))
        secrets = [value for value in given.values() if len(value) >= _SECRET_LENGTH]
        environment = {**_BESIDE, **given, "FLYBALL_RUN": key}
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=environment, cwd="/", start_new_session=True, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            raise Permanent(f"{argv[0]} cannot be run: {error.strerror}") from None
        printed, in_time = _waited(process, _limit(step, command).total_seconds())
        output = _masked(printed, secrets)
        if not in_time:
            limit = f"{_limit(step, command).total_seconds():g} s"
            raise Transient(f"{_shown(argv)} did not end within {limit} and was killed: see what it did. {output}")
        if process.returncode != 0:
            raise Permanent(f"{_shown(argv)} ended with status {process.returncode}: {output or 'it printed nothing'}")
        return Performed(f"{_shown(argv)} ended well", output)

    def after_crash(self, step: RunbookStep, before: str) -> tuple[AfterCrash, str]:
        """By what the list says of it."""
        command, argv = self._prepared(step)
        if command.is_repeatable:
            return AfterCrash.AGAIN, f"{command.name} may be run twice"
        return AfterCrash.UNCLEAR, f"the list does not say that {_shown(argv)} may be run twice"

    def _prepared(self, step: RunbookStep) -> tuple[Command, list[str]]:
        commands = self._listed()
        name = step.settings.get("run", "")
        command = commands.get(name)
        if command is None:
            raise Permanent(f"`{name}` is not on the list of commands: it has {', '.join(sorted(commands)) or 'none'}")
        given = arguments_of(step)
        if refusal := command.refusal(given):
            raise Permanent(refusal)
        _ensure_trusted(Path(command.run[0]), is_program=True)
        return command, [*command.run, *given]

    def _listed(self) -> dict[str, Command]:
        if self._path is None:
            raise Permanent("no list of commands is set: alerts.commandsFile in flyball.yaml names it")
        _ensure_trusted(self._path, is_program=False)
        try:
            with self._path.open("rb") as file:
                content = file.read(_MOST_OF_LIST + 1)
        except OSError as error:
            raise Permanent(f"the list of commands cannot be read: {error.strerror}") from None
        if len(content) > _MOST_OF_LIST:
            raise Permanent(f"the list of commands is larger than {_MOST_OF_LIST:,} bytes")
        commands, problems = commands_of(str(self._path), content)
        if problems:
            first = problems[0]
            raise Permanent(f"the list of commands has a mistake: {first.position}: {first.message}")
        return commands


def arguments_of(step: RunbookStep) -> list[str]:
    """What a step gives to its command, in order."""
    numbered = {int(key.removeprefix("args.")): text for key, text in step.settings.items() if key.startswith("args.")}
    return [numbered[number] for number in sorted(numbered)]


def _limit(step: RunbookStep, command: Command) -> timedelta:
    return min(step.timeout, command.timeout)


def _ensure_trusted(path: Path, *, is_program: bool) -> None:
    """Only its owner can change it: who may write it runs what they like as us."""
    what = str(path) if is_program else "the list of commands"
    try:
        found = path.stat()
    except OSError as error:
        raise Permanent(f"{what} is not there: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise Permanent(f"{what} is not a file")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise Permanent(f"{what} can be changed by others than its owner: chmod go-w it")
    if found.st_uid not in (0, os.geteuid()):
        raise Permanent(f"{what} belongs to another user")
    if is_program and not os.access(path, os.X_OK):
        raise Permanent(f"{what} is not a program that may be run")


def _waited(process: "subprocess.Popen[bytes]", seconds: float) -> tuple[str, bool]:
    """What it printed, and whether it ended in time. What it left behind in its session does not hold us up."""
    assert process.stdout is not None
    kept = bytearray()
    reader = threading.Thread(target=_drain, args=(process.stdout, kept), daemon=True)
    reader.start()
    try:
        process.wait(seconds)
        in_time = True
    except subprocess.TimeoutExpired:
        in_time = False
        _kill(process.pid)
        process.wait(_WAIT_SECONDS)
    reader.join(_LINGER_SECONDS)
    if reader.is_alive():  # a child of it still holds its output: then its group is not gone, and is this one
        _kill(process.pid)
        reader.join(_WAIT_SECONDS)
    return bytes(kept).decode(errors="replace").strip(), in_time


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _drain(stream: IO[bytes], kept: bytearray) -> None:
    """Keep the end of it: that is where programs say what went wrong."""
    with stream:
        while chunk := os.read(stream.fileno(), 8192):
            kept += chunk
            if len(kept) > MOST_BYTES:
                del kept[: len(kept) - MOST_BYTES]


def _masked(text: str, secrets: Sequence[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _shown(argv: Sequence[str]) -> str:
    return " ".join(argv)
