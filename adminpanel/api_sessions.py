"""Doors for administrators' programs: sessions."""

from typing import Any, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts import tenancy
from accounts.api import Done
from accounts.api_auth import Pages
from accounts.api_contract import PageQuery, contract
from accounts.models import User
from adminpanel import bots
from adminpanel.api import STAFF_ONLY, StaffDoor
from adminpanel.uploads import MOST_FILES, FilesParser, SessionFileField, called, content_of
from bots import session_pool
from bots.models import Session
from bots.session_files import SessionFile
from errors import codes
from errors.answers import payload
from errors.exceptions import BotException

SESSIONS = "Sessions"
Status = Session.Status


class SessionShape(serializers.ModelSerializer):
    """A session, without what is sealed in it."""

    filename = serializers.SerializerMethodField(help_text="Our own name for it; `verify`, `move` and DELETE take it.")

    class Meta:
        model = Session
        fields = ["id", "filename", "username", "status", "valid", "probed_at", "workspace", "account", "created_at"]
        extra_kwargs = {
            "username": {"help_text": "Empty until a probe has told it."},
            "valid": {"help_text": "As Instagram said when it was last asked (`probed_at`)."},
        }

    def get_filename(self, session: Session) -> str:
        """Give its name."""
        return session_pool.filename_of(session)


class UploadForm(serializers.Serializer):
    """Session files, each of at most 64 KB."""

    files = serializers.ListField(
        child=SessionFileField(), min_length=1, max_length=MOST_FILES, help_text="At most 100, 7 MB together."
    )

    def to_internal_value(self, data: Any) -> Any:
        """Take files of any field, whatever a program calls it."""
        named = [file for name in data for file in data.getlist(name) if isinstance(file, UploadedFile)]
        return super().to_internal_value({"files": named})


class FileResult(serializers.Serializer):
    """What became of one file."""

    filename = serializers.CharField(help_text="As it was sent.")
    success = serializers.BooleanField()
    id = serializers.UUIDField(required=False)
    session = SessionShape(required=False)
    error = serializers.CharField(required=False)
    error_code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    do_next = serializers.CharField(required=False)


class Uploaded(Done):
    """Each file's result, in the order they came. Where not one was taken, the first refusal's status and code."""

    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = FileResult(many=True)


class GroupQuery(PageQuery):
    """Which part of the list."""

    status = serializers.ChoiceField(Status.choices, required=False, help_text="This group alone.")


class Counts(serializers.Serializer):
    """How many sessions are in each state."""

    unused = serializers.IntegerField()
    assigned = serializers.IntegerField()
    frozen = serializers.IntegerField()
    banned = serializers.IntegerField()


class NextPages(serializers.Serializer):
    """Where each group goes on; null at its end."""

    unused = serializers.URLField(allow_null=True)
    assigned = serializers.URLField(allow_null=True)
    frozen = serializers.URLField(allow_null=True)
    banned = serializers.URLField(allow_null=True)


class SessionList(Done):
    """Sessions by state, the newest first, a page of each group."""

    counts = Counts()
    unused = SessionShape(many=True)
    assigned = SessionShape(many=True)
    frozen = SessionShape(many=True)
    banned = SessionShape(many=True)
    next = NextPages()


class NamedForm(serializers.Serializer):
    """One session."""

    id = serializers.UUIDField(required=False)
    filename = serializers.CharField(max_length=120, required=False, help_text="Our name for it, or its username.")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """It is named by one or the other."""
        if "id" not in asked and "filename" not in asked:
            raise serializers.ValidationError({"filename": ["Name a session by its id or its filename."]})
        return asked


class MoveForm(NamedForm):
    """Where a session is to go."""

    to = serializers.ChoiceField(
        [Status.UNUSED, Status.FROZEN, Status.BANNED],
        help_text="unused takes it from its bot, back into the pool; frozen and banned stop its bot.",
    )
    force = serializers.BooleanField(default=False, help_text="Also while its bot is running, which then stops.")


class ForceQuery(serializers.Serializer):
    """Whether what uses it may be stopped for it."""

    force = serializers.BooleanField(default=False)


class SessionVerified(Done):
    """Whether Instagram takes the session; if not, the sign it gave."""

    valid = serializers.BooleanField()
    account = serializers.CharField(allow_blank=True, help_text="Whose it is at Instagram.")
    session = SessionShape()
    error = serializers.CharField(required=False)
    error_code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    do_next = serializers.CharField(required=False)


class OneSession(Done):
    """The session as it is now."""

    session = SessionShape()


