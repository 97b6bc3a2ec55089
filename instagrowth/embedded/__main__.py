"""`manage.py up`, `services` and `doctor`, before Django is there: they make or examine what settings need."""

import sys

import environ

from instagrowth.embedded import doctor, stack
from instagrowth.embedded.folder import EmbeddedError

COMMANDS = {"up": stack.up, "services": stack.services, "doctor": doctor.examine}


def main(command: str) -> int:
    """Run one of the three and give its exit code."""
    environ.Env.read_env(stack.ROOT / ".env")  # what is already in the environment wins
    try:
        return COMMANDS[command]()
    except EmbeddedError as refused:
        print(refused, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
