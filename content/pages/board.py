"""The board of ideas: posts without an hour."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from content import calendar
from content.models import Post
from errors import codes
from errors.exceptions import BotException

MOST_SHOWN = 60
COLUMNS = (Post.State.IDEA, Post.State.DRAFT, Post.State.PROPOSED)


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def ideas(request: MemberRequest) -> HttpResponse:
    """Answer the board, and keep a new idea. Raises NO_PERMISSION."""
    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        words = request.POST.get("caption", "").strip()[:2200]
        if words:
            deed = lambda: calendar.draft(request.workspace, None, request.user, caption=words, idea=True)  # noqa: E731
            do(request, deed, "The idea is kept.", name="post_idea")
        return redirect("calendar:ideas")
    mine = calendar.with_media(Post.objects.filter(workspace=request.workspace))
    columns = [(state, mine.filter(state=state).order_by("-updated_at")[:MOST_SHOWN]) for state in COLUMNS]
    return render(request, "content/ideas.html", {"columns": columns})
