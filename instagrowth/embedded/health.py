"""Ask a web server on this machine whether it lives, under the name it is meant to be asked by."""

import contextlib
import os
import sys
import urllib.request
from urllib.parse import urlsplit


def lives(port: int, site: str, path: str = "/healthz") -> bool:
    """Tell whether a path answers 200; the name comes from the site's address, because the others are refused."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": urlsplit(site).netloc})
    with (
        contextlib.suppress(OSError),
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=3),
    ):
        return True
    return False


if __name__ == "__main__":
    sys.exit(not lives(int(sys.argv[1]), os.environ["SITE_URL"]))
