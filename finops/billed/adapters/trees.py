"""Where cost files lie: a file, folder or glob on this machine, or a bucket. Listed in bounds, read in bounds."""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Any, Final, Protocol

from controlplane.ports import Permanent, Transient
from finops.billed.adapters.csv_scan import CHUNK, Refused, refuse
from finops.billed.model import Bounds, CostSource
from finops.billed.reading.protocols import PROTOCOLS

_PACKAGES: Final = {"s3": "s3fs", "gcs": "gcsfs", "abfs": "adlfs"}
_CHATTY: Final = ("s3fs", "aiobotocore", "botocore", "gcsfs", "google", "adlfs", "azure", "fsspec")
"""Loggers of the clouds' clients: they write whole requests and tracebacks, where credentials may stand."""
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as found; `name` is relative to the tree's root, `stamp` changes when the file does."""

    name: str
    size: int
    stamp: str


class Tree(Protocol):
    """A source's files."""

    def shown(self, name: str) -> str:
        """A file as the user would name it."""
        ...

    def files(self) -> list[Listed]:
        """Every file by name. Raises `Refused`, `Transient`, `Permanent`."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """A small file's bytes. Raises `Refused` when it is larger than `limit`."""
        ...

    def local(self, name: str, folder: Path, seen: Callable[[int], None]) -> Path:
        """A path on this machine with its bytes; what must be fetched goes into `folder`."""
        ...

    def stamp(self, name: str) -> str:
        """As in `Listed`, now; empty when it is gone."""
        ...


class LocalTree:
    """Files of this machine. Links are followed as long as they stay below the root; a file may be a link itself."""

    def __init__(self, path: str, bounds: Bounds) -> None:
        self._path, self._bounds = path, bounds
        self._pattern = ""
        root = Path(path)
        if has_magic(path) and not root.exists():
            root, self._pattern = _split_glob(path)
        self._single = root.name if root.is_file() else ""
        self._root = root.parent if self._single else root

    def shown(self, name: str) -> str:
        """The path below the one that was given."""
        return str(self._root / name)

    def files(self) -> list[Listed]:
        """By name; hidden files and those that begin with `_` are none (markers of Spark and others)."""
        if not self._root.exists():
            raise refuse(self._path, "there is no such file or folder", rule="no-such-file")
        found = sorted(self._walk()) if not self._single else [self._single]
        if len(found) > self._bounds.files:
            message = f"more than {self._bounds.files:,} files"
            hint = "bounds.files of the CostSource allows more"
            raise refuse(self._path, message, hint=hint, rule="too-many-files")
        return [self._listed(name) for name in found]

    def _walk(self) -> Iterator[str]:
        top = self._root.resolve()
        for folder, folders, names in os.walk(self._root, followlinks=False):
            folders[:] = sorted(each for each in folders if not each.startswith((".", "_")))
            for name in names:
                path = Path(folder) / name
                relative = path.relative_to(self._root).as_posix()
                if name.startswith((".", "_")) or not self._fits(relative):
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(top):
                    raise refuse(str(path), "a link that leads out of the folder", rule="link-outside")
                yield relative

    def _fits(self, relative: str) -> bool:
        return _glob_fits(relative, self._pattern)

    def _listed(self, name: str) -> Listed:
        try:
            status = (self._root / name).stat()
        except OSError as error:
            raise refuse(self.shown(name), f"cannot be read: {error.strerror}", rule="unreadable-file") from None
        if not S_ISREG(status.st_mode):
            raise refuse(self.shown(name), "this is no regular file", rule="unreadable-file")
        return Listed(name, status.st_size, _stamp(status))

    def read(self, name: str, limit: int) -> bytes:
        """Its bytes."""
        if self._listed(name).size > limit:
            raise refuse(self.shown(name), f"more than {limit:,} bytes", rule="too-large")
        return (self._root / name).read_bytes()

    def local(self, name: str, folder: Path, seen: Callable[[int], None]) -> Path:
        """The file itself."""
        del folder, seen
        path = (self._root / name).resolve()
        if not os.access(path, os.R_OK):
            raise refuse(self.shown(name), "cannot be read: permission denied", rule="unreadable-file")
        return path

    def stamp(self, name: str) -> str:
        """Size, time of change and inode."""
        try:
            return _stamp((self._root / name).stat())
        except OSError:
            return ""


