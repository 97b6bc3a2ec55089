"""Doors for administrators' programs."""

from typing import Any, cast

from django.db import models
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import sign_in, tenancy
from accounts.api import Done, PasswordChanged, Person
from accounts.api_auth import IsStaff, StaffToken
from accounts.api_contract import SIGNED_IN, contract
from accounts.models import ApiToken, User
from adminpanel import allowlist, audit, members, roles, staff
from errors import codes
from errors.recording import log_activity

ADMINISTRATION = "Administration"
PROVING = (
    codes.INVALID_CREDENTIALS,
    codes.TOO_MANY_TRIES,
    codes.USER_BLOCKED,
    codes.ADMIN_BOOTSTRAP_EXPIRED,
    codes.ADDRESS_NOT_ALLOWED,
)
STAFF_ONLY = (*SIGNED_IN, codes.NO_PERMISSION, codes.ADDRESS_NOT_ALLOWED)


class AdminLoginForm(serializers.Serializer):
    """E-mail, password, and the code of the authenticator."""

    email = serializers.CharField(max_length=254)
    password = serializers.CharField(trim_whitespace=False)
    otp = serializers.CharField(max_length=16, help_text="6 digits; each code works once.")


class AdminSignedIn(Done):
    """A token for `Authorization: Bearer` under /api/admin/, good for 14 days."""

    token = serializers.CharField()
    must_change_password = serializers.BooleanField(help_text="True: the token opens nothing until it is changed.")
    user = Person()


class FirstPasswordForm(AdminLoginForm):
    """The one-time password, and one's own."""

    new_password = serializers.CharField(trim_whitespace=False, max_length=sign_in.LONGEST_PASSWORD)


class Verified(Done):
    """Whose token it is."""

    valid = serializers.BooleanField(default=True)
    user = Person()


class NewUserForm(serializers.Serializer):
    """Who is let in. A member needs no e-mail: without one there is an access code. An administrator needs one."""

    email = serializers.EmailField(required=False, allow_blank=True, allow_null=True, default="")
    access_code = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, default="", help_text="Made where none is given."
    )
    password = serializers.CharField(trim_whitespace=False, max_length=sign_in.LONGEST_PASSWORD)
    role = serializers.ChoiceField(User.Role.choices, default=User.Role.USER)
    plan = serializers.CharField(max_length=32, default="free", help_text="free, starter, growth or enterprise.")
    must_change_password = serializers.BooleanField(default=False, help_text="Always true for administrators.")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """An administrator signs in with an e-mail."""
        if asked["role"] == User.Role.ADMIN and not asked["email"]:
            raise serializers.ValidationError({"email": ["An administrator needs an e-mail address."]})
        return asked


class UserCreated(Done):
    """The new person."""

    user = Person()
    access_code = serializers.CharField(allow_null=True)
    workspace = serializers.UUIDField(allow_null=True)
    otpauth_uri = serializers.CharField(required=False, help_text="Only for administrators, and only this once.")


class StaffDoor(APIView):
    """A door for administrators from allowed addresses: the address is looked at before anything else."""

    authentication_classes: tuple[type[StaffToken], ...] = (StaffToken,)
    permission_classes: tuple[type[IsStaff], ...] = (IsStaff,)
    needs: tuple[str, str] | None = None  # page and deed in the table of roles

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at the address first, at the role last."""
        self.seen: list[audit.Seen] = []
        allowlist.check(request._request)
        super().initial(request, *args, **kwargs)
        if self.needs:
            roles.check(request.user, *self.needs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Write down what was sent through this door, and of each row that was looked at before, what became of it."""
        found = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD", "OPTIONS") and found.status_code < 400:
            self._record(request)
        return found

    def looks_at(self, *rows: models.Model, new: bool = False) -> None:
        """Say which rows a deed changes, before it does; of `new` ones afterwards."""
        self.seen += [audit.Seen(row, new=new) for row in rows]

    def _record(self, request: Request) -> None:
        said = {
            name: audit.masked(name, value) for name, value in (request.query_params.dict() | _said(request)).items()
        }
        by = request.user if request.user.is_authenticated else next((seen.row for seen in self.seen), None)
        more = {"request": request._request, "by": by, "door": "api", "sent": said}
        with tenancy.platform("the admin log looks at rows of all workspaces"):
            for seen in self.seen:
                beside = seen is not self.seen[0]  # what only hangs on the row the deed is about
                seen.record(f"api.{self.__class__.__name__}", if_changed=beside, **more)
            if by is not None and not self.seen:
                audit.record(f"api.{self.__class__.__name__}", **more)


