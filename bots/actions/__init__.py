"""What a bot can do, one module a kind, each with the same verbs.

`SOURCES` says where the kind finds people. `find(door, task)` gives a page of them; `once(task, candidate, today)` what
"once" means beside kind and person; `perform(door, action, task)` sends at most one POST, and raises nothing after it
but `NoAnswer`; `reconcile(door, action, task)` reads whether an action without an answer arrived after all.
"""

from types import ModuleType

from bots.actions import follow, like, story_view, unfollow, welcome_dm
from bots.models import Kind

MODULES: dict[str, ModuleType] = {
    Kind.FOLLOW: follow,
    Kind.LIKE: like,
    Kind.STORY_VIEW: story_view,
    Kind.WELCOME_DM: welcome_dm,
    Kind.UNFOLLOW: unfollow,
}
