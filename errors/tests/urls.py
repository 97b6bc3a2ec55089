"""Doors that fail in every way, for the tests alone."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from errors import codes, correlation
from errors.exceptions import BotException
from errors.models import ErrorCode

RAISES = {
    "bot": lambda: BotException(codes.SESSION_INVALID, "No session for @clay.", account="clay"),
    "wait": lambda: BotException(codes.TOO_MANY_TRIES, retry_after=299.2),
    "gone": lambda: Http404(),
    "denied": lambda: PermissionDenied(),
    "odd": lambda: SuspiciousOperation(),
    "database": lambda: OperationalError("server closed the connection"),
    "redis": lambda: RedisConnectionError("connection refused"),
    "fault": lambda: ZeroDivisionError("a fault of ours"),
    "throttled": lambda: Throttled(wait=12.1),
}


def boom(request: HttpRequest, kind: str) -> HttpResponse:
    """Write a row, then fail."""
    ErrorCode.objects.create(code="E-X", name="WRITTEN_BEFORE", module="API", severity="E")
    exc = RAISES[kind]()
    raise exc


def broken_transaction(request: HttpRequest) -> HttpResponse:
    """Lose the transaction in the middle."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
    return HttpResponse()


def fine(request: HttpRequest) -> HttpResponse:
    """Succeed, with a row in the log."""
    return HttpResponse(correlation.current())


class Boom(APIView):
    """The same for programs."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request, kind: str) -> Response:
        """Write a row, then fail."""
        return boom(request._request, kind)


class Form(APIView):
    """Takes one number."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    class Fields(serializers.Serializer):
        """What it takes."""

        hashtag = serializers.CharField()
        amount = serializers.IntegerField(max_value=100)

    def post(self, request: Request) -> Response:
        """Check the body."""
        self.Fields(data=request.data).is_valid(raise_exception=True)
        return Response({"success": True})


urlpatterns = [
    path("boom/<str:kind>", boom),
    path("broken", broken_transaction),
    path("fine", fine),
    path("api/plain/<str:kind>", boom),
    path("api/boom/<str:kind>", Boom.as_view()),
    path("api/form", Form.as_view()),
    path("help/errors/", include("errors.urls")),
]
handler400 = "errors.views.bad_request"
handler403 = "errors.views.forbidden"
handler404 = "errors.views.not_found"
handler500 = "errors.views.server_error"
