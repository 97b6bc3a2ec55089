#!/usr/bin/env python
"""The operators' door: `python manage.py help` lists every command."""

import os
import sys


def main() -> None:
    """Run one management command."""
    if sys.argv[1:] in (["up"], ["services"], ["doctor"]):  # they make or examine what the settings need
        from instagrowth.embedded.__main__ import main as before_django

        sys.exit(before_django(sys.argv[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "instagrowth.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:  # a sentence for the operator, who has no use for a traceback
        sys.exit(str(wrong))


if __name__ == "__main__":
    main()
