"""What a bot can do, one module a kind, each with the same three verbs: `find`, `perform`, `reconcile`."""

from types import ModuleType

from bots.actions import follow
from bots.models import Kind

MODULES: dict[str, ModuleType] = {Kind.FOLLOW: follow}
