"""Numbers are read day by day and kept; what Meta does not tell stays unknown, and everything is added up by SQL."""

import io
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now
from PIL import Image

from accounts import brand, tenancy
from accounts.models import User, Workspace
from billing.models import Plan
from bots.models import InstagramAccount, OfficialAccess
from bots.official import official_door
from content import analytics, measuring, number_pdf, report_plans
from content.models import AccountInsight, Measuring, PostDay, PostInsight, ReportPlan
from content.tests.making import printed
from errors import codes
from errors.models import ActivityLog
from instagrowth.testing import connect_officially, everywhere, warm_account
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


def kept() -> tuple[int, int, int]:
    with everywhere():
        return AccountInsight.objects.count(), PostInsight.objects.count(), PostDay.objects.count()


def measured(account: InstagramAccount, day: date, **numbers: int | None) -> AccountInsight:
    return AccountInsight(workspace_id=account.workspace_id, account=account, day=day, measured_at=now(), **numbers)


def post(account: InstagramAccount, at: datetime, number: int, **fields: object) -> PostInsight:
    known = {"kind": "IMAGE", "product": "FEED", "measured_at": now()} | fields
    known["local_at"] = measuring.local(at, account.timezone)
    return PostInsight(workspace_id=account.workspace_id, account=account, media_id=f"{number}", posted_at=at, **known)


def test_a_look_keeps_days_posts_and_stories_and_a_second_look_the_same_day_adds_nothing(
    alices_official: InstagramAccount, meta: Control
) -> None:
    (due,) = measuring.due()
    assert due == (alices_official.workspace_id, alices_official.pk)
    assert measuring.due() == []  # it was handed to a worker
    measuring.measure(*due)
    first = kept()
    measuring.measure(*due)

    assert kept() == first
    assert first[0] == measuring.BACK + 1
    with everywhere():
        today = now().astimezone(ZoneInfo(alices_official.timezone)).date()
        days = AccountInsight.objects.order_by("-day")
        assert [row.followers for row in days[:2]] == [900, None]  # no past of it can be asked for
        assert days[0].day == today
        assert all(row.reach and row.new_followers is not None for row in days)
        assert (
            PostInsight.objects.filter(measured_at__isnull=False).count() == PostDay.objects.filter(day=today).count()
        )
        assert Measuring.objects.get().due_at > now()


def test_a_day_is_one_day_of_the_accounts_own_zone(alices_official: InstagramAccount, meta: Control) -> None:
    with everywhere():
        InstagramAccount.objects.update(timezone="Pacific/Auckland")
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    with everywhere():
        row = AccountInsight.objects.order_by("day")[10]
        door = official_door(alices_official)
    before = datetime.combine(row.day, time(), UTC) - timedelta(days=1)  # whose noon is in Auckland's day

    assert door.account_insights(before, before + timedelta(days=1))["reach"] == row.reach


def test_what_meta_does_not_tell_is_unknown(
    alice: User, client: Client, alices_account: InstagramAccount, meta: Control
) -> None:
    connect_officially(alices_account, meta, followers=50, media=0)
    measuring.measure(alices_account.workspace_id, alices_account.pk)
    with everywhere():
        assert set(AccountInsight.objects.values_list("new_followers", flat=True)) == {None}
    client.force_login(alice)
    page = client.get(reverse("analytics:page")).content.decode()

    assert "0 of 28 days known; before unknown" in page
    assert "No measured post in these days." in page


def test_a_post_whose_numbers_meta_refuses_ends_no_look_and_keeps_what_is_known(
    alices_official: InstagramAccount, meta: Control
) -> None:
    with everywhere():
        door = official_door(alices_official)
    few = door.publish(door.create_container(image_url="https://pictures.example/a.jpg", media_type="STORIES"))
    old, gone, down, *_ = (one["id"] for one in door.recent_media())
    meta.fault("graph_100_2108006", path=f"{old}/insights", times=9)
    meta.fault("graph_1", path=f"{down}/insights")
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    with everywhere():
        found = {one.media_id: one for one in PostInsight.objects.all()}
        told = list(ActivityLog.objects.filter(action="measure").order_by("pk").values_list("error_code", flat=True))
        assert (Measuring.objects.get().error_code, OfficialAccess.objects.get().status) == ("", "active")
    meta.fault("graph_4711", path=f"{gone}/insights", times=9)
    measuring.measure(alices_official.workspace_id, alices_official.pk)

    assert [found[one].measured_at is not None for one in (few, old, gone, down)] == [True, True, True, False]
    assert [found[one].reach is not None for one in (few, old, gone, down)] == [False, False, True, False]
    assert sum(one.reach is not None for one in found.values()) == len(found) - 3 > 10
    with everywhere():
        again = {one.media_id: one for one in PostInsight.objects.all()}
        more = list(ActivityLog.objects.filter(action="measure").order_by("pk").values_list("error_code", flat=True))
    assert (again[gone].reach, again[gone].measured_at) == (found[gone].reach, found[gone].measured_at)
    assert again[down].reach is not None
    assert sorted(told) == sorted([codes.GRAPH_NO_INSIGHTS.id, codes.GRAPH_UNAVAILABLE.id])
    assert len(more) == 3  # a post without numbers is told of once