class AdminLogin(StaffDoor):
    """The administrators' door."""

    authentication_classes = ()
    permission_classes = ()

    @contract(takes=AdminLoginForm, gives=AdminSignedIn, refuses=PROVING, tag=ADMINISTRATION)
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Sign in with e-mail, password and code. The token opens nothing while `must_change_password` is true."""
        user = staff.identify(wanted["email"], wanted["password"], wanted["otp"])
        self.looks_at(user)
        token = sign_in.make_token(user, ApiToken.Realm.ADMIN)
        _note("admin_login", user)
        return {
            "success": True,
            "token": token,
            "must_change_password": user.must_change_password,
            "user": Person(user).data,
        }


class AdminVerify(StaffDoor):
    """Whose token this is."""

    @contract(gives=Verified, refuses=STAFF_ONLY, tag=ADMINISTRATION)
    def post(self, request: Request) -> dict[str, object]:
        """Tell which administrator the token belongs to."""
        return {"success": True, "valid": True, "user": Person(request.user).data}


class InitializePassword(StaffDoor):
    """The first change of an administrator's password."""

    authentication_classes = ()
    permission_classes = ()

    @contract(
        takes=FirstPasswordForm,
        gives=PasswordChanged,
        refuses=(*PROVING, codes.PASSWORD_WEAK),
        tag=ADMINISTRATION,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Change the password with the present one and a fresh code. Every token dies: sign in again."""
        user = staff.identify(wanted["email"], wanted["password"], wanted["otp"])
        self.looks_at(user)
        sign_in.change_password(user, wanted["new_password"])
        _note("admin_password", user)
        return {"success": True, "must_change_password": False}


class CreateUser(StaffDoor):
    """Letting people in. Only an owner lets in administrators."""

    needs = ("users", "add")

    @contract(
        takes=NewUserForm,
        gives=UserCreated,
        status=201,
        refuses=(*STAFF_ONLY, codes.LOGIN_TAKEN, codes.PASSWORD_WEAK),
        tag=ADMINISTRATION,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, object]:
        """Make a member with a workspace on a plan, or an administrator with an authenticator to enrol.

        A plan other than the free one wants a role that may change plans.
        """
        if wanted["role"] == User.Role.ADMIN:
            roles.check(request.user, "staff", "add")
            handed = staff.hand_out(wanted["email"], wanted["password"], new=True)
            self.looks_at(handed.user, new=True)
            _note("admin_created", cast(User, request.user), created=str(handed.user.pk))
            return {**_told(handed.user), "workspace": None, "otpauth_uri": handed.otpauth_uri}
        if wanted["plan"] != "free":
            roles.check(request.user, "users", "change_plan")
        admitted = members.admit(
            email=wanted["email"] or "",
            access_code=wanted["access_code"] or "",
            password=wanted["password"],
            plan=wanted["plan"],
            must_change_password=wanted["must_change_password"],
            by=cast(User, request.user),
        )
        self.looks_at(admitted.user, admitted.workspace, new=True)
        return {**_told(admitted.user), "workspace": str(admitted.workspace.pk)}


def _said(request: Request) -> dict[str, Any]:
    """What the body said, but for files."""
    said = request.data if isinstance(request.data, dict) else {}
    return {str(name)[:40]: value for name, value in said.items() if isinstance(value, str | int | bool | list | None)}


def _told(user: User) -> dict[str, object]:
    return {"success": True, "user": Person(user).data, "access_code": user.access_code}


def _note(action: str, user: User, **meta: Any) -> None:
    """Write down what staff do: it belongs to no workspace."""
    with tenancy.platform("what staff do belongs to no workspace"):
        log_activity(action, user=user, door="api", **meta)
