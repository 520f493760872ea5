"""How things are called that events tell of: the same thing has the same key whoever tells of it."""

import re
from typing import Final

from controlplane.model.delivery import EntityKind

_SCHEME: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]+@)?", re.IGNORECASE)
_SCP: Final = re.compile(r"^([^/:]+):(?!\d+/)(?!//)(.+)$")


def repository_name(text: str) -> str:
    """A repository's address as a name, `host/path`, whatever it is fetched by; texts without a host stay as they are.

    `https://user@GitHub.com/acme/shop.git`, `git@github.com:acme/shop.git`, `github.com/acme/shop/` are one.
    """
    bare = _SCHEME.sub("", text.strip(), count=1)
    scp = _SCP.match(bare)
    joined = f"{scp[1]}/{scp[2]}" if scp else bare
    path = re.sub(r"/{2,}", "/", joined).rstrip("/").removesuffix(".git")
    host, slash, rest = path.partition("/")
    return f"{host.lower()}{slash}{rest}" if "." in host or ":" in host else path


def deployment(source: str, id_: str) -> str:
    """A deployment's entity."""
    return _entity(EntityKind.DEPLOYMENT, f"{source}#{id_}")


def change(repository: str, id_: str) -> str:
    """A change's entity: `id_` is the number of its pull or merge request, or `@` and its revision."""
    return _entity(EntityKind.CHANGE, f"{repository}#{id_}")


def incident(source: str, id_: str) -> str:
    """An incident's entity."""
    return _entity(EntityKind.INCIDENT, f"{source}#{id_}")


def artifact(id_: str) -> str:
    """An artifact's entity."""
    return _entity(EntityKind.ARTIFACT, id_)


def kind_and_key(entity: str) -> tuple[EntityKind, str]:
    """The two parts of an entity. Raises ValueError for anything else."""
    kind, _, key = entity.partition(":")
    return EntityKind(kind), key


def _entity(kind: EntityKind, key: str) -> str:
    return f"{kind.value}:{key}"
