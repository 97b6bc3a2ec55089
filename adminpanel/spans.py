"""Lists of what came in a span of time, so that a number or a bar leads to the very rows it counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

LATELY = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}


class When(admin.SimpleListFilter):
    """The last hours or days; a bar of a chart asks for its own hour (`2026-11-26T10`) or day (`2026-11-26`), UTC."""

    title = "time"
    parameter_name = "when"
    column = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """How long back."""
        return [(key, name) for key, (name, _) in LATELY.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of the span; all for what is none."""
        asked = self.value() or ""
        if asked in LATELY:
            return queryset.filter(**{f"{self.column}__gt": timezone.now() - LATELY[asked][1]})
        try:
            begin = datetime.fromisoformat(asked).replace(tzinfo=UTC)
            end = begin + (timedelta(hours=1) if "T" in asked else timedelta(days=1))
        except (ValueError, OverflowError):
            return queryset
        return queryset.filter(**{f"{self.column}__gte": begin, f"{self.column}__lt": end})


class WhenAt(When):
    """The same for what has its time in `at`."""

    column = "at"
