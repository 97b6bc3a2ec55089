"""Coming into the control room, as tests do it: through the real door."""

import time
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django_otp.oath import hotp

from accounts import vault
from accounts.models import StaffDevice, User
from adminpanel import presence, roles, staff
from adminpanel.site import site
from instagrowth.testing import PASSWORD, everywhere


def staff_person(name: str, role: str = roles.Role.OWNER, **fields: Any) -> User:
    """An administrator with a role and an authenticator."""
    user = User.objects.create(email=f"{name}@staff.example.com", name=name, role="admin", password=_hash(), **fields)
    if role:
        roles.give(user, role)
    staff.enrol(user)
    return user


def _hash(known: dict[str, str] = {}) -> str:  # noqa: B006  (a memory)
    return known.setdefault("hash", make_password(PASSWORD))


def code_of(user: User, ahead: int = 0) -> str:
    """The code their authenticator shows, or a later one."""
    device = StaffDevice.objects.get(user=user)
    key = vault.unseal(device.sealed_secret, table="accounts_staffdevice", row=device.pk, column="sealed_secret")
    return code_for(key, ahead)


def code_for(key: bytes, ahead: int = 0) -> str:
    """The code of a secret."""
    return f"{hotp(key, int(time.time()) // 30 + ahead, 6):06}"


def sign_in(user: User, client: Client | None = None, password: str = PASSWORD) -> Client:
    """A browser of theirs, signed in through the form."""
    client = client or Client()
    answer = client.post("/admin/login/", {"email": user.email, "password": password, "code": code_of(user)})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    StaffDevice.objects.filter(user=user).update(last_step=-1)  # the next step of the test has a code of this minute
    return client


def inside(person: User | str, role: str = roles.Role.OWNER) -> Client:
    """A browser of a staff person, or of somebody new with this role, as if they had signed in a moment ago."""
    user = person if isinstance(person, User) else staff_person(person, role)
    client = Client()
    client.force_login(user)
    session = client.session
    session[presence.MARK] = dict.fromkeys(("since", "seen", "proved"), time.time())
    session.save()
    client.cookies[settings.STAFF_COOKIE_NAME] = client.cookies.pop(settings.SESSION_COOKIE_NAME).value
    return client


def do(client: Client, row: Any, deed: str, **given: Any) -> Any:
    """Confirm a deed to a row as it is now."""
    opts = row._meta
    where = reverse(f"admin:{opts.app_label}_{opts.model_name}_do", kwargs={"object_id": row.pk, "deed": deed})
    with everywhere():
        now = type(row)._default_manager.get(pk=row.pk)
        version = cast(Any, site._registry[type(row)]).marks([now])[str(row.pk)]
    return client.post(where, {"reason": "asked by phone", "version": version} | given)


def key_of(client: Client) -> str:
    """The session behind a staff cookie."""
    return client.cookies[settings.STAFF_COOKIE_NAME].value
