"""Private PostgreSQL and Valkey for development and tests: no installation, no fixed ports, nothing left behind.

Light on purpose: `instagrowth.settings` imports this package, so nothing here needs Django.
"""

from instagrowth.embedded.folder import EmbeddedError, running
from instagrowth.embedded.services import Services, start

__all__ = ["EmbeddedError", "Services", "running", "start"]
