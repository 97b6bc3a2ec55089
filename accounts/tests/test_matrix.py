"""Every address, by every method, as every kind of person: nobody reads or changes what is not theirs."""

import logging
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as house
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.test import Client
from django.urls import path
from django.utils.timezone import now

from accounts import limits, second_factor, sign_in, tenancy
from accounts.models import ApiToken, Export, Invitation, Mail, Membership, Notification, Proposal, User, Workspace
from accounts.tests.matrix import (
    NOBODY,
    SAFE,
    TEAM,
    Address,
    Door,
    Found,
    Matrix,
    Person,
    act,
    addresses,
    decide,
    look,
    look_act,
    look_decide,
    own,
    public,
    reversed_names,
    shown,
    staff,
    way_out,
)
from bots.models import (
    Action,
    ApiPair,
    Bot,
    BotTask,
    Candidate,
    DataDeletion,
    Kind,
    ListedPerson,
    MessageTemplate,
    OfficialAccess,
)
from content.models import (
    Audit,
    Competitor,
    Delivery,
    Experiment,
    Feed,
    GrowthPlan,
    Hook,
    Media,
    Piece,
    PlannedPost,
    Post,
    PostInsight,
    ReplyRule,
    ReportPlan,
    Run,
    SavedReply,
    Slot,
    Talk,
)
from errors import codes
from errors.recording import log_activity, record
from instagrowth import live, urls
from instagrowth.testing import PASSWORD, member, warm_account, workspace_of

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "staple horse battery 11"

