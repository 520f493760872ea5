"""A PostgreSQL server of our own for a measurement, with its durability as it comes: fsync on."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from flyball.demo import servers


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="flyball-postgresql-"))
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    port = servers.free_port()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "flyball", "--auth=trust", "-E", "UTF8"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    process = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", "-p", str(port), "-h", servers.LOOPBACK, "-k", folder],
        user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    url = f"postgresql://flyball@{servers.LOOPBACK}:{port}/postgres"
    try:
        while process.poll() is None:
            try:
                psycopg.connect(url, connect_timeout=1).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield url
    finally:
        process.send_signal(2)
        process.wait()
        shutil.rmtree(folder)