def _glob_fits(relative: str, pattern: str) -> bool:
    return not pattern or re.fullmatch(_as_regex(pattern), relative) is not None


def _as_regex(pattern: str) -> str:
    """`**` crosses folders, `*` and `?` do not, `[…]` is a set."""
    parts = []
    for piece in re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|.", pattern, re.DOTALL):
        if piece.startswith("**"):
            parts.append("(?:.*/)?" if piece.endswith("/") else ".*")
        elif piece == "*":
            parts.append("[^/]*")
        elif piece == "?":
            parts.append("[^/]")
        elif len(piece) > 1:
            negated = piece[1] in "!^"
            parts.append(
                f"[{'^' if negated else ''}{re.escape(piece[2:-1] if negated else piece[1:-1])}]".replace("\\-", "-")
            )
        else:
            parts.append(re.escape(piece))
    return "".join(parts)


def _split_glob(path: str) -> tuple[Path, str]:
    """The folder before the first part with a wildcard, and the pattern below it."""
    parts = PurePosixPath(path).parts
    first = next(index for index, part in enumerate(parts) if has_magic(part))
    return Path(*parts[:first]), "/".join(parts[first:])


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"


class RemoteTree:
    """Objects of a bucket, through fsspec. Times and sizes are bounded; nothing is cached between runs."""

    def __init__(self, source: CostSource, secrets: Mapping[str, str]) -> None:
        protocol = source.path.partition("://")[0].lower()
        self._source = source
        self._system = _file_system(protocol, source, secrets)
        self._bounds = source.bounds
        stripped = self._system._strip_protocol(source.path)  # noqa: SLF001 -- fsspec's own way to ask for it
        path = stripped if isinstance(stripped, str) else stripped[0]
        self._pattern = ""
        if has_magic(path):
            folder, self._pattern = _split_glob(path)
            path = str(folder)
        self._root = path.rstrip("/")
        self._protocol = protocol
        self._until = time.monotonic() + source.bounds.seconds
        self._single = ""

    def shown(self, name: str) -> str:
        """Its URL."""
        return f"{self._protocol}://{self._root}/{name}"

    def files(self) -> list[Listed]:
        """By name; of all versions the current ones."""
        found = self._ask(lambda: self._system.find(self._root, detail=True))
        if list(found) == [self._root]:
            self._root, _, name = self._root.rpartition("/")
            found = {f"{self._root}/{name}": next(iter(found.values()))}
        listed = []
        for path, about in found.items():
            name = path.removeprefix(self._root).lstrip("/")
            if about.get("type") == "file" and _glob_fits(name, self._pattern) and not _is_hidden(name):
                listed.append(Listed(name, int(about.get("size") or 0), _object_stamp(about)))
        if len(listed) > self._bounds.files:
            message, hint = f"more than {self._bounds.files:,} objects", "bounds.files of the CostSource allows more"
            raise refuse(self._source.path, message, hint=hint, rule="too-many-files")
        if not listed:
            raise refuse(self._source.path, "there are no objects", rule="no-such-file")
        return sorted(listed, key=lambda each: each.name)

    def read(self, name: str, limit: int) -> bytes:
        """Its bytes."""
        path = f"{self._root}/{name}"
        content: bytes = self._ask(lambda: self._system.cat_file(path, start=0, end=limit + 1))
        if len(content) > limit:
            raise refuse(self.shown(name), f"more than {limit:,} bytes", rule="too-large")
        return content

    def local(self, name: str, folder: Path, seen: Callable[[int], None]) -> Path:
        """A copy; it is refused when it grows beyond its bounds or the time is up."""
        target = folder / f"fetched-{sum(1 for _ in folder.iterdir()):06d}"
        self._ask(lambda: self._copy(name, target, seen))
        return target

    def _copy(self, name: str, target: Path, seen: Callable[[int], None]) -> None:
        fetched = 0
        with self._system.open(f"{self._root}/{name}", "rb", block_size=8 * CHUNK) as source, target.open("wb") as out:
            while chunk := source.read(CHUNK):
                fetched += len(chunk)
                if fetched > self._bounds.file_bytes:
                    raise refuse(self.shown(name), f"more than {self._bounds.file_bytes:,} bytes", rule="too-large")
                if time.monotonic() > self._until:
                    raise Transient(f"{self._source.path} was not fetched within {self._bounds.seconds} s")
                out.write(chunk)
                seen(len(chunk))

    def stamp(self, name: str) -> str:
        """Size and ETag or generation."""
        try:
            return _object_stamp(self._system.info(f"{self._root}/{name}", refresh=True))
        except FileNotFoundError:
            return ""
        except TypeError:
            return _object_stamp(self._system.info(f"{self._root}/{name}"))

    def _ask(self, question: Callable[[], Any]) -> Any:
        """What file systems raise, as ours; no message of theirs is repeated: it may hold credentials."""
        try:
            return question()
        except (Transient, Refused):
            raise
        except FileNotFoundError:
            raise refuse(self._source.path, "there is no such bucket, folder or object", rule="no-such-file") from None
        except PermissionError:
            raise Permanent(f"{self._source.path}: access denied; check spec.credentials") from None
        except Exception as error:  # noqa: BLE001 -- each cloud's client has exceptions of its own
            raise Transient(f"{self._source.path} cannot be read now ({type(error).__name__})") from None


