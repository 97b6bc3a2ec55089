"""Every page that allauth or the house itself brings wears the look, and keeps to the strict policy."""

import re

import pytest
from django.urls import is_valid_path

pytestmark = pytest.mark.django_db
FOR_ALL = [
    "/login",
    "/signup",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-wrong/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/wrong/",
    "/accounts/inactive/",
    "/help/errors/",
    "/help/errors/E-SESS-E-0001/",
    "/offline",
    "/nowhere/",
]
FOR_MEMBERS = [
    "/profile/change-password",
    "/accounts/email/",
    "/logout",
    "/help/errors/",
    "/help/errors/E-SESS-E-0001/",
]


def assert_dressed(html: str) -> None:
    assert "app.css" in html
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert "{%" not in html
    assert "{#" not in html
    assert not re.search(r"\sstyle=|<style|\son\w+=", html)


@pytest.mark.parametrize("path", FOR_ALL)
def test_a_page_for_everybody_is_dressed(client, path):
    assert_dressed(client.get(path, follow=True).content.decode())


@pytest.mark.parametrize("path", FOR_MEMBERS)
def test_a_page_for_members_stands_in_the_shell(client, alice, path):
    client.force_login(alice)

    html = client.get(path, follow=True).content.decode()

    assert_dressed(html)
    assert 'aria-label="Main menu"' in html


def test_every_link_round_a_page_leads_somewhere(client, alice):
    client.force_login(alice)

    links = re.findall(r'(?:href|action)="(/[^"#?]*)', client.get("/profile/change-password").content.decode())

    assert [link for link in links if not link.startswith("/static/") and not is_valid_path(link)] == []


def test_who_must_change_the_password_sees_no_menu(client, alice):
    alice.must_change_password = True
    alice.save()
    client.force_login(alice)

    html = client.get("/dashboard/", follow=True).content.decode()

    assert_dressed(html)
    assert "Choose your own password" in html
    assert 'aria-label="Main menu"' not in html


def test_a_wrong_password_is_answered_above_the_form_with_its_code(client, alice):
    html = client.post("/login", {"login": "nobody@example.org", "password": "not the password"}).content.decode()

    assert_dressed(html)
    assert 'role="alert"' in html
    assert "/help/errors/E-AUTH-E-0001/" in html