ROOMS = ("content:", "calendar:", "analytics:", "inbox:", "admin:")  # whose pages have a file of their own
# Who may do what at each address, and what a valid write says. A new address needs one line here.
DOORS: dict[str, Door] = {
    # ── Signing in, and one's own account: allauth ──
    "home": public(),
    "account_login_short": public(login="nobody@example.com", password=PASSWORD),
    "account_login": public(login="nobody@example.com", password=PASSWORD),
    "account_signup_short": public(),
    "account_signup": public(),
    "account_logout_short": way_out(),
    "account_logout": way_out(),
    "account_inactive": public(),
    "account_reauthenticate": way_out(password=PASSWORD),
    "account_email": own(action_add="", email="another@example.com"),
    "account_email_verification_sent": public(),
    "account_confirm_email": public(),
    "account_change_password_short": way_out(oldpassword=PASSWORD, password1=NEW_PASSWORD, password2=NEW_PASSWORD),
    "account_change_password": way_out(oldpassword=PASSWORD, password1=NEW_PASSWORD, password2=NEW_PASSWORD),
    "account_set_password": own(password1=NEW_PASSWORD, password2=NEW_PASSWORD),
    "account_reset_password": public(),
    "account_reset_password_done": public(),
    "account_reset_password_from_key": public(password1=NEW_PASSWORD, password2=NEW_PASSWORD),
    "account_reset_password_from_key_done": public(),
    "account_confirm_login_code": public(code="123456"),
    "mfa_index": own(),
    "mfa_authenticate": Door(frozenset({"half"}), frozenset({"half"}), {"code": "000000"}),
    "mfa_reauthenticate": own(code="000000"),
    "mfa_activate_totp": own(code="000000"),
    "mfa_deactivate_totp": own(),
    "mfa_view_recovery_codes": own(),
    "mfa_generate_recovery_codes": own(),
    "mfa_download_recovery_codes": own(),
    "mfa_list_webauthn": own(),
    "mfa_add_webauthn": own(name="key", credential="{}"),
    "mfa_reauthenticate_webauthn": own(credential="{}"),
    "mfa_remove_webauthn": own(),
    "mfa_edit_webauthn": own(name="mine now"),
    "mfa_login_webauthn": public(credential="{}"),
    "socialaccount_login_cancelled": public(),
    "socialaccount_login_error": public(),
    "socialaccount_signup": public(email="nobody@example.com"),
    "socialaccount_connections": own(account="1"),
    "openid_connect_login": public(),
    "openid_connect_callback": public(),
    "/accounts/social/login/cancelled/": public(),
    "/accounts/social/login/error/": public(),
    "/accounts/social/signup/": public(),
    "/accounts/social/connections/": public(),
    "usersessions_list": own(),
    "sign_out_one": own(),
    "sign_out_others": own(),
    # ── Members' pages ──
    "accounts:settings": own(),
    "accounts:save_person": own(name="Somebody Else", timezone="Europe/Oslo"),
    "accounts:notifications": own(),
    "accounts:bell": own(),
    "accounts:read_all": own(),
    "accounts:open_notification": own(),
    "accounts:notice_choice": own(),
    "accounts:save_notice_choice": own(digest="daily", shown=["team"], hook="https://hooks.example.com/x"),
    "accounts:try_hook": own(),
    "accounts:workspace": look_decide(name="Another", timezone="Europe/Oslo"),
    "accounts:save_brand": decide(accent="#0a7f83", reply_to="answers@example.com"),
    "accounts:remove_logo": decide(),
    "accounts:brand_preview": public(),
    "accounts:brand_css": public(),
    "accounts:brand_logo": public(),
    "accounts:tokens": own(),
    "accounts:new_token": own(name="mine", scopes="look", days="30"),
    "accounts:revoke_token": own(),
    "accounts:revoke_all_tokens": own(),
    "accounts:team": look(),
    "accounts:invite": decide(email="invited@example.com", role="viewer"),
    "accounts:resend_invitation": decide(),
    "accounts:take_back_invitation": decide(),
    "accounts:transfer": decide(person="<mate>"),
    "accounts:leave": Door(TEAM, TEAM),
    "accounts:change_role": decide(role="manager"),
    "accounts:remove": decide(),
    "accounts:privacy": own(),
    "accounts:archive": own(),
    "accounts:download_archive": own(),
    "accounts:delete_workspace": decide(typed="kestrel studio"),
    "accounts:keep_workspace": decide(),
    "accounts:delete_account": own(typed="delete"),
    "accounts:keep_account": own(),
    "accounts:approvals": look(),
    "accounts:want_approval": decide(wants_approval="on"),
    "accounts:decide": decide(answer="refuse"),
    "accounts:withdraw": act(),
    "accounts:put_away": own(),
    "accounts:mine": own(),
    "accounts:switch": own(workspace="<workspace>"),
    "accounts:new_workspace": own(name="Another"),
    "accounts:invitation": shown(answer="accept"),
    "billing:stripe": public(),
    "billing:pricing": public(),
    "billing:billing": look(),
    "billing:paid": look(),
    "billing:checkout": decide(plan="starter", interval="month", once="click"),
    "billing:change": decide(offer="x"),
    "billing:cancel": decide(),
    "billing:resume": decide(),
    "billing:coupon": decide(code="SPRING"),
    "billing:card": decide(),
    "billing:ask_stripe": decide(),
    "bots:dashboard": look(),
    "bots:accounts": look(),
    "bots:connect": act(accepted="on"),
    "bots:connect_login": act(username="kestrel.new", password=PASSWORD),
    "bots:connect_code": act(username="kestrel.new", code="123456"),
    "bots:test_session": act(),
    "bots:disconnect": act(),
    "bots:official": act(),
    "bots:official_go": act(login="instagram"),
    "bots:official_back": act(),
    "bots:official_disconnect": act(),
    "bots:choose": look(),
    "bots:automation": look(),
    "bots:start": act(),
    "bots:stop": act(),
    "bots:settings": act(cycle_delay="600", jitter="10", burst="3", timezone="Europe/Oslo"),
    "bots:ask": act(hashtag="ceramics", amount="5"),
    "bots:stop_task": act(),
    "bots:growth": look(),
    "bots:campaigns": look(),
    "bots:campaign": look(),
    "bots:campaign_export": look(),
    "bots:ledger": look(),
    "bots:ledger_export": look(),
    "bots:ledger_undo": act(),
    "bots:people": look(),
    "bots:people_add": act(list="block", names="somebody"),
    "bots:people_export": look(),
    "bots:people_remove": act(),
    "bots:templates": look_act(name="hello", text="Welcome, {first_name}!"),
    "bots:template_approve": decide(),
    "bots:template_throw_away": act(),
    "bots:activity": look(),
    "bots:activity_of_account": look(),
    "bots:activity_of_person": look(),
    "bots:export": look(),
    "analytics:page": look(),
    "analytics:export_days": look(),
    "analytics:export_posts": look(),
    "analytics:pdf": look(),
    "analytics:read": act(),
    "analytics:reports": look_act(to="client@example.com", every="week"),
    "analytics:stop": act(),
    "analytics:shared": public(),
    "inbox:page": look(),
    "inbox:talk": look_act(text="Thank you"),
    "inbox:assign": act(assigned=""),
    "inbox:settle": act(to="done"),
    "inbox:rules": look_act(what="saved", **{"saved-name": "hello", "saved-text": "Thank you"}),
    "inbox:remove_rule": act(),
    "inbox:remove_saved": act(),
    "calendar:calendar": look(),
    "calendar:new": Door(act().writes, act().writes, {"kind": "image", "caption": "Another", "then": "keep"}),
    "calendar:post": look_act(kind="image", caption="Another", then="keep"),
    "calendar:move": act(day="2031-01-02"),
    "calendar:schedule": act(),
    "calendar:unschedule": act(),
    "calendar:pin": act(to="idea"),
    "calendar:answer": act(there="no"),
    "calendar:remove": act(),
    "calendar:catch_up": act(how="draft"),
    "calendar:ideas": look_act(caption="An idea"),
    "calendar:library": look(),
    "calendar:upload": act(),
    "calendar:new_folder": act(name="Spring"),
    "calendar:media": look_act(name="bowl", alt_text="A bowl"),
    "calendar:cut": act(shape="1:1"),
    "calendar:remove_media": act(),
    "calendar:slots_choose": look(),
    "calendar:slots": look_act(weekdays="2", at="09:30"),
    "calendar:remove_slot": act(),
    "calendar:import": Door(act().writes, act().writes),
    "calendar:feeds": look_act(name="phone"),
    "calendar:revoke_feed": act(),
    "calendar:feed": public(),
    "calendar:hooks": look_decide(url="https://example.com/hook", events="post.published"),
    "calendar:hook": look(),
    "calendar:test_hook": decide(),
    "calendar:remove_hook": decide(),
    "calendar:again": decide(),
    "calendar:file": public(),
    # ── Content ──
    "studio:home": look(),
    "studio:studio": look(),
    "studio:ask": act(feature="captions", about="an opening"),
    "studio:again": act(),
    "studio:learn": act(),
    "studio:library": look(),
    "studio:edit": act(text="other words"),
    "studio:favourite": act(favourite="1"),
    "studio:to_calendar": act(),
    "studio:audits": look(),
    "studio:audit_start": act(account="kestrel.clay"),
    "studio:audit_report": look(),
    "studio:planner": look(),
    "studio:plan_ask": act(
        account="kestrel.clay", days=7, aim="followers", goal="more", niche="clay", posts_a_week=3, minutes=20
    ),
    "studio:plan_accept": act(),
    "studio:plan_drop": act(),
    "studio:plan_limits": decide(follow=5),
    "studio:plan_add": act(day="2030-01-02", at="18:00", kind="image", title="a bowl"),
    "studio:plan_routine": act(title="answer", weekly=2, minutes=10),
    "studio:plan_did": act(times="1"),
    "studio:planned_edit": act(day="2030-01-02", at="18:00", kind="image", title="a bowl"),
    "studio:planned_remove": act(),
    "studio:messages": look(),
    "studio:messages_ask": act(about="stoneware", tone="warm"),
    "studio:message_take": act(name="hi", text="Hello there"),
    "studio:competitors": look(),
    "studio:competitor_add": act(account="kestrel.clay", username="rival"),
    "studio:competitor_remove": act(),
    "studio:competitors_summary": act(account="kestrel.clay"),
    "studio:experiments": look(),
    "studio:experiment_new": Door(act().writes, act().writes),
    "studio:experiment": look(),
    "studio:experiment_start": act(),
    "studio:experiment_posts": act(),
    "studio:experiment_welcome": act(),
    "studio:experiment_stop": act(),
    "studio:usage": look(),
    "studio:budget": decide(dollars="12.50"),
    # ── Programs ──
    "api_login": public(login="nobody@example.com", password=PASSWORD),
    "api_logout": way_out(),
    "api_me": way_out(),
    "api_verify_otp": public(challenge="x", code="123456"),
    "api_factor_enable": own(),
    "api_factor_confirm": own(code="123456"),
    "api_factor_disable": own(password=PASSWORD, code="123456"),
    "api_reset": public(email="nobody@example.com"),
    "api_reset_confirm": public(key="1-wrong", new_password=NEW_PASSWORD),
    "api_tokens": own(password=PASSWORD, name="mine", scopes=["look"], days=30),
    "api_token": own(),
    "api_workspaces": own(),
    "api_team": look(),
    "api_invite": decide(email="invited@example.com", role="viewer"),
    "api_invitation": decide(),
    "api_teammate": decide(role="manager"),
    "api_change_password": way_out(old_password=PASSWORD, new_password=NEW_PASSWORD),
    "api_connect": act(username="kestrel.new", password=PASSWORD, accept_risk=True),
    "api_disconnect": act(account="kestrel.clay"),
    "api_test_session": act(account="kestrel.clay"),
    "api_accounts": look(),
    "api_bots": look(),
    "api_bot": look_act(cycle_delay=700),
    "api_bot_start": act(),
    "api_bot_stop": act(),
    "api_follow_hashtag": act(account="kestrel.clay", hashtag="ceramics", amount=5),
    "api_follow_followers": act(account="kestrel.clay", username="somebody", amount=5),
    "api_follow_likers": act(account="kestrel.clay", post="https://www.instagram.com/p/C0ffee/", amount=5),
    "api_like_hashtag": act(account="kestrel.clay", hashtag="ceramics", amount=5),
    "api_view_stories": act(account="kestrel.clay", hashtag="ceramics", amount=5),
    "api_welcome_dm": act(account="kestrel.clay", template="hello", text="Welcome!", amount=5),
    "api_unfollow": act(account="kestrel.clay", amount=5),
    "api_tasks": look(),
    "api_task": look(),
    "api_task_stop": act(),
    "api_activity": look(),
    "api_posts": look_act(caption="Another"),
    "api_post": look_act(caption="Another"),
    "api_post_schedule": act(),
    "api_post_unschedule": act(),
    "api_media": look_act(),
    "api_audit": act(account="kestrel.clay"),
    "api_ideas": act(about="an opening"),
    "api_plan": act(account="kestrel.clay", goal="more", niche="clay"),
    "api_plan_accept": act(),
    "api_dm_templates": act(about="stoneware"),
    "api_run": look(),
    "api_competitors": look_act(account="kestrel.clay", username="rival2"),
    "api_competitor": act(),
    "api_experiments": look_act(),
    "api_experiment": look(),
    "api_experiment_start": act(),
    "api_experiment_stop": act(),
    "api_experiment_posts": act(),
    "api_experiment_welcome": act(),
    "api_analytics": look(),
    # ── Administrators' programs ──
    "api_admin_login": public(email="nobody@example.com", password=PASSWORD, otp="123456"),
    "api_admin_verify": staff(),
    "api_admin_initialize_password": public(
        email="nobody@example.com", password=PASSWORD, otp="123456", new_password=NEW_PASSWORD
    ),
    "api_admin_create_user": staff(email="made@example.com", password=NEW_PASSWORD, role="user", plan="free"),
    "api_admin_upload_sessions": staff(),
    "api_admin_list_sessions": staff(),
    "api_admin_verify_session": staff(filename="kestrel.clay"),
    "api_admin_move_session": staff(filename="kestrel.clay", to="frozen", force=True),
    "api_admin_delete_session": staff(),
    "api_admin_list_pairs": staff(),
    "api_admin_add_pair": staff(app_id="1234567890", app_secret="f" * 32),
    "api_admin_assign_pair": staff(bot="<bot_id>", api_pair="auto"),
    "api_admin_delete_pair": staff(),
    "api_admin_create_bot": staff(user="charlie@example.com", cycle_delay=600),
    # ── Meta's own doors: a signature opens them ──
    "bots:webhook": public(),
    "bots:webhook_removed": public(),
    "bots:webhook_delete": public(),
    "bots:deletion": public(),
    # ── The house ──
    "mails": shown(),
    "mail": shown(),
    "mail_html": shown(),
    "errors:help_index": public(),
    "errors:help": public(),
    "visit_stop": Door(NOBODY, NOBODY),  # a way out for staff who look in: adminpanel/tests/test_visits.py
    "schema": public(),
    "api_docs": public(),
    "metrics": public(),
    "healthz": public(),
    "readyz": public(),
    "/healthz/": public(),
    "/readyz/": public(),
    "service_worker": public(),
    "offline": public(),
    "styleguide": public(),
}
# Staff's pages: nobody of these people comes further than the door. Who of staff may do what there, and that all of it
# is tried, is in `adminpanel/tests/test_roles.py`.
DOORS |= {name: Door(NOBODY, NOBODY) for name in reversed_names("admin")}
DOORS["admin:login"] = public()


