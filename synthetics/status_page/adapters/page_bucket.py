"""A page in a bucket, through fsspec: objects one by one, in an order in which a reader sees nothing half.

First what others point to, last the pages that people begin with; what is no longer part of the page goes an hour
later. A process that dies in between leaves the old first page, with everything that it points to.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from controlplane.ports import Permanent, Transient
from synthetics.status_page.publishing import Manifest, cache_control, content_type, decoded, encoded, fits, in_order

MANIFEST: Final = ".flyball-status.json"
PROTOCOLS: Final[Mapping[str, str]] = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "abfs", "abfs": "abfs"}
_PACKAGES: Final = {"s3": "s3fs", "gcs": "gcsfs", "abfs": "adlfs"}
_CHATTY: Final = ("s3fs", "aiobotocore", "botocore", "gcsfs", "google", "adlfs", "azure", "fsspec")
"""Loggers of the clouds' clients: they write whole requests and tracebacks, where credentials may stand."""
_CLIENT: Final = {"connect_timeout": 10, "read_timeout": 30, "retries": {"total_max_attempts": 3}}


class PageBucket:
    """Implements `Place`. `options` go to fsspec's file system; credentials come from the cloud's own variables."""

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        protocol, _, path = url.partition("://")
        self._url = url.rstrip("/")
        self._root = path.strip("/")
        self._kind = PROTOCOLS.get(protocol.lower(), "")
        self._system = _file_system(self._url, self._kind, options or {})

    def manifest(self) -> Manifest | None:
        """As it was last put there."""
        try:
            content = self._ask(lambda: self._system.cat_file(f"{self._root}/{MANIFEST}"))
        except FileNotFoundError:
            return None
        return decoded(content)

    def put(self, manifest: Manifest, changed: Mapping[str, bytes]) -> bool:
        """Each object whole, the manifest at the end."""
        before = self.manifest()
        if before is not None and before.at >= manifest.at:
            return False
        if not fits(before, manifest, changed):
            raise Transient(f"{self._url} has changed meanwhile")
        for path in in_order(changed):
            self._write(path, changed[path])
        if before is not None:
            for path in {*before.digests, *before.retired} - {*manifest.digests, *manifest.retired}:
                self._remove(path)
        self._write(MANIFEST, encoded(manifest))
        return True

    def _write(self, path: str, content: bytes) -> None:
        headers = _headers(self._kind, path)
        self._ask(lambda: self._system.pipe_file(f"{self._root}/{path}", content, **headers))

    def _remove(self, path: str) -> None:
        try:
            self._ask(lambda: self._system.rm_file(f"{self._root}/{path}"))
        except FileNotFoundError:
            return

    def _ask(self, question: Callable[[], Any]) -> Any:
        """What file systems raise, as ours; no message of theirs is repeated: it may hold credentials."""
        try:
            return question()
        except FileNotFoundError:
            raise
        except PermissionError:
            raise Permanent(f"{self._url}: access denied; check the cloud's own variables") from None
        except Exception as error:  # noqa: BLE001 -- each cloud's client has exceptions of its own
            raise Transient(f"{self._url} cannot be written now ({type(error).__name__})") from None


def _headers(kind: str, path: str) -> Mapping[str, Any]:
    """How each client calls the type and the caching of an object."""
    about = "application/json" if path == MANIFEST else content_type(path)
    caching = "no-store" if path == MANIFEST else cache_control(path)
    if kind == "gcs":
        return {"content_type": about, "fixed_key_metadata": {"cache_control": caching}}
    if kind == "abfs":
        from azure.storage.blob import ContentSettings

        return {"overwrite": True, "content_settings": ContentSettings(content_type=about, cache_control=caching)}
    return {"ContentType": about, "CacheControl": caching}


def _file_system(url: str, kind: str, options: Mapping[str, object]) -> Any:
    import fsspec

    if not kind:
        known = ", ".join(f"{each}://" for each in PROTOCOLS)
        raise Permanent(f"{url}: pages are not published there; they are to a folder, or to {known}")
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.CRITICAL + 1)
    given = {**({"config_kwargs": _CLIENT} if kind == "s3" else {}), **options}
    try:
        return fsspec.filesystem(kind, use_listings_cache=False, skip_instance_cache=True, **given)
    except ImportError:
        raise Permanent(f"{url} needs the package {_PACKAGES[kind]}: pip install 'flyball[clouds]'") from None
    except Exception as error:  # noqa: BLE001 -- each cloud's client has exceptions of its own
        raise Permanent(f"{url} cannot be opened ({type(error).__name__}); check the cloud's own variables") from None
