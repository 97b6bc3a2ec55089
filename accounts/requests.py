"""What our middlewares put on a request."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, User, Workspace


class MemberRequest(HttpRequest):
    """A request of a member who is in a workspace: what the members' pages and the API are given."""

    user: User
    workspace: Workspace
    membership: Membership
    correlation_id: str
    htmx: HtmxDetails