AUDIT: dict[str, Any] = {
    "door": "private",
    "facts": {"username": "kestrel.clay", "posts_read": 1},
    "findings": {"summary": "kestrel summary", "strengths": [], "fixes": []},
}


@pytest.fixture
def things(settings: Any, nobody_guessed: None) -> dict[str, object]:
    """Alice's rows in every table, called kestrel, and what of them stands for each parameter of an address."""
    settings.INSTAGRAM_PRIVATE_URL = settings.INSTAGRAM_GRAPH_URL = "http://127.0.0.1:9"  # nobody listens there
    settings.META_APP_ID, settings.META_APP_SECRET = "42", "a" * 32
    alice = member("alice")
    workspace = workspace_of(alice)
    with tenancy.platform("a test furnishes the house"):
        alice.name = "Kestrel Alice"
        alice.save()
        Workspace.objects.filter(pk=workspace.pk).update(name="kestrel studio", reply_to="kestrel@example.com")
        account = warm_account(workspace, "kestrel.clay")
        bot = Bot.objects.create(workspace=workspace, account=account, user=alice, status=Bot.Status.RUNNING)
        owned = {"workspace": workspace, "bot": bot}
        task = BotTask.objects.create(**owned, kind=Kind.FOLLOW, value="kestreltag", amount=3)
        Candidate.objects.create(workspace=workspace, task=task, target_pk=5, username="kestrel.target", place=1)
        Action.objects.create(
            workspace=workspace,
            account=account,
            task=task,
            kind=Kind.FOLLOW,
            target_pk=6,
            target_username="kestrel.fan",
            fence=1,
        )
        log_activity("follow", workspace=workspace.pk, account=account, target="kestrel.fan")
        record(codes.ACTION_BLOCKED, action="follow", workspace=workspace.pk, account=account, hint="kestrel hint")
        live.publish(workspace.pk, "action", {"account": "kestrel.clay"})
        invitation = Invitation.objects.create(
            workspace=workspace, email="kestrel@example.com", token_hash="0" * 64, role="manager"
        )
        proposal = Proposal.objects.create(workspace=workspace, deed="test", summary="kestrel idea", proposed_by=alice)
        listed = ListedPerson.objects.create(workspace=workspace, list="block", username="kestrel.foe")
        words = MessageTemplate.objects.create(workspace=workspace, name="kestrel hello", text="kestrel text")
        run = Run.objects.create(workspace=workspace, feature="captions", brief={"about": "kestrel brief"})
        piece = Piece.objects.create(workspace=workspace, run=run, kind="captions", text="kestrel caption")
        draft = Piece.objects.create(workspace=workspace, run=run, kind="dm_template", text="kestrel draft")
        rival = Competitor.objects.create(workspace=workspace, account=account, username="kestrel.rival")
        audit = Audit.objects.create(workspace=workspace, account=account, **AUDIT)
        plan = GrowthPlan.objects.create(
            workspace=workspace, account=account, goal="kestrel goal", posts_a_week=3, starts_on=date(2030, 1, 1),
            hours_from="none", routines=[{"title": "answer", "how": "", "minutes": 5, "weekly": 2, "done": {}}],
        )  # fmt: skip
        planned = PlannedPost.objects.create(
            workspace=workspace, plan=plan, day=plan.starts_on, at="18:00", kind="image", title="kestrel bowl"
        )
        pair = ApiPair.objects.create(app_id="42", name="pair", sealed_secret=b"")
        post = Post.objects.create(workspace=workspace, account=account, caption="kestrel post")
        picture = Media.objects.create(workspace=workspace, name="kestrel bowl", width=1080, height=1080, size=1)
        test = Experiment.objects.create(
            workspace=workspace, account=account, subject="caption", name="kestrel test", a="kestrel a", b="", seed="1",
            units_each=10,
        )  # fmt: skip
        slot = Slot.objects.create(workspace=workspace, account=account, weekday=1, at="09:00")
        feed = Feed.objects.create(workspace=workspace, name="kestrel phone", token_hash="1" * 64)
        hook = Hook.objects.create(workspace=workspace, url="https://kestrel.example/", sealed_secret=b"")
        delivery = Delivery.objects.create(workspace=workspace, hook=hook, event="ping", state="failed")
        OfficialAccess.objects.create(workspace=workspace, account=account, ig_id="1784", sealed_token=b"")
        PostInsight.objects.create(
            workspace=workspace,
            account=account,
            media_id="1785",
            posted_at=now(),
            local_at=now(),
            caption="kestrel post",
            reach=7,
        )
        report = ReportPlan.objects.create(workspace=workspace, to="kestrel@example.com", due_at=now())
        talk = Talk.objects.create(
            workspace=workspace,
            account=account,
            root="1786",
            username="kestrel.fan",
            last_text="kestrel hello",
            last_at=now(),
        )
        rule = ReplyRule.objects.create(workspace=workspace, words="kestrel", on="comment", text="kestrel answer")
        kept = SavedReply.objects.create(workspace=workspace, name="kestrel thanks", text="kestrel answer")
        deletion = DataDeletion.objects.create(code="0123456789abcdef", accounts=1)
        archive = Export.objects.create(user=alice, file="plover.zip")
        news = Notification.objects.create(workspace=workspace, user=alice, kind="team", title="plover news")
        mail = Mail.objects.create(to="kestrel@example.com", subject="kestrel mail")
    totp = _authenticator(alice)
    token, _ = ApiToken.objects.create(alice, expiry=timedelta(days=1), name="plover token")
    return {
        "workspace": workspace.pk,
        "username": account.username,
        "bot_id": bot.pk,
        "task_id": task.pk,
        "user_id": alice.pk,
        "code_id": "E-AUTH-E-0001",
        "key": token.token_key,
        "pk": totp.pk,
        "provider_id": "google",
        "name": "follow-hashtag",
        "invitation": invitation.pk,
        "proposal": proposal.pk,
        "number": news.pk,
        "listed_id": listed.pk,
        "template_id": words.pk,
        "run_id": run.pk,
        "piece_id": piece.pk,
        "studio:message_take piece_id": draft.pk,
        "competitor_id": rival.pk,
        "audit_id": audit.pk,
        "growth_id": plan.pk,
        "planned_id": planned.pk,
        "place": 0,
        "api_id": pair.pk,
        "filename": account.username,
        "token": "0" * 43,
        "code": deletion.code,
        "accounts:download_archive key": archive.pk,
        "mail key": mail.pk,
        "mail_html key": mail.pk,
        "sign_out_one key": 1,
        "post_id": post.pk,
        "media_id": picture.pk,
        "experiment_id": test.pk,
        "slot_id": slot.pk,
        "feed_id": feed.pk,
        "hook_id": hook.pk,
        "delivery_id": delivery.pk,
        "plan_id": report.pk,
        "talk_id": talk.pk,
        "rule_id": rule.pk,
        "reply_id": kept.pk,
        "at": "1",
        "mark": "wrong",
        "calendar:file name": "bowl.jpg",
        "uidb36": "1",
        "account_confirm_email key": "MQ:1abcde:wrong",
        "account_reset_password_from_key key": "abc-wrong",
        "object_id": alice.pk,
        "deed": "block",
        "app_label": "adminpanel",
        "content_type_id": 1,
    }


