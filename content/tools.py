"""Every feature with what it needs: where its facts come from and where its answer goes."""

from content import audits, competitors, dm_templates, planner, studio, voices
from content.models import Feature
from content.runs import Tool, keep_pieces

TOOLS: dict[str, Tool] = {
    Feature.VOICE: Tool(voices.gather, voices.keep),
    Feature.AUDIT: Tool(audits.gather, audits.keep),
    Feature.COMPETITORS: Tool(competitors.gather, competitors.keep),
    Feature.PLAN: Tool(planner.gather, planner.keep),
    Feature.DM_TEMPLATE: Tool(studio.gather, dm_templates.keep),
    **{feature: Tool(studio.gather, keep_pieces) for feature in studio.FEATURES},
}
