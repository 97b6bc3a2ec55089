"""Insights of business accounts and their posts (`ads/graphql`). The numbers are made up, and always the same.

Only the frame of these answers is known from instagrapi (`data.shadow_instagram_user.business_manager` and
`data.instagram_post_by_igid.inline_insights_node`); the names inside are ours.
"""

import json
from typing import Any

from sandbox import people
from sandbox.instagram_reads import find_media
from sandbox.instagram_routes import Call, Routes
from sandbox.wire import Answer, BadRequest, answer_json

ACCOUNT, POST = "2449243051851783", "3221905377882880"
routes = Routes()


@routes("POST", "ads/graphql")
def insights(call: Call) -> Answer:
    """Answer the two queries that we know; others have no data, which is also what a personal account gets."""
    try:
        params = json.loads(str(call.form.get("query_params", "{}")))
        key = str((params.get("query_params") or {}).get("id", ""))
    except (ValueError, AttributeError) as error:
        raise BadRequest("query_params must be a JSON object.") from error
    query = str(call.form.get("doc_id", ""))
    if query == ACCOUNT:
        return answer_json({"data": {"shadow_instagram_user": account_insights(call)}, "status": "ok"})
    return answer_json({"data": {"instagram_post_by_igid": post_insights(call, key)} if query == POST else {}})


def account_insights(call: Call) -> dict[str, Any]:
    """The week of a business account."""
    viewer = call.viewer
    if not viewer.business:
        return {"id": str(viewer.pk), "business_manager": None}
    roll = people.digest("insights", viewer.pk)
    unit = {"reach_count": roll % 9000, "profile_views_count": roll % 700, "impressions_count": roll % 21000}
    summary = {"followers_count": call.world.follower_count(viewer), "posts_count": viewer.media}
    return {"id": str(viewer.pk), "business_manager": {"account_summary_unit": summary, "account_insights_unit": unit}}


def post_insights(call: Call, key: str) -> dict[str, Any] | None:
    """One post of the viewer's own business account."""
    found = find_media(call, key)
    if found is None or found[0].pk != call.viewer.pk or not call.viewer.business:
        return None
    roll = people.digest("insights", key)
    metrics = {"reach_count": roll % 4000, "impression_count": roll % 9000, "engagement_count": roll % 500}
    return {"id": key, "inline_insights_node": {"state": "AVAILABLE", "metrics": metrics}}
