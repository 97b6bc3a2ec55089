"""The way out of a visit, on the members' side."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from adminpanel import visits


@require_POST
def stop(request: HttpRequest) -> HttpResponseBase:
    """End the visit and go back to the member's page in the control room."""
    visit = vars(request).get("visit")
    if visit is None:
        raise Http404
    visits.end(visit, "stopped")
    request.session.flush()
    return redirect("admin:accounts_user_change", visit.member_id)
