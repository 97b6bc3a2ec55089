"""A member connects accounts through Meta, over our pages and the sandbox's."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts import tenancy
from accounts.models import User, Workspace
from bots import api_pairs, switch
from bots.models import ApiPair, Bot, InstagramAccount, OfficialAccess
from bots.official import official_door, token_of
from errors import codes
from errors.models import ActivityLog
from instagrowth.testing import everywhere
from sandbox.testing import Control

GO, BACK = "/instagram/official/go/", "/instagram/official/back/"


class Browser(Client):
    """A member's browser: what one request was allowed to see ends with it."""

    def request(self, **request: Any) -> Any:
        tenancy.look_at()
        try:
            return super().request(**request)
        finally:
            tenancy.look_at()

    def goes(self, login: str = "instagram", **more: str) -> str:
        return str(self.post(GO, {"login": login, **more})["Location"])

    def returns(self, where: str) -> str:
        """Come back, and read what the next page says."""
        parts = urlsplit(where)
        assert parts.path == BACK, where
        return self.get(f"{parts.path}?{parts.query}", follow=True).content.decode()


@pytest.fixture
def browser(alice: User, meta: Control) -> Browser:
    meta.account("shop", business=True, followers=900, media=30, full_name="The Shop")
    meta.account("bakery", business=True, followers=300, media=12)
    browser = Browser()
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def accesses() -> dict[str, OfficialAccess]:
    with everywhere():
        return {one.account.username: one for one in OfficialAccess.objects.select_related("account")}


def test_an_account_is_connected_by_instagram_login(browser: Browser, meta: Control) -> None:
    page = browser.returns(meta.meta_answers(browser.goes(), "shop"))

    assert "@shop connected through Meta" in page
    access = accesses()["shop"]
    with everywhere():
        assert official_door(access.account).me()["username"] == "shop"
        assert token_of(access).encode() not in bytes(access.sealed_token)
    days = (access.expires_at - access.issued_at).days
    assert (access.login, access.status, access.subscribed, days) == ("instagram", "active", True, 60)
    assert (access.account.followers, access.account.health) == (900, "active")
    assert meta.ledger("shop").targets("subscribe") == ["me"]


def test_facebook_login_connects_every_account_that_was_chosen(browser: Browser, meta: Control) -> None:
    page = browser.returns(meta.meta_answers(browser.goes("facebook"), "shop", "bakery"))

    assert "@shop, @bakery connected through Meta" in page
    assert {(name, one.login, one.expires_at) for name, one in accesses().items()} == {
        ("shop", "facebook", None),
        ("bakery", "facebook", None),
    }
    with everywhere():
        assert official_door(accesses()["bakery"].account).publishing_limit() == (0, 50)


def test_an_account_may_hold_both_doors(browser: Browser, meta: Control, alices_account: InstagramAccount) -> None:
    meta.account("alice.clay", business=True, followers=900)
    browser.returns(meta.meta_answers(browser.goes(account="alice.clay"), "alice.clay"))
    page = browser.get("/instagram/").content.decode()

    with everywhere():
        assert InstagramAccount.objects.get(username="alice.clay").pk == alices_account.pk
    assert page.count("Instagram Login") == 2  # the table, and the list on phones
    assert page.count("Valid") >= 1 or page.count("Ended") >= 1


def test_the_api_pair_of_an_account_supplies_app_and_secret(
    browser: Browser, meta: Control, alices_bot: Bot, admin: User
) -> None:
    meta.graph("apps", app_id="4242", secret="secret-of-the-pair")
    meta.account("alice.clay", business=True)
    api_pairs.add("4242", "secret-of-the-pair", admin)
    with everywhere():
        Bot.objects.filter(pk=alices_bot.pk).update(api_pair=ApiPair.objects.get(app_id="4242"))
    there = browser.goes(account="alice.clay")

    assert parse_qs(urlsplit(there).query)["client_id"] == ["4242"]
    browser.returns(meta.meta_answers(there, "alice.clay"))
    assert accesses()["alice.clay"].app_id == "4242"


def test_the_page_says_what_we_ask_for_and_why(browser: Browser) -> None:
    page = browser.get("/instagram/official/").content.decode()

    assert "instagram_business_content_publish" in page
    assert "pages_show_list" in page


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda url: url.replace("state=", "state=x"), codes.IG_OFFICIAL_STATE),
        (lambda url: url.partition("?")[0], codes.IG_OFFICIAL_STATE),
        (lambda url: url.replace("code=", "code=x"), codes.IG_OFFICIAL_STATE),
    ],
)
def test_a_wrong_state_or_code_connects_nothing(browser: Browser, meta: Control, spoil: Any, code: codes.Code) -> None:
    page = browser.returns(spoil(meta.meta_answers(browser.goes(), "shop")))

    assert code.id in page
    assert accesses() == {}


