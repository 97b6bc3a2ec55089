"""What people sign in with, and whether they used such a one before."""

from django.http import HttpRequest

from accounts import browsers, notices, tenancy
from accounts.models import Device, User


def note(user: User, request: HttpRequest) -> None:
    """Remember what somebody has signed in with; one they never used before is told by mail. The first is theirs."""
    with tenancy.platform("somebody who is just coming in has no view yet"):
        known = Device.objects.filter(user=user).exists()
        _, new = Device.objects.get_or_create(user=user, words=browsers.words(request.headers.get("User-Agent", "")))
    if known and new:
        notices.notify(user, "new_device", request)
