"""What measuring needs: tools by apt, Guestlist as it is installed, and the peers. Nothing is done twice."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
PEERS = ROOT / "bench" / "peers"
SERVER_PYTHON = BUILD / "server" / "bin" / "python"
DJANGO_PYTHON = BUILD / "django_invitations" / "bin" / "python"
BETTER_AUTH = BUILD / "better_auth"
# Where Debian keeps what is not on everybody's path.
_SBIN = "/usr/sbin"
_PACKAGES = {"wrk": "wrk", "pgbouncer": "pgbouncer", "node": "nodejs", "npm": "npm", "initdb": "postgresql"}


def main() -> None:
    """Install whatever is missing or has changed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    _install_tools()
    _install_server()
    _install_better_auth()
    _install_django_invitations()


def tool(name: str) -> str | None:
    """The path of a program, that of PostgreSQL's newest version too."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    if found:
        return str(found[-1])
    return shutil.which(name) or shutil.which(name, path=_SBIN)


def _install_tools() -> None:
    missing = [package for name, package in _PACKAGES.items() if tool(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit(
            f"Measuring needs {', '.join(missing)}. On Debian, run: sudo apt-get install {' '.join(missing)}"
        )
    _say(f"Installing {', '.join(missing)} …")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, environ=environ)


def _install_server() -> None:
    """Guestlist with the packages of its lock, built from this working tree, as a user installs it."""
    lock = ROOT / "requirements" / "server.txt"
    folder = BUILD / "server"
    if _is_new(folder, _sum(lock)):
        _say("Installing the packages of the server …")
        _make_venv(folder)
        _pip_install(folder, "--require-hashes", "--requirement", str(lock))
        _remember(folder, _sum(lock))
    source = _sum(*sorted((ROOT / "src").rglob("*.*")), ROOT / "pyproject.toml")
    if _is_new(folder, source, "guestlist"):
        _say("Installing Guestlist …")
        _pip_install(folder, "--no-deps", "--force-reinstall", str(ROOT))
        _remember(folder, source, "guestlist")


def _install_better_auth() -> None:
    BETTER_AUTH.mkdir(exist_ok=True)
    for name in ("package.json", "server.mjs"):
        shutil.copy(PEERS / "better-auth" / name, BETTER_AUTH / name)
    wanted = _sum(BETTER_AUTH / "package.json")
    if _is_new(BETTER_AUTH, wanted):
        _say("Installing Better Auth …")
        _run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent", folder=BETTER_AUTH)
        _remember(BETTER_AUTH, wanted)


def _install_django_invitations() -> None:
    lock, folder = PEERS / "django-invitations" / "requirements.txt", BUILD / "django_invitations"
    if _is_new(folder, _sum(lock)):
        _say("Installing django-organizations and django-invitations …")
        _make_venv(folder)
        _pip_install(folder, "--requirement", str(lock))
        _remember(folder, _sum(lock))


def _make_venv(folder: Path) -> None:
    """With the system's Python where it is new enough: most who install Guestlist have that one."""
    asked = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    system = "/usr/bin/python3"
    is_usable = (
        Path(system).exists()
        and subprocess.run([system, "-c", asked], check=False, stderr=subprocess.DEVNULL).returncode == 0
    )
    _run(system if is_usable else sys.executable, "-m", "venv", "--clear", str(folder))


def _pip_install(folder: Path, *arguments: str) -> None:
    quiet = ("-qq", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore")
    _run(str(folder / "bin" / "python"), "-m", "pip", "install", *quiet, *arguments)


def _is_new(folder: Path, wanted: str, what: str = "packages") -> bool:
    stamp = folder / f".installed-{what}"
    return not stamp.exists() or stamp.read_text() != wanted


def _remember(folder: Path, wanted: str, what: str = "packages") -> None:
    (folder / f".installed-{what}").write_text(wanted)


def _sum(*files: Path) -> str:
    found = hashlib.sha256()
    for file in files:
        if file.is_file() and file.suffix != ".pyc":
            found.update(file.read_bytes())
    return found.hexdigest()


def _run(*command: str, folder: Path = ROOT, environ: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
