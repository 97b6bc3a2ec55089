"""The first page: how the whole business is doing."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from adminpanel import navigation, roles
from adminpanel.site import site


def dashboard(request: HttpRequest) -> HttpResponseBase:
    """Every page this person may open, in groups."""
    context = {
        **site.each_context(request),
        "title": "Control room",
        "groups": navigation.groups(request),
        "role": roles.of(request.user),
    }
    return TemplateResponse(request, "adminpanel/dashboard.html", context)