def test_a_removed_permission_is_said_once_and_the_numbers_stay(
    alices_official: InstagramAccount, meta: Control
) -> None:
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    first = kept()
    meta.graph("revoke", username=alices_official.username)
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    measuring.measure(alices_official.workspace_id, alices_official.pk)

    assert kept() == first
    with everywhere():
        assert OfficialAccess.objects.get().status == "reconnect"
        assert Measuring.objects.get().error_code == codes.IG_OFFICIAL_RECONNECT.id
        Measuring.objects.update(due_at=now())
    assert measuring.due() == []


def test_sums_comparison_groups_and_best_posts_are_right(
    alices_workspace: Workspace, alices_account: InstagramAccount
) -> None:
    other = warm_account(alices_workspace, "alice.prints", timezone="Pacific/Auckland")
    day = date(2026, 3, 10)
    oslo, auckland = ZoneInfo("Europe/Oslo"), ZoneInfo("Pacific/Auckland")
    with everywhere():
        AccountInsight.objects.bulk_create(
            [
                measured(alices_account, day, reach=100, views=10, followers=500),
                measured(other, day, reach=50, followers=70),
                measured(alices_account, day - timedelta(days=1), reach=30, followers=490),
                measured(alices_account, day - timedelta(days=2), reach=60),
                measured(other, day - timedelta(days=2), reach=0),
                measured(other, day - timedelta(days=3), reach=60),
            ]
        )
        PostInsight.objects.bulk_create(
            [
                post(alices_account, datetime(2026, 3, 10, 23, 30, tzinfo=oslo), 1, reach=100, interactions=10,
                     tags=["clay", "blue"]),
                post(other, datetime(2026, 3, 9, 8, 0, tzinfo=auckland), 2, reach=300, interactions=60,
                     tags=["clay"], product="REELS", kind="VIDEO"),
                post(other, datetime(2026, 3, 8, 23, 59, tzinfo=auckland), 3, reach=1, interactions=999),
                post(alices_account, datetime(2026, 3, 9, 23, 10, tzinfo=oslo), 4, reach=None, interactions=None,
                     tags=["blue"]),
                post(other, datetime(2026, 3, 9, 9, 0, tzinfo=auckland), 5, product="STORY", reach=7),
            ]
        )  # fmt: skip
        ids = [alices_account.pk, other.pk]
        found = analytics.report(ids, day - timedelta(days=1), day)

        figures = {one.key: (one.value, one.before, one.days) for one in found.figures}
        assert figures["reach"] == (180, 120, 2)
        assert figures["views"] == (10, None, 1)
        assert figures["new_followers"] == (None, None, 0)
        assert found.figures[0].change == 0.5
        assert [row["followers"] for row in found.days] == [None, 570]  # one of two is no sum
        assert [(g.name, g.posts, g.reach, g.interactions, g.rate) for g in found.kinds] == [
            ("Reel", 1, 300, 60, 0.2), ("Photo", 2, 100, 10, 0.1)
        ]  # fmt: skip
        assert [(g.name, g.posts) for g in found.hours] == [("08:00", 1), ("23:00", 2)]
        assert [(g.name, g.posts, g.interactions) for g in found.tags] == [("#clay", 2, 35), ("#blue", 2, 10)]
        assert [one.media_id for one in found.best] == ["2", "1"]
        assert [(one.media_id, one.reach) for one in found.stories] == [("5", 7)]

        with CaptureQueriesContext(connection) as one:
            analytics.report(ids[1:], day - timedelta(days=1), day)
        with CaptureQueriesContext(connection) as two:
            analytics.report(ids, day - timedelta(days=1), day)
        assert len(one) == len(two)


