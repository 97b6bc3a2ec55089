"""Files that come with a request of staff: kept in memory up to a limit, thrown away beyond it, never on the disk."""

from io import BytesIO
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

from bots.session_files import LARGEST
from errors import codes
from errors.exceptions import BotException
from errors.redaction import redact_text

MOST_FILES = 100  # in one request; Django refuses more by itself
MOST = 7 * 1024 * 1024  # bytes of one request: so many files, and what is round them


class InMemory(FileUploadHandler):
    """Keeps the start of each file, one byte more than is taken, and counts the whole body while it streams in."""

    total = 0

    def handle_raw_input(
        self, input_data: IO[bytes], meta: dict[str, str], length: int, boundary: str, encoding: str | None = None
    ) -> None:
        """Refuse a body that says itself that it is too long."""
        if length > MOST:
            raise RequestDataTooBig

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self.kept = bytearray()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a part of a file; None ends its way here."""
        self.total += len(raw_data)
        if self.total > MOST:
            raise RequestDataTooBig
        self.kept += raw_data[: LARGEST + 1 - len(self.kept)]

    def file_complete(self, file_size: int) -> UploadedFile:
        """Give the file, with its true size."""
        return InMemoryUploadedFile(
            BytesIO(self.kept), self.field_name, self.file_name or "", self.content_type or "", file_size, self.charset
        )


class FilesParser(MultiPartParser):
    """Multipart, through our own handler. Whatever else is wrong with the body is the visitor's mistake."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> DataAndFiles:
        """Read fields and files. Raises BAD_REQUEST, RequestDataTooBig."""
        request = parser_context["request"]._request
        request.upload_handlers = [InMemory(request)]
        try:
            return super().parse(stream, media_type, parser_context)
        except TooManyFilesSent:
            raise BotException(codes.BAD_REQUEST, f"Send at most {MOST_FILES} files at once.") from None
        except (ParseError, LookupError, ValueError):  # also an encoding that nobody knows, half a header
            raise BotException(codes.BAD_REQUEST, "The body is not multipart/form-data that can be read.") from None


@extend_schema_field(OpenApiTypes.BINARY)
class SessionFileField(serializers.FileField):
    """A file of any content; what it is worth is judged later, each alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty_file=True, **kwargs)


def content_of(file: UploadedFile) -> bytes:
    """What was kept of a file: all of it, or one byte more than a session may have."""
    raw: bytes = file.read()
    return raw


def called(file: UploadedFile) -> str:
    """What its sender calls a file, to be told back."""
    return redact_text(file.name or "")[:120]