@pytest.fixture
def people(things: dict[str, object], settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Everybody who may come by. How often they may try, and what a hash costs, are other tests' matters."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(limits, "take", lambda door, _: door.amount)
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *_: True)
    workspace = cast(Any, things["workspace"])
    alice = User.objects.get(pk=cast(Any, things["user_id"]))
    inside = {
        name: member(name.replace(" ", ".")) for name in ("viewer", "manager", "must change", "half", "promoted")
    } | {"owner": alice}
    with tenancy.platform("a test lets people in"):
        Membership.objects.filter(user__in=inside.values()).exclude(user=alice).delete()
        for name, user in inside.items():
            if user != alice:
                role = "viewer" if name == "viewer" else "manager"
                Membership.objects.create(workspace_id=workspace, user=user, role=role)
    charlie = member("charlie")
    mate = member("mate")
    with tenancy.platform("one more of the team, to whom things are done"):
        Membership.objects.filter(user=mate).update(workspace_id=workspace, role="viewer")
    things["person"] = things["mate"] = mate.pk
    quick = make_password(PASSWORD)
    User.objects.update(password=quick)
    found = [Person("anonymous")]
    for name, user in [*inside.items(), ("foreign", charlie)]:
        token, user.password = _token(user), quick
        if name == "must change":
            user.must_change_password = True
        if name == "promoted":
            user.role = User.Role.ADMIN
        user.save()
        if name != "half":
            found += [Person(name, user.pk, _cookies(user)), Person(name, user.pk, {}, token, api_only=True)]
    found.append(Person("half", None, _half(inside["half"])))
    found.append(Person("forger", charlie.pk, _cookies(charlie, workspace=str(workspace))))
    naming = _token(charlie) | {"X-Workspace": str(workspace)}
    found.append(Person("forger", charlie.pk, {}, naming, api_only=True))
    for name in ("staff", "new staff"):
        user = User.objects.create(
            email=f"{name[:3]}@example.com", role="admin", password=quick, must_change_password=name != "staff"
        )
        user.groups.add(Group.objects.get(name="Owner"))
        found.append(Person(name, user.pk, {}, _token(user, ApiToken.Realm.ADMIN), api_only=True))
    return found


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of refusals are not worth reading."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_nobody_reads_or_changes_what_is_not_theirs_on_a_page(things: Any, people: list[Person], quiet: None) -> None:
    """Workers share it: programs are in `test_matrix_programs.py`, some rooms in `test_matrix_rooms.py`."""
    places = addresses(things)
    assert [place for place in places if place.name not in DOORS] == [], "say in DOORS who may go there"

    found = nobody_gets_more(
        things, people, [place for place in places if not place.is_api and not place.name.startswith(ROOMS)]
    )

    assert found.opened["half"] - _open() == {"mfa_authenticate"}


