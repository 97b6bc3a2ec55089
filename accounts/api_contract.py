"""What a door for programs takes, gives and refuses, said once: it checks the request and fills the documentation."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_auth import Pages
from errors import codes
from errors.answers import payload
from errors.codes import Code

Shape = type[serializers.BaseSerializer] | serializers.BaseSerializer
EVERYWHERE = (codes.TOO_MANY_REQUESTS, codes.INTERNAL_ERROR)
SIGNED_IN = (codes.NOT_SIGNED_IN, codes.TOKEN_INVALID, codes.TOKEN_SCOPE_MISSING, codes.MUST_CHANGE_PASSWORD)


class Failure(serializers.Serializer):
    """Every error has this body; its status is the code's own."""

    success = serializers.BooleanField(default=False)
    error = serializers.CharField(help_text="The code's name, for programs.")
    error_code = serializers.CharField(help_text="The code's id: /help/errors/<error_code>/ explains it.")
    message = serializers.CharField(help_text="What happened.")
    do_next = serializers.CharField(help_text="What to do about it.")
    details = serializers.DictField(required=False, help_text="All complaints by field, for VALIDATION_FAILED.")
    correlation_id = serializers.CharField()


def contract(
    *,
    takes: type[serializers.Serializer] | None = None,
    gives: Shape | None = None,
    refuses: tuple[Code, ...] = (),
    status: int = 200,
    query: type[serializers.Serializer] | None = None,
    tag: str,
) -> Callable[[Callable[..., object]], Callable[..., HttpResponseBase]]:
    """Check the body against `takes` and hand it over as `wanted`, the query against `query` as `asked`; document all.

    The method returns what goes into the answer, or a response of its own. Its docstring is the documentation.
    """

    def dress(deed: Callable[..., object]) -> Callable[..., HttpResponseBase]:
        @wraps(deed)
        def door(view: APIView, request: Request, **named: object) -> HttpResponseBase:
            if takes is not None:
                body = takes(data=request.data)
                body.is_valid(raise_exception=True)
                named["wanted"] = body.validated_data
            if query is not None:
                words = query(data=request.query_params)
                words.is_valid(raise_exception=True)
                named["asked"] = words.validated_data
            answer = deed(view, request, **named)
            return answer if isinstance(answer, HttpResponseBase) else Response(answer, status)

        checked = (codes.VALIDATION_FAILED,) if takes or query else ()
        also = checked + ((codes.JSON_MALFORMED,) if takes else ()) + EVERYWHERE
        view_name, _, method = deed.__qualname__.rpartition(".")
        return extend_schema(
            operation_id=f"{method}{view_name}",
            request=takes,
            responses={status: gives} | _refusals(refuses + also),
            parameters=[query] if query else [],
            tags=[tag],
        )(door)

    return dress


class PageQuery(serializers.Serializer):
    """Which part of a list."""

    cursor = serializers.CharField(required=False, help_text="Where the page starts: from `next` or `previous`.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=Pages.max_page_size, default=50)


def page_of(shape: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """Give the shape of one page of a list."""
    fields = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    return type(
        f"{shape.__name__}Page", (serializers.Serializer,), {"__doc__": f"A page of {shape.__name__}.", **fields}
    )


def _refusals(refused: tuple[Code, ...]) -> dict[int, OpenApiResponse]:
    """Give one response for each status, with an example for each code."""
    by_status: dict[int, list[Code]] = {}
    for code in refused:
        by_status.setdefault(code.http, []).append(code)
    return {
        status: OpenApiResponse(
            Failure,
            description=" · ".join(f"{code.name} ({code.id})" for code in found),
            examples=[
                OpenApiExample(code.name, payload(code, "", "c-7f3a91e20b4d"), response_only=True) for code in found
            ],
        )
        for status, found in by_status.items()
    }


def add_correlation_id(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Say in the schema, too, that every answer carries `correlation_id`: the renderer adds it."""
    schemas = result["components"]["schemas"]
    schemas["Correlated"] = {
        "type": "object",
        "properties": {"correlation_id": {"type": "string", "description": "Finds everything that happened."}},
        "required": ["correlation_id"],
    }
    for operation in (operation for path in result["paths"].values() for operation in path.values()):
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                if status.startswith("2") and media["schema"].get("type") != "string":
                    media["schema"] = {"allOf": [media["schema"], {"$ref": "#/components/schemas/Correlated"}]}
    return result


class _Scheme(OpenApiAuthenticationExtension):
    """How a program shows who it is."""

    header: dict[str, str]

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Give the entry of the schema."""
        return self.header


class BearerTokenScheme(_Scheme):
    """A member's token."""

    target_class = "accounts.api_auth.BearerToken"
    name = "memberToken"
    header = {"type": "http", "scheme": "bearer", "description": "The token of POST /api/auth/login."}


class StaffTokenScheme(_Scheme):
    """An admin's token."""

    target_class = "accounts.api_auth.StaffToken"
    name = "adminToken"
    header = {"type": "http", "scheme": "bearer", "description": "The token of POST /api/admin/login."}


class SessionCookieScheme(_Scheme):
    """The cookie of the pages."""

    target_class = "accounts.api_auth.SessionCookie"
    name = "sessionCookie"
    header = {"type": "apiKey", "in": "cookie", "name": "session", "description": "The cookie of the pages, with CSRF."}
