"""The accounts' doors for Celery: ids in, one function each."""

from celery import shared_task

from accounts import mails


@shared_task(platform="a mail belongs to nobody's workspace")
def send_mail(key: str) -> None:
    """Send one mail of the outbox."""
    mails.send(key)


@shared_task(platform="mails of everybody are sent")
def send_due_mails() -> None:
    """Send what a broken attempt or a lost message left behind."""
    for key in mails.due():
        send_mail.apply_async((key,), queue="mail", expires=60)


@shared_task(platform="old mails of everybody go")
def forget_old_mails() -> None:
    """Throw away the notes of mails that left long ago."""
    mails.forget_old()