def nobody_gets_more(things: Any, people: list[Person], places: list[Address]) -> Found:
    """Try these addresses as everybody, and find nothing."""
    found = Matrix(DOORS, things, things["workspace"]).run(people, places)
    print(found)
    print(f"half: opened={sorted(found.opened.get('half', set()) - _open())}")
    print(f"must change: opened={sorted(found.opened.get('must change', set()) - _open())}")
    print(f"written by nobody: {sorted((writable() & {place.name for place in places}) - found.written)}")
    assert (found.leaks, found.writes, found.faults) == ([], [], [])
    assert found.opened.get("must change", set()) - _open() <= {
        name for name, door in DOORS.items() if "must change" in door.looks
    }
    return found


# ── The machine itself: what is open is found ──


def ajar(request: HttpRequest, bot_id: UUID) -> HttpResponse:
    """Show a bot to whoever comes."""
    with tenancy.platform("a door that somebody forgot"):
        return HttpResponse(Bot.objects.get(pk=bot_id).account.username)


def pushed(request: HttpRequest, bot_id: UUID) -> HttpResponse:
    """Change a bot for whoever comes, and say that it was refused."""
    with tenancy.platform("a door that somebody forgot"):
        Bot.objects.filter(pk=bot_id).update(burst=9, fence=9)
    return HttpResponse(status=403)


