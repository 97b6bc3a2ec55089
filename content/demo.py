"""What the demo workspace shows of the official door and the content tools, at the sandbox.

Numbers, comments and messages are not made up here: they are read from the sandbox as they would be from Meta.
"""

import io
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import requests
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Membership, User, Workspace
from bots import meta_login, official
from bots.instagram.graph_login import Given
from bots.models import InstagramAccount, OfficialAccess
from content import ai, calendar, experiments, inbox, library, measuring, planner, report_plans, runs, slots
from content.models import Experiment, Feature, Media, Post, ReplyRule, ReportPlan, Talk
from errors import codes
from errors.exceptions import BotException

COLOURS = {"teal bowl": ((36, 94, 100), (150, 200, 196)), "sand plate": ((120, 88, 60), (226, 206, 176)),
           "kiln at night": ((24, 22, 40), (230, 120, 60))}  # fmt: skip
PLAN = {"days": 30, "aim": "followers", "goal": "Sell out the kiln opening", "niche": "Handmade stoneware",
        "posts_a_week": 3, "minutes": 20, "language": "English"}  # fmt: skip
WAIT = 10  # seconds for the sandbox


def fill(workspace: Workspace, user: User, account: InstagramAccount) -> None:
    """Connect the account through Meta at the sandbox and plan something; nothing where that was done before.

    Raises NET_REFUSED where no sandbox answers, and what it refuses.
    """
    with tenancy.scope(workspace):
        if not settings.INSTAGRAM_GRAPH_URL or OfficialAccess.objects.filter(account=account).exists():
            return
    given = _given(account.username)
    with tenancy.scope(workspace):
        meta_login.keep(workspace, user, official.app_for(None), OfficialAccess.Login.INSTAGRAM, given)
        slots.add(account, user, [1, 3], time(18))
        slots.add(account, user, [6], time(11))
        _plan(Membership.objects.select_related("workspace", "user").get(workspace=workspace, user=user), account)
        inbox.add_rule(
            workspace.pk,
            user,
            words="price",
            on=Talk.Kind.COMMENT,
            how=ReplyRule.How.PRIVATE,
            text="Thank you for asking. Our price list is at demo.ceramics.example/prices.",
        )
        inbox.save_reply(workspace.pk, user, name="Food safe", text="Yes, all our glazes are food safe.")
        inbox.save_reply(workspace.pk, user, name="Shipping", text="We ship within Europe, every Monday.")
        report_plans.add(workspace, user, account, ReportPlan.Every.WEEK, user.email or "")
        if ai.plays():  # a real model costs money
            runs.ask(workspace, user, Feature.AUDIT, {}, account=account)
            planner.ask(account, user, PLAN)
    measuring.measure(workspace.pk, account.pk)  # what a test takes is reckoned from measured posts
    with tenancy.scope(workspace):
        _compare(workspace, user, account)


def _given(username: str) -> Given:
    """A token as the sandbox gives it to whoever arranges things there, without its pages."""
    address = f"{settings.INSTAGRAM_GRAPH_URL}/_control/graph/token"
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy on the way to a stand-in
            answer = session.post(address, json={"username": username}, timeout=WAIT)
            answer.raise_for_status()
    except requests.RequestException:
        raise BotException(codes.NET_REFUSED) from None
    told = answer.json()
    seconds = int(timedelta(days=60).total_seconds())
    scopes = [f"instagram_business_{name}" for name in ("basic", "content_publish", "manage_comments",
              "manage_messages", "manage_insights")]  # fmt: skip
    return Given(told["token"], scopes, told["ig_id"], seconds, told["ig_id"])


def _plan(owner: Membership, account: InstagramAccount) -> None:
    """A carousel in two minutes, posts in the next slots, a draft and two ideas."""
    bowl, plate, kiln = (_drawn(owner, name, *colours) for name, colours in COLOURS.items())
    draft = calendar.draft
    workspace, user = owner.workspace, owner.user
    soon = now() + timedelta(minutes=2)
    first = draft(
        workspace,
        account,
        user,
        caption="From the wheel to the kiln. #ceramics #kiln",
        kind=Post.Kind.CAROUSEL,
        media=[bowl, plate, kiln],
        first_comment="Which step do you like best?",
        planned_for=soon,
    )
    calendar.schedule(owner, first)
    for caption, media in (("The teal bowl is back. #bowls #glaze", bowl), ("Night firing. #kiln #studio", kiln)):
        calendar.enqueue(owner, draft(workspace, account, user, caption=caption, media=[media]))
    zone = ZoneInfo(account.timezone)
    later = datetime.combine(now().astimezone(zone).date() + timedelta(days=5), time(9), zone).astimezone(UTC)
    draft(workspace, account, user, caption="Plates for two. #plates", media=[plate], planned_for=later)
    for idea in ("How a glaze is mixed, in five pictures", "A day in the studio, as a reel"):
        draft(workspace, None, user, caption=idea, idea=True)


def _compare(workspace: Workspace, user: User, account: InstagramAccount) -> None:
    """A test of first comments that runs, with three drafts, and one of posting times that is not started."""
    test = experiments.draft(
        workspace, user, account, subject=Experiment.Subject.FIRST_COMMENT, name="A question as the first comment",
        a="", b="Which of these would stand on your table?", difference=0.5,
    )  # fmt: skip
    experiments.start(test, user)
    words = ("Bowls for soup. #bowls", "Salt glaze, first try. #glaze", "A shelf of seconds. #studio")
    experiments.add(test, user, [calendar.draft(workspace, account, user, caption=each) for each in words])
    experiments.draft(
        workspace, user, account, subject=Experiment.Subject.TIME, name="Morning or evening", a="08:00", b="18:30",
        difference=0.3,
    )  # fmt: skip


def _drawn(owner: Membership, name: str, dark: tuple[int, int, int], light: tuple[int, int, int]) -> Media:
    """A picture of the library: a soft ground with a round shape."""
    from PIL import Image, ImageDraw

    picture = Image.linear_gradient("L").resize((1080, 1350))
    ground = Image.composite(Image.new("RGB", picture.size, light), Image.new("RGB", picture.size, dark), picture)
    ImageDraw.Draw(ground).ellipse((240, 420, 840, 1020), fill=dark, outline=light, width=12)
    file = io.BytesIO()
    ground.save(file, "JPEG", quality=88)
    upload = SimpleUploadedFile(f"{name}.jpg", file.getvalue(), "image/jpeg")
    return library.add(owner.workspace, owner.user, upload, alt_text=f"A drawing of a {name}")
