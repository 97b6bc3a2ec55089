"""A mail is written down with its deed, sealed, and leaves once."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage as Arrived
from email.parser import BytesParser
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import F
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from accounts import mails, tasks
from accounts.models import Mail
from errors.models import ActivityLog
from instagrowth.embedded.valkey import free_port
from instagrowth.testing import everywhere

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

SECRET = "the-secret-link-4711"


@pytest.fixture
def outbox(settings: "Settings", monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put mails into the outbox, and collect the keys that workers are told."""
    told: list[str] = []
    settings.EMAIL_BACKEND = "accounts.mails.Outbox"
    monkeypatch.setattr(tasks.send_mail, "apply_async", lambda args, **_: told.append(args[0]))
    return told


@pytest.fixture
def resend(settings: "Settings", httpserver: HTTPServer) -> HTTPServer:
    """Speak Resend's API here."""
    settings.MAIL_BACKEND = "anymail.backends.resend.EmailBackend"
    settings.ANYMAIL = {"RESEND_API_KEY": "re_key", "RESEND_API_URL": httpserver.url_for("/")}
    return httpserver


class Postbox:
    """Takes mail by SMTP."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        self.arrived.append(BytesParser(policy=default).parsebytes(envelope.content))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def smtp(settings: "Settings") -> Iterator[Postbox]:
    """Speak SMTP here."""
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    yield postbox
    controller.stop()


def write(to: str = "ann@example.com") -> Mail:
    """Mail somebody, as any library would."""
    message = EmailMultiAlternatives("Hello Ann", f"Open {SECRET}", None, [to], reply_to=["us@example.com"])
    message.attach_alternative(f"<p>Open {SECRET}</p>", "text/html")
    message.attach("report.pdf", b"%PDF-\xff", "application/pdf")
    message.send()
    return the_mail()


def the_mail() -> Mail:
    with everywhere():
        return Mail.objects.latest("created_at")


def make_due() -> None:
    with everywhere():
        Mail.objects.update(due_at=F("due_at") - timedelta(days=1))


@pytest.mark.django_db
def test_a_mail_is_sealed_and_nobody_but_the_platform_sees_it(outbox: list[str]) -> None:
    mail = write()

    assert SECRET.encode() not in bytes(mail.sealed)
    assert mails.words(mail)["body"] == f"Open {SECRET}"
    assert not Mail.objects.exists()


@pytest.mark.django_db
def test_each_recipient_has_a_mail_of_their_own(outbox: list[str]) -> None:
    EmailMessage("Hello", "all", None, ["ann@example.com"], bcc=["ben@example.com"]).send()

    with everywhere():
        assert set(Mail.objects.values_list("to", flat=True)) == {"ann@example.com", "ben@example.com"}


@pytest.mark.django_db
def test_more_than_an_outbox_should_hold_is_refused_aloud(outbox: list[str]) -> None:
    message = EmailMessage("Hello", "all", None, ["ann@example.com"])
    message.attach("a.txt", "a" * (mails.FILES + 1), "text/plain")

    with pytest.raises(ValueError, match="attachments"):
        message.send()


def test_workers_are_told_when_the_deed_has_committed_and_not_when_it_was_undone(
    outbox: list[str], committed: None
) -> None:
    with transaction.atomic():
        write()
        assert outbox == []
    assert outbox == [str(the_mail().pk)]

    with transaction.atomic():
        write("ben@example.com")
        transaction.set_rollback(True)
    assert the_mail().to == "ann@example.com"
    assert len(outbox) == 1


def test_without_a_broker_the_deed_is_done_and_beat_sends_the_mail(
    outbox: list[str], committed: None, smtp: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kombu.exceptions import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.send_mail, "apply_async", away)
    write()
    make_due()
    monkeypatch.setattr(tasks.send_mail, "apply_async", lambda args, **_: mails.send(args[0]))

    tasks.send_due_mails()

    assert [mail["To"] for mail in smtp.arrived] == ["ann@example.com"]


@pytest.mark.django_db
def test_it_leaves_by_smtp_whole_and_its_words_are_wiped(outbox: list[str], smtp: Postbox) -> None:
    mails.send(str(write().pk))

    [arrived] = smtp.arrived
    assert (arrived["Subject"], arrived["To"], arrived["Reply-To"]) == (
        "Hello Ann",
        "ann@example.com",
        "us@example.com",
    )
    kinds = {part.get_content_type(): part.get_content().strip() for part in arrived.walk() if not part.is_multipart()}
    assert (kinds.pop("application/pdf"), [part.get_filename() for part in arrived.iter_attachments()]) == (
        b"%PDF-\xff",
        ["report.pdf"],
    )
    assert kinds == {"text/plain": f"Open {SECRET}", "text/html": f"<p>Open {SECRET}</p>"}
    mail = the_mail()
    assert (mail.sealed, mail.attempts, mail.last_error) == (None, 1, "")
    assert mail.sent_at


@pytest.mark.django_db
def test_it_leaves_by_resend(outbox: list[str], resend: HTTPServer) -> None:
    resend.expect_oneshot_request(
        "/emails", method="POST", headers={"Authorization": "Bearer re_key"}
    ).respond_with_json({"id": "49a3999c"})

    mails.send(str(write().pk))

    said = resend.log[0][0].get_json()
    assert (said["to"], said["subject"], said["text"]) == (["ann@example.com"], "Hello Ann", f"Open {SECRET}")
    assert said["html"] == f"<p>Open {SECRET}</p>"
    assert [one["filename"] for one in said["attachments"]] == ["report.pdf"]
    assert the_mail().sealed is None


@pytest.mark.django_db
def test_it_does_not_leave_twice(outbox: list[str], smtp: Postbox) -> None:
    mail = write()

    mails.send(str(mail.pk))
    mails.send(str(mail.pk))

    assert len(smtp.arrived) == 1


@pytest.mark.django_db
def test_after_a_refusal_it_waits_longer_each_time_and_is_given_up_after_eight(
    outbox: list[str], resend: HTTPServer
) -> None:
    resend.expect_request("/emails").respond_with_json({"message": "no"}, status=500)
    mail, waits = write(), []

    for _ in range(7):
        mails.send(str(mail.pk))
        with connection.cursor() as cursor, everywhere():
            cursor.execute("SELECT round(extract(epoch FROM due_at - statement_timestamp()) / 60) FROM accounts_mail")
            waits.append(int(cursor.fetchone()[0]))
        make_due()
    mails.send(str(mail.pk))
    make_due()
    mails.send(str(mail.pk))

    mail = the_mail()
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    assert (mail.attempts, mail.sealed, mail.last_error) == (8, None, "AnymailRequestsAPIError")
    assert mail.failed_at
    assert len(resend.log) == 8
    assert mails.due() == []
    with everywhere():
        assert ActivityLog.objects.get(action="mail_send").error_code == "E-NET-E-0010"


@pytest.mark.django_db
def test_a_mail_that_waits_is_not_sent_before_its_time(outbox: list[str], resend: HTTPServer) -> None:
    resend.expect_request("/emails").respond_with_json({"message": "no"}, status=500)
    mail = write()

    mails.send(str(mail.pk))
    mails.send(str(mail.pk))

    assert len(resend.log) == 1
    assert mails.due() == []


def test_of_many_workers_one_sends_it_and_no_transaction_waits_for_the_mail_service(
    outbox: list[str], committed: None, resend: HTTPServer
) -> None:
    waiting: list[int] = []

    def slow(_: Request) -> Response:
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            )
            waiting.append(cursor.fetchone()[0])
        connection.close()
        return Response('{"id": "49a3999c"}', content_type="application/json")

    resend.expect_request("/emails").respond_with_handler(slow)
    mail = write()

    in_threads(8, lambda: mails.send(str(mail.pk)))

    assert len(resend.log) == 1
    assert waiting == [0]


def in_threads(count: int, work: Callable[[], None]) -> None:
    """Do it many times at once."""

    def one() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db
def test_the_notes_of_old_mails_go(outbox: list[str]) -> None:
    write()
    with everywhere():
        Mail.objects.update(created_at=F("created_at") - timedelta(days=31))

    tasks.forget_old_mails()

    with everywhere():
        assert not Mail.objects.exists()