def leaning(request: HttpRequest, bot_id: UUID) -> HttpResponse:
    """Show a bot to whom the wall shows it: the view asks for nothing itself."""
    return HttpResponse(get_object_or_404(Bot, pk=bot_id).pk)


FORGOTTEN = {"ajar": ajar, "pushed": pushed, "leaning": leaning}
urlpatterns = [path(f"{name}/<uuid:bot_id>/", view, name=name) for name, view in FORGOTTEN.items()] + urls.urlpatterns
handler404 = urls.handler404


@pytest.mark.urls(__name__)
def test_what_somebody_forgot_is_found(things: Any, people: list[Person], quiet: None) -> None:
    forgotten = [place for place in addresses(things) if place.name not in DOORS]
    assert {place.name for place in forgotten} == set(FORGOTTEN)
    outsiders = [person for person in people if person.name in ("anonymous", "foreign") and not person.api_only]
    matrix = Matrix(dict.fromkeys(FORGOTTEN, look()), things, things["workspace"])

    def blamed(found: list[str]) -> set[str]:
        return {name for name in FORGOTTEN if any(f"({name})" in line for line in found)}

    found = matrix.run(outsiders, forgotten)
    assert (blamed(found.leaks), blamed(found.writes)) == ({"ajar"}, {"pushed"})
    guarded = {place.name: matrix.guarded(outsiders[0], "POST", place, {}) for place in forgotten}
    assert {name for name, changed in guarded.items() if changed} == {"pushed"}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE bots_bot DISABLE ROW LEVEL SECURITY")
    assert blamed(matrix.run(outsiders, forgotten).leaks) == {"ajar", "leaning"}