def test_an_answer_works_once_and_only_in_its_own_browser(browser: Browser, meta: Control, charlie: User) -> None:
    answer = meta.meta_answers(browser.goes(), "shop")
    other = Browser()
    other.force_login(charlie, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert codes.IG_OFFICIAL_STATE.id in other.returns(answer)
    browser.returns(answer)
    assert codes.IG_OFFICIAL_STATE.id in browser.returns(answer)
    assert set(accesses()) == {"shop"}


def test_who_declines_at_meta_is_told_so(browser: Browser, meta: Control) -> None:
    assert codes.IG_OFFICIAL_DECLINED.id in browser.returns(meta.meta_answers(browser.goes()))


def test_a_wrong_secret_is_the_operators_matter(browser: Browser, meta: Control, settings: Any) -> None:
    answer = meta.meta_answers(browser.goes(), "shop")
    settings.META_APP_SECRET = "another"

    assert codes.GRAPH_APP_WRONG.id in browser.returns(answer)


def test_without_an_app_nobody_is_sent_anywhere(browser: Browser, settings: Any) -> None:
    settings.META_APP_ID = ""

    assert browser.goes() == "/instagram/official/"
    assert codes.IG_OFFICIAL_NO_APP.id in browser.get("/instagram/official/").content.decode()


def test_the_plan_limits_new_accounts_and_not_known_ones(
    browser: Browser, meta: Control, alices_workspace: Workspace, alices_account: InstagramAccount
) -> None:
    from billing import entitlements

    with everywhere():
        entitlements.subscribe(alices_workspace, "free")  # one account
    meta.account("alice.clay", business=True)

    assert codes.PLAN_ACCOUNT_LIMIT.id in browser.returns(meta.meta_answers(browser.goes(), "shop"))
    browser.returns(meta.meta_answers(browser.goes(), "alice.clay"))
    assert set(accesses()) == {"alice.clay"}


def test_of_many_pages_those_are_connected_that_the_plan_has_room_for_and_known_ones_always(
    browser: Browser, meta: Control, alices_workspace: Workspace, alices_official: InstagramAccount
) -> None:
    from billing import entitlements
    from billing.models import Plan

    with everywhere():
        entitlements.subscribe(alices_workspace, "free")
        Plan.objects.filter(key="free").update(account_limit=2)
        OfficialAccess.objects.update(status="reconnect", code=codes.IG_OFFICIAL_RECONNECT.id)

    page = browser.returns(meta.meta_answers(browser.goes("facebook"), "shop", "bakery", "alice.clay"))

    assert {name: one.status for name, one in accesses().items()} == {"shop": "active", "alice.clay": "active"}
    assert "@shop, @alice.clay connected through Meta" in page
    assert "Not connected: @bakery. Your plan has no room" in page
    assert codes.PLAN_ACCOUNT_LIMIT.id in page
    assert meta.ledger("bakery").targets("subscribe") == []


def test_a_rest_that_begins_while_an_account_is_connected_stays(
    browser: Browser, meta: Control, alices_account: InstagramAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = switch.must_have_place

    def meanwhile(workspace: Workspace, account: InstagramAccount) -> None:
        InstagramAccount.objects.filter(pk=alices_account.pk).update(health="cooling")
        place(workspace, account)

    monkeypatch.setattr(switch, "must_have_place", meanwhile)
    meta.account("alice.clay", business=True, followers=900)
    browser.returns(meta.meta_answers(browser.goes(account="alice.clay"), "alice.clay"))

    account = accesses()["alice.clay"].account
    assert (account.health, account.followers) == ("cooling", 900)


def test_connecting_again_keeps_one_row_and_heals_it(browser: Browser, meta: Control) -> None:
    browser.returns(meta.meta_answers(browser.goes(), "shop"))
    with everywhere():
        OfficialAccess.objects.update(status="reconnect", code=codes.IG_OFFICIAL_RECONNECT.id)

    browser.returns(meta.meta_answers(browser.goes("facebook"), "shop"))

    assert [(one.status, one.code, one.login) for one in accesses().values()] == [("active", "", "facebook")]


def test_disconnecting_throws_the_token_away_and_tells_meta(browser: Browser, meta: Control) -> None:
    browser.returns(meta.meta_answers(browser.goes(), "shop"))

    page = browser.post("/instagram/shop/official/disconnect/", follow=True).content.decode()

    assert "no longer connected through Meta" in page
    assert accesses() == {}
    assert meta.ledger("shop").requests["shop"]["routes"]["graph DELETE subscribed_apps"] == 1


def test_no_log_and_no_row_holds_the_token_or_the_code(browser: Browser, meta: Control, capsys: Any) -> None:
    answer = meta.meta_answers(browser.goes(), "shop")
    browser.returns(answer)
    token = ""
    with everywhere():
        token = token_of(accesses()["shop"])
        rows = str(list(ActivityLog.objects.values_list("metadata", "error_message")))
    said = capsys.readouterr()

    code = parse_qs(urlsplit(answer).query)["code"][0].removesuffix("#_")
    for secret in (token, code):
        assert secret not in said.out + said.err + rows