def tree_of(source: CostSource, secrets: Mapping[str, str]) -> Tree:
    """The tree of a source; `secrets` are values of the environment variables that it names."""
    paths = (source.path, *source.further)
    trees = [
        RemoteTree(replace(source, path=path), secrets) if "://" in path else LocalTree(path, source.bounds)
        for path in paths
    ]
    return trees[0] if len(trees) == 1 else JoinedTree(trees)


class JoinedTree:
    """Several trees as one; names begin with the number of their tree."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._trees = trees

    def shown(self, name: str) -> str:
        """As its tree says."""
        tree, rest = self._of(name)
        return tree.shown(rest)

    def files(self) -> list[Listed]:
        """Those of the first tree first."""
        return [
            replace(each, name=f"{number}/{each.name}")
            for number, tree in enumerate(self._trees)
            for each in tree.files()
        ]

    def read(self, name: str, limit: int) -> bytes:
        """As its tree says."""
        tree, rest = self._of(name)
        return tree.read(rest, limit)

    def local(self, name: str, folder: Path, seen: Callable[[int], None]) -> Path:
        """As its tree says."""
        tree, rest = self._of(name)
        return tree.local(rest, folder, seen)

    def stamp(self, name: str) -> str:
        """As its tree says."""
        tree, rest = self._of(name)
        return tree.stamp(rest)

    def _of(self, name: str) -> tuple[Tree, str]:
        number, _, rest = name.partition("/")
        return self._trees[int(number)], rest


def _file_system(protocol: str, source: CostSource, secrets: Mapping[str, str]) -> Any:
    import fsspec

    name = PROTOCOLS.get(protocol)
    if name is None:
        known = ", ".join(f"{each}://" for each in PROTOCOLS)
        raise refuse(source.path, f"{protocol}:// is not read; {known} are", rule="unknown-protocol")
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.CRITICAL + 1)
    options: dict[str, Any] = {option: secrets[variable] for option, variable in source.credentials}
    if name == "s3":
        client = {"endpoint_url": source.endpoint} if source.endpoint else {}
        options |= {
            "client_kwargs": client,
            "config_kwargs": {
                "connect_timeout": _CONNECT_SECONDS,
                "read_timeout": _READ_SECONDS,
                "retries": {"total_max_attempts": _ATTEMPTS},
            },
        }
    elif source.endpoint:
        options |= {"endpoint_url": source.endpoint} if name == "gcs" else {"account_host": source.endpoint}
    try:
        return fsspec.filesystem(name, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError:
        raise Permanent(f"{protocol}:// needs the package {_PACKAGES[name]}: pip install 'flyball[clouds]'") from None
    except Exception as error:  # noqa: BLE001 -- each cloud's client has exceptions of its own
        why = f"cannot be opened ({type(error).__name__}); check spec.credentials, or the cloud's own variables"
        raise Permanent(f"{source.path} {why}") from None


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


def _object_stamp(about: Mapping[str, Any]) -> str:
    for key in ("ETag", "etag", "generation", "content_md5", "LastModified", "last_modified", "updated"):
        if about.get(key):
            return f"{about.get('size')}-{about[key]}"
    return str(about.get("size"))