# ── Fields that nobody asked for ──


def test_fields_that_a_form_does_not_have_change_nothing(things: Any, people: list[Person], quiet: None) -> None:
    charlie = next(person.user for person in people if person.name == "foreign")
    more = {
        "role": "owner",
        "plan": "enterprise",
        "workspace": str(workspace_of(User.objects.get(pk=charlie)).pk),
        "workspace_id": str(workspace_of(User.objects.get(pk=charlie)).pk),
        "user": str(charlie),
        "user_id": str(charlie),
        "id": str(uuid4()),
        "is_staff": True,
        "is_superuser": True,
        "must_change_password": True,
        "realm": "admin",
        "session_generation": 99,
        "status": "running",
        "fence": 99,
    }
    matrix, tried, changed = Matrix(DOORS, things, things["workspace"]), 0, []
    for place in addresses(things):
        door = DOORS[place.name]
        role = next((role for role in ("viewer", "manager", "owner") if role in door.writes), None)
        if role is None:
            continue
        for person in [person for person in people if person.name == role and person.api_only == place.is_api]:
            for method in sorted(set(place.methods) - set(SAFE)):
                body = matrix.body_of(place, method)
                plain = matrix.guarded(person, method, place, body)
                stuffed = matrix.guarded(person, method, place, more | body)
                tried += 1
                if plain != stuffed:
                    changed.append(f"{person.name}: {method} {place.path}: {plain ^ stuffed}")
    print(f"forms={tried} fields={len(more)} changed={len(changed)}")
    assert (changed, tried > 50) == ([], True)


def _open() -> set[str]:
    return {name for name, door in DOORS.items() if door.looks == public().looks}


def writable() -> set[str]:
    """The addresses through which somebody of the team may write."""
    return {name for name, door in DOORS.items() if door.writes & TEAM and door.writes != public().writes}


def _cookies(user: User, **more: object) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "username": user.pk.hex}]
    session.update(more)
    session.save()
    return {house.SESSION_COOKIE_NAME: str(session.session_key)}


def _authenticator(user: User) -> Authenticator:
    secret = second_factor.seal("JBSWY3DPEHPK3PXP", user)
    return Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": secret})


def _half(user: User) -> dict[str, str]:
    """The password was right, the code is still to come."""
    _authenticator(user)
    client = Client()
    answer = client.post("/login", {"login": user.email, "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/"), answer
    return {house.SESSION_COOKIE_NAME: client.cookies[house.SESSION_COOKIE_NAME].value}


def _token(user: User, realm: str = ApiToken.Realm.USER) -> dict[str, str]:
    words = sign_in.make_token(user, realm)
    # Used in the future: else each cell would note its use, which is a write.
    ApiToken.objects.filter(user=user).update(last_used_at=now() + timedelta(days=1))
    return {"Authorization": f"Bearer {words}"}
