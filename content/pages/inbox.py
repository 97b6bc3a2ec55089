"""The inbox: what people say, who cares for it, the answer, and what answers by itself."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.pages.doors import back, do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.models import InstagramAccount, OfficialAccess
from bots.pages.doors import do_for
from content import inbox, replies
from content.inbox_forms import ReplyForm, RuleForm, SavedReplyForm
from content.models import Measuring, ReplyRule, SavedReply, Talk, TalkLine
from errors import codes
from errors.exceptions import BotException
from instagrowth import live

A_PAGE = 30
SHOWN = 200  # lines of a talk, the newest
VIEWS = {"open": "Open", "mine": "Mine", "done": "Done"}


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the talks: open, one's own, or done, the newest first."""
    since = live.latest(request.workspace.pk)
    view = request.GET.get("view", "open")
    view = view if view in VIEWS else "open"
    talks = _found(request, view)
    query = {name: request.GET[name] for name in ("view", "kind", "account", "q") if request.GET.get(name)}
    context = {
        "live_since": since,
        "view": view,
        "views": VIEWS,
        "page": Paginator(talks, A_PAGE).get_page(request.GET.get("page")),
        "query": urlencode(query),
        "accounts": InstagramAccount.objects.filter(workspace=request.workspace).order_by("username"),
        "connected": OfficialAccess.objects.exists(),
        "filtered": bool(set(query) - {"view"}),
        "refused": Measuring.objects.filter(account__official__isnull=False)
        .exclude(inbox_code="")
        .select_related("account")
        .order_by("pk")[:5],
    }
    return render(request, "content/inbox_live.html" if request.htmx else "content/inbox.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def talk(request: MemberRequest, talk_id: UUID) -> HttpResponse:
    """Answer one talk, and say something in it. Raises NO_PERMISSION."""
    since = live.latest(request.workspace.pk)
    mine = _mine(request, talk_id)
    posted = request.method == "POST"
    private_to = replies.privately(mine)
    form = ReplyForm(request.POST if posted else None, initial={"text": _saved_text(request)}, privately=private_to)

    def say() -> str:
        data = form.cleaned_data
        named = data["private"] is not None
        to = TalkLine.objects.filter(talk=mine, is_ours=False, pk=data["private"]).first() if named else None
        replies.say(mine, data["text"], user=request.user, to=to, private=named, once=data["once"])
        return "The answer is on its way."

    if posted:
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid() and do_for(request, form, say, name="inbox_reply"):
            return redirect("inbox:talk", mine.pk)
    lines = list(TalkLine.objects.filter(talk=mine).order_by("-at", "-pk")[:SHOWN])[::-1]
    authors = {user.pk: user for user in User.objects.filter(pk__in={line.by for line in lines if line.by})}
    refused = replies.closed(mine)
    context = {
        "live_since": since,
        "talk": mine,
        "lines": [(line, authors.get(line.by) if line.by else None) for line in lines],
        "form": form,
        "closed": refused.code if refused else None,
        "window_ends": mine.theirs_at + replies.WINDOW if mine.theirs_at else None,
        "private_to": private_to,
        "team": User.objects.filter(memberships__workspace=request.workspace).order_by("name", "email"),
        "saved": SavedReply.objects.filter(workspace=request.workspace),
    }
    template = "content/talk_lines.html" if request.htmx else "content/talk.html"
    return render(request, template, context, status=400 if posted else 200)


@require_POST
@members("act")
def assign(request: MemberRequest, talk_id: UUID) -> HttpResponse:
    """Let somebody of the team, or nobody, care for a talk."""
    mine, named = _mine(request, talk_id), request.POST.get("assigned", "")
    team = User.objects.filter(memberships__workspace=request.workspace)
    to = next((user for user in team if str(user.pk) == named), None)
    do(request, lambda: inbox.assign(mine, request.user, to), f"Given to {to or 'nobody'}.", name="inbox_assign")
    return redirect("inbox:talk", mine.pk)


@require_POST
@members("act")
def settle(request: MemberRequest, talk_id: UUID) -> HttpResponse:
    """Put a talk away as done, or open it again (`to=open`)."""
    mine, done = _mine(request, talk_id), request.POST.get("to") != "open"
    words = "Put away. It comes back when the person says more." if done else "Open again."
    do(request, lambda: inbox.settle(mine, request.user, done=done), words, name="inbox_done")
    return back(request, "inbox:page")


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def rules(request: MemberRequest) -> HttpResponse:
    """Answer the rules and the saved replies, and add one (`what=rule` or `what=saved`). Raises NO_PERMISSION."""
    what = request.POST.get("what") if request.method == "POST" else None
    rule = RuleForm(request.POST if what == "rule" else None)
    saved = SavedReplyForm(request.POST if what == "saved" else None, prefix="saved")

    def add_rule() -> str:
        inbox.add_rule(request.workspace.pk, request.user, **rule.cleaned_data)
        return "The rule answers from now on."

    def save() -> str:
        inbox.save_reply(request.workspace.pk, request.user, **saved.cleaned_data)
        return "The reply is kept."

    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        form, deed = (rule, add_rule) if what == "rule" else (saved, save)
        if form.is_valid() and do_for(request, form, deed, name="inbox_rule"):
            return redirect("inbox:rules")
    context: dict[str, Any] = {
        "rule": rule,
        "saved": saved,
        "rules": ReplyRule.objects.filter(workspace=request.workspace),
        "replies": SavedReply.objects.filter(workspace=request.workspace),
    }
    return render(request, "content/rules.html", context, status=400 if request.method == "POST" else 200)


@require_POST
@members("act")
def remove_rule(request: MemberRequest, rule_id: UUID) -> HttpResponse:
    """Let a rule answer nothing more."""
    rule = get_object_or_404(ReplyRule, workspace=request.workspace, pk=rule_id)
    do(request, lambda: inbox.remove_rule(rule, request.user), "The rule is gone.", name="inbox_rule")
    return redirect("inbox:rules")


@require_POST
@members("act")
def remove_saved(request: MemberRequest, reply_id: UUID) -> HttpResponse:
    """Throw a saved reply away."""
    reply = get_object_or_404(SavedReply, workspace=request.workspace, pk=reply_id)
    do(request, lambda: inbox.remove_saved(reply, request.user), "The reply is gone.", name="inbox_saved")
    return redirect("inbox:rules")


def _mine(request: MemberRequest, talk_id: UUID) -> Talk:
    talks = Talk.objects.select_related("account", "assigned")
    return get_object_or_404(talks, workspace=request.workspace, pk=talk_id)


def _found(request: MemberRequest, view: str) -> QuerySet[Talk]:
    talks = Talk.objects.filter(workspace=request.workspace, is_done=view == "done")
    if view == "mine":
        talks = talks.filter(assigned=request.user)
    if (kind := request.GET.get("kind")) in Talk.Kind.values:
        talks = talks.filter(kind=kind)
    if account := request.GET.get("account"):
        talks = talks.filter(account__username=account.lower())
    if words := request.GET.get("q", "").strip()[:60]:
        talks = talks.filter(Q(username__icontains=words) | Q(lines__text__icontains=words)).distinct()
    return talks.select_related("account", "assigned").order_by("-last_at", "-pk")


def _saved_text(request: MemberRequest) -> str:
    """The saved reply that an address names."""
    named = request.GET.get("saved", "")
    replies_ = SavedReply.objects.filter(workspace=request.workspace)
    return next((reply.text for reply in replies_ if str(reply.pk) == named), "") if named else ""
