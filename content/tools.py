"""Every feature with what it needs: where its facts come from and where its answer goes."""

from content import studio, voices
from content.models import Feature
from content.runs import Tool, keep_pieces

TOOLS: dict[str, Tool] = {
    Feature.VOICE: Tool(voices.gather, voices.keep),
    **{feature: Tool(studio.gather, keep_pieces) for feature in studio.FEATURES},
}
