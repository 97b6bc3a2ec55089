"""The mail catcher: where nothing is sent, a developer reads the mails on a page of the machine itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as live
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import is_valid_path

from accounts.mails import CATCHER
from accounts.models import Mail
from instagrowth.testing import everywhere
from instagrowth.testing_processes import Processes, servers_of_the_tests

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db
HTML = "<html><head></head><body><script>alert(1)</script><p>Hello</p></body></html>"


@pytest.fixture
def caught(settings: "Settings") -> Mail:
    """One mail in the outbox."""
    settings.EMAIL_BACKEND = "accounts.mails.Outbox"
    mail = EmailMultiAlternatives(
        "<b>Hello</b>", "Open http://localhost:8000/there/ <i>now</i>", None, ["a@example.com"]
    )
    mail.attach_alternative(HTML, "text/html")
    mail.send()
    with everywhere():
        return Mail.objects.get()


def test_a_mail_is_listed_and_read(client: Client, caught: Mail) -> None:
    listed, read = client.get("/mails/"), client.get(f"/mails/{caught.pk}/")

    assert "&lt;b&gt;Hello&lt;/b&gt;" in listed.content.decode()
    page = read.content.decode()
    assert "Sandbox: this mail was not sent." in page
    assert '<a href="http://localhost:8000/there/"' in page
    assert "&lt;i&gt;now&lt;/i&gt;" in page


def test_the_html_runs_nothing_and_stands_only_in_our_own_frame(client: Client, caught: Mail) -> None:
    answer = client.get(f"/mails/{caught.pk}/html/")

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_it_is_there_for_this_machine_alone(client: Client, caught: Mail) -> None:
    for path in ("/mails/", f"/mails/{caught.pk}/", f"/mails/{caught.pk}/html/"):
        assert client.get(path, REMOTE_ADDR="203.0.113.7").status_code == 404
        assert client.post(path).status_code == 405


def test_pages_that_speak_of_a_mail_lead_there(client: Client) -> None:
    for path in ("/accounts/confirm-email/", "/accounts/password/reset/done/"):
        assert 'href="/mails/"' in client.get(path).content.decode()


def test_there_is_no_such_page_in_production(tmp_path: Path) -> None:
    assert live.MAIL_BACKEND == CATCHER
    assert is_valid_path("/mails/")
    words = (
        "from django.urls import is_valid_path; print(bool(is_valid_path('/mails/')), bool(is_valid_path('/login')))"
    )
    production = servers_of_the_tests() | {"DEBUG": "0", "ALLOWED_HOSTS": "localhost", "SITE_URL": "https://localhost"}
    said = Processes(tmp_path, production).command("shell", "--no-imports", "-c", words)
    assert said.split()[-2:] == ["False", "True"]