def test_an_account_that_was_added_or_lost_is_no_growth_and_no_loss(
    alice: User, client: Client, alices_workspace: Workspace, alices_account: InstagramAccount
) -> None:
    other, last = warm_account(alices_workspace, "alice.prints"), now().date() - timedelta(days=3)
    numbers = dict.fromkeys(analytics.METRICS, 10)

    def compared(days: int = 28) -> tuple[set[tuple[int | None, int | None]], str]:
        with everywhere():
            found = analytics.report([alices_account.pk, other.pk], last - timedelta(days=days - 1), last)
        return {(one.value, one.before) for one in found.figures}, found.caveat

    with everywhere():
        Measuring.objects.create(workspace=alices_workspace, account=alices_account, due_at=now(), measured_at=now())
        AccountInsight.objects.bulk_create(
            measured(alices_account, last - timedelta(days=n), **numbers) for n in range(56)
        )
    alone = compared()
    with everywhere():  # as a new account is filled
        AccountInsight.objects.bulk_create(measured(other, last - timedelta(days=n), **numbers) for n in range(28))
    added = compared()
    client.force_login(alice)
    page = client.get(reverse("analytics:page"), {"since": last - timedelta(days=27), "until": last})
    with everywhere():  # Meta is late: the newest days of one of both are not there yet
        AccountInsight.objects.filter(account=other, day__gt=last - timedelta(days=2)).delete()
    late = compared(14)
    with everywhere():  # it was lost before all that
        AccountInsight.objects.filter(account=other, day__gt=last - timedelta(days=14)).delete()

    assert alone == ({(280, 280)}, "")
    assert added == ({(560, None)}, analytics.UNCOMPARED)
    assert page.content.decode().count("before unknown") == len(analytics.METRICS)
    assert analytics.UNCOMPARED in page.content.decode()
    assert late == ({(260, 280)}, "")
    assert compared(14) == ({(140, None)}, analytics.UNCOMPARED)


def test_all_accounts_are_as_old_as_the_longest_unread_that_is_connected_and_parted_ones_are_named(
    alice: User, client: Client, alices_workspace: Workspace, alices_official: InstagramAccount, meta: Control
) -> None:
    names = ("alice.prints", "alice.left", "alice.then")
    prints, left, then = (warm_account(alices_workspace, name) for name in names)
    connect_officially(prints, meta)
    connect_officially(left, meta)
    hour, week, today = timedelta(hours=1), timedelta(days=7), now().date()
    with everywhere():
        OfficialAccess.objects.filter(account=left).update(status="reconnect")
        Measuring.objects.bulk_create(
            Measuring(workspace=alices_workspace, account=account, due_at=now(), measured_at=now() - ago)
            for account, ago in ((alices_official, hour), (prints, 5 * hour), (left, week), (then, 20 * week))
        )
        ids = [alices_official.pk, prints.pk, left.pk, then.pk]
        found = analytics.report(ids, today - timedelta(days=27), today)
        words = " ".join(printed(number_pdf.draw(found, alices_workspace, "all")).split())
        gone = analytics.report([left.pk], today - timedelta(days=27), today)
    client.force_login(alice)
    page = client.get(reverse("analytics:page")).content.decode()

    assert found.measured_at is not None
    assert round((now() - found.measured_at) / hour) == 5
    assert [name for name, _ in found.parted] == ["alice.left"]  # the other is in none of these days
    assert "No longer connected: @alice.left, last read" in page
    assert "No longer connected: @alice.left (last measured" in words
    assert gone.measured_at == gone.parted[0][1]


def test_the_best_time_is_told_from_own_posts_and_only_when_there_are_enough(
    alices_account: InstagramAccount, alice: User, client: Client
) -> None:
    client.force_login(alice)
    slots = reverse("calendar:slots", args=[alices_account.username])
    monday = datetime.combine(now().date() - timedelta(days=now().weekday() + 14), datetime.min.time(), UTC)

    def posts(amount: int, weekday: int, hour: int, interactions: int, begin: int) -> list[PostInsight]:
        local = (monday + timedelta(days=weekday, hours=hour)).replace(tzinfo=ZoneInfo(alices_account.timezone))
        return [
            post(alices_account, local - timedelta(days=7 * (n % 10)), begin + n, reach=100, interactions=interactions)
            for n in range(amount)
        ]

    with everywhere():
        PostInsight.objects.bulk_create(posts(10, 1, 19, 20, 0) + posts(9, 4, 7, 5, 100))
        assert analytics.best_times(alices_account.pk) is None
    assert "Not enough data yet" in client.get(slots).content.decode()
    with everywhere():
        PostInsight.objects.bulk_create(posts(2, 6, 12, 90, 200))  # better, and too few to say so
        found = analytics.best_times(alices_account.pk) or []
    told = [(one["day"], one["hour"], one["posts"], one["rate"]) for one in found]
    assert told == [("Tuesday", 18, 10, 0.2), ("Friday", 6, 9, 0.05)]
    assert "Tuesday, 18:00 to 21:00" in client.get(slots).content.decode()


