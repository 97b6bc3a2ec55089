"""OpenAI's Responses API as its clients speak it: `POST /v1/responses`, with structured outputs and streaming.

The answer fits whatever JSON schema was sent and reads as content about what was asked: see `sandbox.openai_words`.
Nothing is stored but the last requests, for tests that look what was told: `GET /_control/openai/requests`.

Its bad days are orders of `/_control/faults` with the path `v1/responses`. Of Instagram's faults it knows `429` (with
`seconds` as retry-after), `5xx`, `not_json`, `bad_json`, `cut`, `reset`, `hang`, `slow`; and its own:

| fault | what the model does |
|---|---|
| `refusal` | declines in words |
| `truncated` | stops in the middle (`status` incomplete) |
| `malformed` | writes prose instead of JSON |
| `off_schema` | writes JSON of another shape |
| `drip` | sends a byte every second |
| `obedient` | does what the material says: repeats its links, names and prices everywhere |
| `bad_key` | says that the key is wrong |
"""

import asyncio
import itertools
import json
import time
from typing import Any

from sandbox.faults import Fault, fault_answer
from sandbox.openai_words import write
from sandbox.wire import Answer, BadRequest, Receive, Request, Send, answer_json, drop, send_answer, wait
from sandbox.world import World

HOSTS = frozenset({"api.openai.com"})
PREFIXES = ("/v1/",)
WORDS = {"refusal", "truncated", "malformed", "off_schema", "obedient"}
CHUNK = 24  # letters of one event
_numbers = itertools.count(1)


async def serve(world: World, request: Request, receive: Receive, send: Send) -> None:
    """Answer one request, or do what the fault on order says."""
    fault = world.faults.take(request.method, request.path.lstrip("/"), "")
    kind = fault.kind if fault else ""
    if fault and kind in ("hang", "slow") and not await wait(fault.seconds, receive):
        return
    if fault and kind in ("hang", "reset"):
        await drop(send, receive)
        return
    if fault and kind not in WORDS | {"slow", "drip"}:
        answer = refused(fault)
        await send_answer(send, answer)
        if answer.missing:
            await drop(send, receive, reset=False)
        return
    answer, document = respond(world, request, kind)
    if kind == "drip":
        await drip(send, receive, answer.body)
    elif document and document.pop("_stream", False):
        await stream(send, document)
    else:
        await send_answer(send, answer)


def refused(fault: Fault) -> Answer:
    """Errors in OpenAI's own form."""
    if fault.kind == "429":
        wait_for = str(int(fault.seconds) or 1)
        return _error(429, "Rate limit reached for gpt-4o.", "rate_limit_exceeded", {"retry-after": wait_for})
    if fault.kind == "bad_key":
        return _error(401, "Incorrect API key provided.", "invalid_api_key")
    if fault.kind in ("not_json", "bad_json", "cut"):
        return fault_answer(fault)
    return _error(fault.status, "The server had an error while processing your request.", "server_error")


def _error(status: int, words: str, code: str, headers: dict[str, str] | None = None) -> Answer:
    return answer_json({"error": {"message": words, "type": code, "param": None, "code": code}}, status, headers)


def respond(world: World, request: Request, kind: str) -> tuple[Answer, dict[str, Any] | None]:
    """A whole response to what was asked."""
    if (request.method, request.path) != ("POST", "/v1/responses"):
        return _error(404, f"Invalid URL ({request.method} {request.path})", "unknown_url"), None
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return _error(401, "You didn't provide an API key.", "invalid_api_key"), None
    try:
        asked = request.form
        world.openai_requests.append(asked)
        document = _document(asked, kind)
    except BadRequest as error:
        return _error(400, str(error), "invalid_request_error"), None
    return answer_json(document), document | {"_stream": bool(asked.get("stream"))}


def _document(asked: dict[str, Any], kind: str) -> dict[str, Any]:
    if not isinstance(asked.get("model"), str) or "input" not in asked:
        raise BadRequest("Missing required parameter: 'model' and 'input' are needed.")
    told = _told(asked["input"])
    form = (asked.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        orders = str(asked.get("instructions") or "")
        words = json.dumps(write(form["schema"], told, orders, obedient=kind == "obedient"), ensure_ascii=False)
    else:
        words = str(write({"type": "string"}, told, obedient=kind == "obedient"))
    part: dict[str, Any] = {"type": "output_text", "text": words, "annotations": []}
    status, details = "completed", None
    match kind:
        case "refusal":
            part = {"type": "refusal", "refusal": "I can't help with that."}
        case "truncated":
            part["text"], status, details = words[: len(words) // 2], "incomplete", {"reason": "max_output_tokens"}
        case "malformed":
            part["text"] = f"Sure, here you go. {words[: len(words) // 3]}"
        case "off_schema":
            part["text"] = '{"answer": 42, "unasked": ["yes"]}'
    into, out = max(1, len(json.dumps(asked)) // 4), max(1, len(part.get("text", "refused")) // 4)
    return {
        "id": f"resp_sandbox{next(_numbers):08d}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": details,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "model": asked["model"],
        "output": [
            {"id": "msg_sandbox", "type": "message", "status": status, "role": "assistant", "content": [part]},
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": bool(asked.get("store")),
        "temperature": 1.0,
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": into,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": into + out,
        },
        "metadata": {},
    }


def _told(asked: Any) -> str:
    """The words of the person: of several turns, the first holds the material."""
    if isinstance(asked, str):
        return asked
    turns = [turn for turn in asked if isinstance(turn, dict) and turn.get("role") == "user"]
    content = turns[0].get("content", "") if turns else ""
    if isinstance(content, list):
        content = " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


async def stream(send: Send, document: dict[str, Any]) -> None:
    """The same response as events."""
    item = document["output"][0]
    part = item["content"][0]
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    words, name = part.get("text", part.get("refusal", "")), "refusal" if "refusal" in part else "output_text"
    empty = document | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    bare = part | {"refusal" if name == "refusal" else "text": ""}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": empty},
        {"type": "response.in_progress", "response": empty},
        {"type": "response.output_item.added", "output_index": 0,
         "item": item | {"content": [], "status": "in_progress"}},
        {"type": "response.content_part.added", **place, "part": bare},
    ]  # fmt: skip
    for start in range(0, len(words), CHUNK):
        delta = {"type": f"response.{name}.delta", **place, "delta": words[start : start + CHUNK]}
        events.append(delta | ({"logprobs": []} if name == "output_text" else {}))
    done = {"refusal": words} if name == "refusal" else {"text": words, "logprobs": []}
    events += [
        {"type": f"response.{name}.done", **place, **done},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": f"response.{document['status']}", "response": document},
    ]
    await _head(send, b"text/event-stream; charset=utf-8")
    for number, event in enumerate(events):
        event["sequence_number"] = number
        line = f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
        await send({"type": "http.response.body", "body": line.encode(), "more_body": True})
        if number % 8 == 7:
            await asyncio.sleep(0.01)  # words come one after the other
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def drip(send: Send, receive: Receive, body: bytes) -> None:
    """A byte every second, for as long as somebody listens."""
    await _head(send, b"application/json")
    for number in range(len(body)):
        await send({"type": "http.response.body", "body": body[number : number + 1], "more_body": True})
        if not await wait(1.0, receive):
            return


async def _head(send: Send, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
