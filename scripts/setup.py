"""Install what the demo and the tests need: a virtual environment, and servers from the distribution.

    python3 scripts/setup.py demo    # virtual environment, Prometheus, Alertmanager, Chromium
    python3 scripts/setup.py test    # these, and PostgreSQL, VictoriaMetrics, blackbox_exporter, Node packages

Runs on the standard library alone, before anything is installed, and does nothing (in well under a second) when
all is in place. Packages come through apt-get, as root or with sudo; services that a package would start stay off.
"""

import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
POLICY = Path("/usr/sbin/policy-rc.d")
POSTGRESQL = Path("/usr/lib/postgresql")
NODE_PROJECTS = sorted(
    path.parent for place in ("tests/*/*", "tests/*/*/*") for path in ROOT.glob(f"{place}/package-lock.json")
)

# (what we look for on PATH, Debian package, its services)
DEMO_PROGRAMS = [
    (("git",), "git", []),
    (("prometheus", "promtool"), "prometheus", ["prometheus"]),
    (("alertmanager", "prometheus-alertmanager"), "prometheus-alertmanager", ["prometheus-alertmanager"]),
    (("chromium", "chromium-browser", "google-chrome"), "chromium", []),
]
TEST_PROGRAMS = [
    (("node", "nodejs"), "nodejs", []),
    (("npm",), "npm", []),
    (("vmalert",), "victoria-metrics", ["victoria-metrics"]),
    (("prometheus-blackbox-exporter",), "prometheus-blackbox-exporter", ["prometheus-blackbox-exporter"]),
]


class CannotSetUp(Exception):
    """The sentence to show, with the command to type."""


def say(text):
    """Talk goes to stderr."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def missing_packages(purpose):
    """Debian packages to install, with the services that must stay off."""
    wanted = DEMO_PROGRAMS + (TEST_PROGRAMS if purpose == "test" else [])
    missing = [(package, units) for names, package, units in wanted if not any(map(shutil.which, names))]
    if purpose == "demo" and ("chromium", []) in missing and "ID=ubuntu" in _os_release():
        say("no Chromium here, and Ubuntu ships it as a snap only: the demo goes without journeys in a browser")
        missing.remove(("chromium", []))
    if purpose == "test" and not any(POSTGRESQL.glob("*/bin/initdb")):
        missing.append(("postgresql", ["postgresql"]))
    if ctypes.util.find_library("atomic") is None:
        missing.append(("libatomic1", []))  # Playwright's own Node needs it
    if not VENV.exists() and not _has_venv():
        missing.append((f"python3.{sys.version_info.minor}-venv", []))
    return missing


def _has_venv():
    return subprocess.run([sys.executable, "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL).returncode == 0


def install_packages(missing):
    """Through apt-get, without starting a service and without enabling one for the next boot."""
    if not missing:
        return
    names = [package for package, _ in missing]
    if "chromium" in names and "ID=ubuntu" in _os_release():
        raise CannotSetUp(
            "the tests need Chromium, which Ubuntu ships as a snap only. Type:\n  sudo snap install chromium\n"
            "(or put Google Chrome on PATH), and run the same command again."
        )
    by_hand = f"sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(names)}"
    if shutil.which("apt-get") is None:
        raise CannotSetUp(
            f"this needs {', '.join(names)} on PATH, and there is no apt-get here to install them.\n"
            "Install them with your system's package manager and run the same command again."
        )
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        raise CannotSetUp(f"this needs packages that only root can install. As root, type:\n  {by_hand}")
    say(f"installing {', '.join(names)} from the distribution")
    with services_kept_off():
        _apt("update", by_hand)
        _apt("install", by_hand, "-y", "--no-install-recommends", *names)
    keep_off_at_boot([unit for _, group in missing for unit in group])


def _os_release():
    release = Path("/etc/os-release")
    return release.read_text() if release.exists() else ""


def _as_root():
    return [] if os.geteuid() == 0 else ["sudo"]


def _apt(verb, by_hand, *arguments):
    command = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", verb, *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    )
    if done.returncode != 0:
        raise CannotSetUp(f"apt-get {verb} failed:\n{done.stdout[-1500:]}\nWhen that is mended, type:\n  {by_hand}")


def keep_off_at_boot(units):
    """Undo what installing enabled, as `systemctl disable` does (which a container may not have)."""
    wants = Path("/etc/systemd/system/multi-user.target.wants")
    links = [str(wants / f"{unit}.service") for unit in units if (wants / f"{unit}.service").is_symlink()]
    if links:
        subprocess.run([*_as_root(), "rm", "-f", *links], check=True)


@contextmanager
def services_kept_off():
    """Debian asks policy-rc.d whether an installed service may start; 101 says no. An existing policy is respected."""
    if POLICY.exists():
        yield
        return
    script = "#!/bin/sh\nexit 101\n"
    subprocess.run([*_as_root(), "tee", str(POLICY)], input=script, text=True, stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*_as_root(), "chmod", "755", str(POLICY)], check=True)
    try:
        yield
    finally:
        subprocess.run([*_as_root(), "rm", "-f", str(POLICY)], check=True)


def fingerprint(*paths):
    """What an installation was made from."""
    digest = hashlib.sha256(sys.version.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install_python():
    """The virtual environment: every dependency pinned by hash, then ourselves, editable."""
    python = VENV / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    with step(VENV / ".dependencies", fingerprint(ROOT / "requirements.lock")) as due:
        if due:
            say("installing Python packages (a minute, the first time)")
            run([sys.executable, "-m", "venv", str(VENV)])
            run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    with step(VENV / ".project", fingerprint(ROOT / "pyproject.toml")) as due:
        if due:
            run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])


@contextmanager
def step(stamp, wanted):
    """Tell whether it is due; note that it is done when the block ends without an error."""
    wanted = f"{wanted} {ROOT}"
    due = not stamp.exists() or stamp.read_text() != wanted
    yield due
    if due:
        stamp.write_text(wanted)


def install_node():
    """The packages that tests check pages and dashboards with."""
    for project in NODE_PROJECTS:
        with step(project / "node_modules" / ".installed", fingerprint(project / "package-lock.json")) as due:
            if due:
                say(f"installing Node packages for {project.relative_to(ROOT)}")
                run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder=project)


def run(command, folder=ROOT):
    """Run it; on failure show what it said."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise CannotSetUp(f"this failed:\n  {' '.join(command)}\n{done.stdout[-3000:]}")


def main(arguments):
    """Return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this is where an older Python is told so
        raise CannotSetUp(
            f"Flyball needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            "Name a newer one: make demo PYTHON=python3.11"
        )
    if len(arguments) != 1 or arguments[0] not in ("demo", "test"):
        raise CannotSetUp("usage: setup.py demo|test")
    install_packages(missing_packages(arguments[0]))
    install_python()
    if arguments[0] == "test":
        install_node()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CannotSetUp as reason:
        say(str(reason))
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped; the same command goes on where this ended")
        sys.exit(130)
