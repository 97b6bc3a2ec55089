"""Make `.venv` hold exactly what a lock file names. Only the standard library: this runs before anything is installed.

`python instagrowth/bootstrap.py requirements.txt [requirements-dev.txt]` costs nothing when the locks did not change.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main(locks: list[str]) -> None:
    """Create the virtual environment if need be and install what changed; say one sentence when it cannot be done."""
    if sys.platform not in ("linux", "darwin"):
        sys.exit("InstaGrowth runs on Linux and macOS; on Windows use WSL or docker compose.")
    os.umask(0o022)
    try:
        (ROOT / ".cache").mkdir(exist_ok=True)
        turn = (ROOT / ".cache" / "bootstrap.lock").open("w")
    except PermissionError:
        sys.exit(f"You may not write in {ROOT}: make your own clone, or run as the user who owns this one.")
    with turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # `make run` and `make test` may start together
        if not venv_works():
            make_venv()
        for lock in locks:
            install(ROOT / lock)


def venv_works() -> bool:
    """Tell whether `.venv` is one of this folder (not moved or copied here) and its Python still exists."""
    # -I: nobody's PYTHONHOME or PYTHONPATH has a say.
    probe = [str(PYTHON), "-I", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    try:
        born = (VENV / "born-in").read_text() if (VENV / "born-in").exists() else str(VENV)
        return born == str(VENV) and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """Create `.venv` with the Python that runs us."""
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(f"Python cannot make a virtual environment here: try `apt-get install python{version}-venv`.")
    (VENV / "born-in").write_text(str(VENV))


def install(lock: Path) -> None:
    """Install a lock file unless it is the one installed last. It is complete and hashed: nothing is left to resolve.

    uv is several times faster, but does not read pip's configuration (indexes, proxies, certificates), so it may only
    take what lies in its cache already. Whatever has to be fetched, pip fetches the way this machine is set up.
    """
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = VENV / f"installed-{lock.stem}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    print(f"Installing {lock.name} into .venv …", flush=True)
    locked = ["--quiet", "--no-deps", "--require-hashes", "-r", str(lock)]
    uv = shutil.which("uv")
    from_cache = (
        [uv, "pip", "install", "--offline", "--no-config", "--python", str(PYTHON), *locked] if uv else ["false"]
    )
    if subprocess.run(from_cache, capture_output=True, check=False).returncode:
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", *locked]
        if subprocess.run(pip, check=False).returncode:
            sys.exit(f"pip could not install {lock.name}: see its message above (is the package index reachable?).")
    stamp.write_text(wanted)
    print(f"Installed {lock.name} in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