class UploadSessions(StaffDoor):
    """Uploading sessions."""

    needs = ("sessions", "add")
    parser_classes = (FilesParser,)

    @contract(
        takes=UploadForm,
        gives=Uploaded,
        refuses=(
            *STAFF_ONLY,
            codes.BODY_TOO_LARGE,
            codes.UNSUPPORTED_MEDIA,
            codes.SESSION_FILE_INVALID,
            codes.SESSION_FILE_TOO_LARGE,
            codes.SESSION_DUPLICATE,
            codes.SESSION_POOL_FULL,
        ),
        tag=SESSIONS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any] | Response:
        """Judge each file alone and seal those that are sessions into the pool. A file's own name is not kept."""
        # First what takes time: whoever adds holds a lock until the end of the request.
        judged = [_judge(file) for file in wanted["files"]]
        kept = [_add(found, cast(User, request.user)) for found in judged]
        self.looks_at(*(one for one in kept if isinstance(one, Session)), new=True)
        first = next((one for one in kept if isinstance(one, BotException)), None)
        results = [{"filename": called(file), **_result(one)} for file, one in zip(wanted["files"], kept, strict=True)]
        accepted = sum(bool(result["success"]) for result in results)
        counts = {"accepted": accepted, "refused": len(results) - accepted}
        told = {"results": FileResult(results, many=True).data, **counts}
        if first is None or accepted:
            return {"success": True, **told}
        correlation_id = getattr(request._request, "correlation_id", "")
        return Response(payload(first.code, str(first), correlation_id, **told), first.code.http)


class ListSessions(StaffDoor):
    """All sessions."""

    needs = ("sessions", "look")

    @contract(query=GroupQuery, gives=SessionList, refuses=STAFF_ONLY, tag=SESSIONS)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """List the sessions by state, with counts. A group's `next` leads to its own next page."""
        with tenancy.platform(session_pool.POOL):
            counts = session_pool.counts()
            groups: dict[str, Any] = dict.fromkeys(Status.values, ())
            onward: dict[str, str | None] = dict.fromkeys(Status.values)
            for status in [asked["status"]] if "status" in asked else Status.values:
                pages = Pages()
                found = pages.paginate_queryset(Session.objects.filter(status=status), request, self)
                groups[status] = SessionShape(found, many=True).data
                following = pages.get_next_link()
                onward[status] = following and replace_query_param(following, "status", status)
        return {"success": True, "counts": counts, **groups, "next": onward}


class VerifySession(StaffDoor):
    """Asking Instagram about a session."""

    needs = ("sessions", "verify")

    @contract(
        takes=NamedForm,
        gives=SessionVerified,
        refuses=(
            *STAFF_ONLY,
            codes.SESSION_NOT_FOUND,
            codes.SESSION_BUSY,
            codes.NET_REFUSED,
            codes.NET_TIMEOUT,
        ),
        tag=SESSIONS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask Instagram once whether a session is good, and learn whose it is. A stop sign stops its bot."""
        session = _find(wanted)
        self.looks_at(session, *bots.driven_by(session))
        checked = session_pool.verify(session, cast(User, request.user))
        session = session_pool.find(str(session.pk))
        told = {"success": True, "valid": checked.valid, "account": session.username}
        return {
            **told,
            "session": SessionShape(session).data,
            **(_names(checked.stop) if checked.stop else {}),
        }


class MoveSession(StaffDoor):
    """Taking a session away, or stopping it."""

    needs = ("sessions", "release")

    @contract(
        takes=MoveForm,
        gives=OneSession,
        refuses=(*STAFF_ONLY, codes.SESSION_NOT_FOUND, codes.SESSION_CANNOT_MOVE, codes.SESSION_AT_WORK),
        tag=SESSIONS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Take a session back into the pool, or freeze or ban it by hand. Its bot stops and its owner sees why."""
        session, by = _find(wanted), cast(User, request.user)
        self.looks_at(session, *bots.driven_by(session))
        if wanted["to"] == Status.UNUSED:
            session_pool.release(session, by, force=wanted["force"])
        else:
            session_pool.stop(session, wanted["to"], by)
        return {"success": True, "session": SessionShape(session_pool.find(str(session.pk))).data}


class DeleteSession(StaffDoor):
    """Throwing a session away."""

    needs = ("sessions", "delete")
    parser_classes = (JSONParser,)

    @contract(
        query=ForceQuery,
        gives=Done,
        refuses=(*STAFF_ONLY, codes.SESSION_NOT_FOUND, codes.SESSION_AT_WORK),
        tag=SESSIONS,
    )
    def delete(self, request: Request, filename: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Delete a session, named by our filename, its id, or its username where only one has it."""
        session = session_pool.find(filename)
        self.looks_at(session, *bots.driven_by(session))
        session_pool.delete(session, cast(User, request.user), force=asked["force"])
        return {"success": True}


def _find(wanted: dict[str, UUID | str]) -> Session:
    return session_pool.find(str(wanted.get("id") or wanted["filename"]))


def _judge(file: UploadedFile) -> SessionFile | BotException:
    try:
        return session_pool.judge(content_of(file), file.name or "")
    except BotException as refused:
        return refused


def _add(found: SessionFile | BotException, by: User) -> Session | BotException:
    if isinstance(found, BotException):
        return found
    try:
        return session_pool.add(found, by)
    except BotException as refused:
        return refused


def _result(one: Session | BotException) -> dict[str, Any]:
    if isinstance(one, BotException):
        return {"success": False, **_names(one)}
    return {"success": True, "id": one.pk, "session": one}


def _names(refused: BotException) -> dict[str, Any]:
    told = payload(refused.code, str(refused))
    return {name: told[name] for name in ("error", "error_code", "message", "do_next")}
