"""Find a Chromium for the browser tests, or get one: the system's, the package manager's, Playwright's own."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find_chromium() -> str | None:
    """Give the path of a Chromium that starts, or None."""
    for path in (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), str(MAC)):
        if path and starts(path):
            return path
    return path if starts(path := playwrights()) else None


def get_chromium() -> str | None:
    """Give a Chromium, installed now if there was none; None where none can be had."""
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and (apt := shutil.which("apt-get")):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run([apt, *step], env=quiet, stdout=subprocess.DEVNULL, check=False)
        if found := find_chromium():
            return found
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_chromium()


def starts(path: str) -> bool:
    """Tell whether this program is there and can run: a half-installed one cannot say its version."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights() -> str:
    """Give the path where Playwright puts its own Chromium, or nothing without Playwright."""
    if importlib.util.find_spec("playwright") is None:
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    if chromium := get_chromium():
        print(chromium)
    else:
        sys.exit("There is no Chromium and none could be installed: the browser tests are left out.")