def test_members_read_export_and_print_and_nobody_else_does(
    alices_official: InstagramAccount, alice: User, charlie: User, client: Client, meta: Control
) -> None:
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    client.force_login(alice)
    page = client.get(reverse("analytics:page"), {"account": alices_official.username})
    days = client.get(reverse("analytics:export_days"), {"days": "7"}).content.decode().splitlines()
    posts = client.get(reverse("analytics:export_posts"), {"days": "28"}).content.decode().splitlines()
    paper = client.get(reverse("analytics:pdf"), {"since": "2026-01-01", "until": "2026-01-31"})

    assert page.status_code == 200
    assert "28 of 28 days known" in page.content.decode()
    own = {"since": "2026-01-01", "until": "2026-01-31", "was": "0"}
    spans = [client.get(reverse("analytics:page"), own | {"days": days}).context["ask"].days for days in ("", "7", "0")]
    assert spans == [0, 7, 0]  # a span chosen anew counts more than the days that stand in the form
    assert days[0].startswith("day,followers,reach,views")
    assert len(days) == 8
    assert len(posts) > 5
    assert paper.content.startswith(b"%PDF-")
    client.force_login(charlie)
    assert client.get(reverse("analytics:page"), {"account": alices_official.username}).status_code == 404
    assert alices_official.username not in client.get(reverse("analytics:page")).content.decode()


def test_a_report_is_mailed_once_on_its_day_and_its_address_opens_until_it_is_stopped(
    alices_official: InstagramAccount, alice: User, client: Client, mailoutbox: list[EmailMessage]
) -> None:
    client.force_login(alice)
    planned = client.post(reverse("analytics:reports"), {"to": "client@example.com", "every": "week", "account": ""})
    assert planned.status_code == 302
    again = client.post(reverse("analytics:reports"), {"to": "Client@example.com", "every": "week", "account": ""})
    assert "gets this report already." in again.content.decode()
    assert report_plans.due() == []
    with everywhere():
        plan = ReportPlan.objects.get()
        ReportPlan.objects.update(due_at=now())
    (due,) = report_plans.due()
    assert [report_plans.send(*due), report_plans.send(*due)] == [True, False]

    (mail,) = mailoutbox
    assert mail.to == ["client@example.com"]
    assert "Reach: unknown" in mail.body
    assert "Last measured: never." in mail.body
    [(name, paper, kind)] = mail.attachments
    assert (name[:10], bytes(paper)[:5], kind) == ("instagram-", b"%PDF-", "application/pdf")
    since, until = report_plans.span("week", now(), "UTC")
    with tenancy.scope(alices_official.workspace_id):
        path = report_plans.address(plan, since, until).removeprefix("http://localhost:8000")
    client.logout()
    assert client.get(path).content.startswith(b"%PDF-")
    assert client.get(path.replace(".pdf", "x.pdf")).status_code == 404
    client.force_login(alice)
    client.post(reverse("analytics:stop", args=[plan.pk]))
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("has_own", [True, False])
def test_a_pdf_is_under_the_workspaces_own_name_and_logo_where_the_plan_has_white_label(
    alices_official: InstagramAccount, alice: User, has_own: bool
) -> None:
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    workspace = alices_official.workspace
    with everywhere():
        Plan.objects.update(white_label=has_own)
        workspace.name = "Kiln & Co"
        workspace.save()
        file = io.BytesIO()
        Image.new("RGBA", (200, 80), (10, 120, 130, 255)).save(file, "PNG")
        brand.keep_logo(workspace, file.getvalue())
        today = now().date()
        found = analytics.report([alices_official.pk], today - timedelta(days=27), today)
        paper = number_pdf.draw(found, workspace, "@alice.clay")

    words = printed(paper)
    assert words.startswith("Kiln & Co" if has_own else "InstaGrowth OS")
    assert (b"/Subtype /Image" in paper) == has_own
    assert f"{found.figures[0].value:,}" in words
    assert "A dash is unknown" in words


@pytest.mark.parametrize(
    ("every", "after", "zone", "due"),
    [
        ("week", datetime(2026, 3, 28, 12, tzinfo=UTC), "Europe/Oslo", datetime(2026, 3, 30, 6, tzinfo=UTC)),
        ("month", datetime(2026, 10, 31, 12, tzinfo=UTC), "Europe/Oslo", datetime(2026, 11, 1, 7, tzinfo=UTC)),
        ("week", datetime(2026, 3, 30, 6, tzinfo=UTC), "Europe/Oslo", datetime(2026, 4, 6, 6, tzinfo=UTC)),
    ],
)
def test_reports_come_at_eight_by_the_workspaces_clock(every: str, after: datetime, zone: str, due: datetime) -> None:
    assert report_plans.next_time(every, after, zone) == due
