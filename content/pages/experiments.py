"""A/B tests: which run, what each takes before it starts, how far it is, and its verdict when there is one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import MessageTemplate
from content import experiments, trials
from content.experiment_forms import WORDS, ExperimentForm
from content.models import Experiment, Post, Trial
from content.pages import desk

SHOWN, DRAFTS, LOTS = 50, 50, 100
Status, Subject = Experiment.Status, Experiment.Subject


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the tests, the newest first."""
    found = list(Experiment.objects.filter(workspace=request.workspace).select_related("account")[:SHOWN])
    rows = [(one, experiments.progress(one) if one.status == Status.RUNNING else None) for one in found]
    return desk.show(request, "experiments", "experiments", {"rows": rows, "subjects": Subject.choices})


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def new(request: MemberRequest) -> HttpResponse:
    """Answer the form of a kind of test, and write the test down."""
    subject = request.GET.get("subject", Subject.CAPTION.value)
    if subject not in Subject.values:
        raise Http404
    accounts = desk.accounts_of(request)
    form = ExperimentForm(
        request.workspace, subject, request.POST or None, initial={"account": accounts[0].username} if accounts else {}
    )
    if request.method == "POST" and form.is_valid():
        made: list[Experiment] = []

        def deed() -> None:
            made.append(experiments.draft(request.workspace, request.user, subject=subject, **form.cleaned_data))

        said = "The test is written down. Look at what it takes, then start it."
        if do(request, deed, said, name="experiment", account=form.cleaned_data["account"]):
            return redirect("studio:experiment", made[0].pk)
    context = {
        "form": form, "subject": subject, "subjects": Subject.choices, "words": WORDS[subject],
        "accounts": accounts,
        "templates": MessageTemplate.objects.filter(workspace=request.workspace, approved_at__isnull=False).count(),
    }  # fmt: skip
    return desk.show(request, "experiments", "experiment_new", context, 400 if form.errors else 200)


@require_safe
@members("look")
def one(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """Answer one test; its difference only when it is decided."""
    test = _mine(request, experiment_id)
    progress = experiments.progress(test)
    is_dm = test.subject == Subject.DM
    offers = test.status == Status.RUNNING and not is_dm and progress.room
    context: dict[str, Any] = {
        "test": test,
        "progress": progress,
        "needed": 2 * test.units_each,
        "unit": "person" if is_dm else "post",
        "units": "people" if is_dm else "posts",
        "weeks": _weeks(test),
        "differs": (experiments.POINTS if is_dm else experiments.SHARES).get(test.baseline.get("difference", 0), ""),
        "drafts": list(trials.fits(test)[:DRAFTS]) if offers else None,
        "welcomes": is_dm and test.status == Status.RUNNING and experiments.open_welcomes(test).exists(),
        "lots": _lots(test),
        "arms": [("A", test.a, progress.known["A"], progress.drawn["A"], progress.missing["A"]),
                 ("B", test.b, progress.known["B"], progress.drawn["B"], progress.missing["B"])],
    }  # fmt: skip
    return desk.show(request, "experiments", "experiment", context)


@require_POST
@members("act")
def start(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """Start a test."""
    return _deed(request, experiment_id, experiments.start, "The test runs. Nothing of it changes any more.")


@require_POST
@members("act")
def stop(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """End a test without a verdict."""
    return _deed(request, experiment_id, experiments.stop, "The test is stopped, without a verdict.")


@require_POST
@members("act")
def welcome(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """Have the bot welcome more people for the test."""
    return _deed(request, experiment_id, experiments.welcome, "The bot welcomes who follows from now on.")


@require_POST
@members("act")
def posts(request: MemberRequest, experiment_id: UUID) -> HttpResponse:
    """Draw the lot of drafts."""
    wanted = [key for key in request.POST.getlist("posts") if _uuid(key)]
    found = list(Post.objects.filter(workspace=request.workspace, pk__in=wanted))
    said = "The lot is drawn, and the drafts are changed. Schedule them in the calendar as you like."
    return _deed(request, experiment_id, lambda test, user: experiments.add(test, user, found), said)


def _deed(request: MemberRequest, key: UUID, deed: Callable[..., object], said: str) -> HttpResponse:
    test = _mine(request, key)
    do(request, lambda: deed(test, request.user), said, name="experiment", account=test.account)
    return redirect("studio:experiment", test.pk)


def _mine(request: MemberRequest, key: UUID) -> Experiment:
    return get_object_or_404(
        Experiment.objects.select_related("account", "created_by"), workspace=request.workspace, pk=key
    )


def _weeks(test: Experiment) -> int | None:
    """How many weeks it takes at the pace of the last two months, the week of the last outcome included."""
    pace = test.baseline.get("a_week")
    return max(1, round(2 * test.units_each / pace)) + 1 if pace else None


def _lots(test: Experiment) -> list[tuple[Trial, Post | None]]:
    """The newest lots with their posts."""
    drawn = list(Trial.objects.filter(experiment=test).order_by("-assigned_at")[:LOTS])
    if test.subject == Subject.DM:
        return []
    found = {str(post.pk): post for post in Post.objects.filter(pk__in=[lot.unit for lot in drawn])}
    return [(lot, found.get(lot.unit)) for lot in drawn]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
