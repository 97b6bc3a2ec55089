"""The accounts' doors for Celery: ids in, one function each."""

from celery import shared_task

from accounts import addresses, announcements, archives, erasing, mails, notifications, second_factor, sign_in, tenancy


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


@shared_task(platform="an archive is its person's, who may own many workspaces", soft_time_limit=1500, time_limit=1560)
def make_archive(key: str) -> None:
    """Make one person's archive; only one worker does."""
    archives.make(key)


@shared_task(platform="whoever guesses names nobody's workspace")
def tell_of_lock(user_id: str | None) -> None:
    """Mail a person that too many guesses shut their sign-in; for an unknown name nothing."""
    sign_in.tell_of_lock(user_id)


@shared_task(platform="whoever guesses names nobody's workspace")
def tell_of_wrong_codes(user_id: str) -> None:
    """Mail a person that too many wrong codes of the second factor were sent."""
    second_factor.tell_of_lock(user_id)


@shared_task(platform="sign-ups that nobody confirmed are found everywhere")
def forget_unconfirmed() -> None:
    """Let sign-ups go whose address nobody confirmed in a week."""
    addresses.forget_unconfirmed()


@shared_task(platform="archives of everybody are looked after")
def sweep_archives() -> None:
    """Send archives again whose worker was killed or whose message was lost."""
    for key in archives.sweep():
        make_archive.apply_async((key,), queue="ai", expires=60)


@shared_task(platform="archives of everybody go after their week")
def forget_old_archives() -> None:
    """Remove archives whose week is over."""
    archives.forget_old()


@shared_task(platform="whoever asked 14 days ago is erased", soft_time_limit=3000, time_limit=3060)
def erase_due() -> None:
    """Erase the workspaces and people whose day has come."""
    erasing.erase_due()


@shared_task(platform="digests of everybody are written")
def send_digests() -> None:
    """Write the digests of notifications that are due."""
    notifications.send_digests()


@shared_task(platform="webhooks of everybody are posted to")
def post_hooks() -> None:
    """Hand each notification that waits for a webhook to a worker."""
    for workspace, key in notifications.due_hooks():
        post_hook.apply_async((workspace, key), expires=30)


@shared_task(workspace=True)
def post_hook(workspace: str, key: int) -> None:
    """Post one notification to its person's webhook."""
    notifications.post(workspace, key)


@shared_task(platform="every person is told", soft_time_limit=600, time_limit=660)
def announce(title: str, body: str = "", path: str = "") -> None:
    """Tell everybody something."""
    with tenancy.platform("every person is told"):
        notifications.announce(title, body, path)


@shared_task(platform="old notifications of everybody go")
def forget_old_notifications() -> None:
    """Throw away old notifications."""
    notifications.forget_old()


@shared_task(platform="what operators say is for everybody")
def refresh_announcements() -> None:
    """Write what is said now where pages look for it; a flushed cache learns it again."""
    announcements.refresh()
