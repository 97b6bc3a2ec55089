"""A worker of the publisher in a process of its own, to be killed: `python -m content.tests.publishing_worker`."""

import time

import django


def main() -> None:
    """Do what is due until somebody ends it."""
    django.setup()
    from content import publishing

    while True:
        for claim in publishing.claim(3):
            publishing.turn(claim.workspace, claim.post, claim.fence)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
