"""Instagram's private API as instagrapi 3.2.2 speaks it: who is asking, which endpoint, which fault, what is written.

`serve` is the door. The endpoints are in `instagram_login` (signing in), `instagram_reads`, `instagram_writes` and
`instagram_insights`. What we do not know is answered with 404 and a sentence.
"""

import re
from typing import Any

from sandbox import instagram_insights, instagram_login, instagram_reads, instagram_writes
from sandbox.faults import Fault, failure, fault_answer
from sandbox.instagram_routes import Call, Route, Routes, bearer, bloks_params
from sandbox.wire import Answer, BadRequest, Receive, Request, Send, answer_json, drop, send_answer, wait
from sandbox.world import World

HOSTS = frozenset({"i.instagram.com", "b.i.instagram.com", "www.instagram.com", "rupload.facebook.com"})
API = re.compile(r"^/api/v\d+/")
MODULES = (instagram_login, instagram_reads, instagram_writes, instagram_insights)
ROUTES = Routes(*(module.routes for module in MODULES))
Found = tuple[Route, tuple[str, ...]]


async def serve(world: World, request: Request, receive: Receive, send: Send) -> None:
    """Answer one request, or do what the fault on order says."""
    path = API.sub("", request.path).lstrip("/")
    found = ROUTES.find(request.method, path)
    try:
        call = identify(world, request)
    except BadRequest as error:
        await send_answer(send, answer_json({"message": str(error), "status": "fail"}, 400))
        return
    world.ledger.count(call.claimed, found[0].label if found else f"{request.method} unknown")
    fault = world.faults.take(request.method, path, call.claimed)
    if fault is None:
        await send_answer(send, perform(call, found))
    else:
        call.words = found[1] if found else ()
        await suffer(call, found, fault, receive, send)


def perform(call: Call, found: Found | None) -> Answer:
    """Do what the request asks, write it down, and give the answer."""
    if found is None:
        sentence = f"The stand-in does not know {call.request.method} {call.request.path}."
        return answer_json({"message": sentence, "status": "fail"}, 404)
    endpoint, call.words = found
    try:
        answer = permit(call, endpoint) or endpoint.handler(call)
    except BadRequest as error:
        answer = answer_json({"message": str(error), "status": "fail"}, 400)
    record(call, endpoint, applied=answer.status < 400)
    return answer


def permit(call: Call, endpoint: Route) -> Answer | None:
    """Refuse those who are not signed in, and those who are banned."""
    if endpoint.public:
        return None
    if call.account is None:
        return failure("login_required")
    return failure("suspended") if call.account.banned else None


def record(call: Call, endpoint: Route, *, applied: bool) -> None:
    """Write a write into the ledger, once for each thing it is about."""
    if endpoint.kind is None:
        return
    try:
        targets = endpoint.targets(call)
    except BadRequest:
        targets = [("", {})]
    for target, detail in targets:
        call.world.ledger.write(call.claimed, endpoint.kind, target, applied=applied, **detail)


async def suffer(call: Call, found: Found | None, fault: Fault, receive: Receive, send: Send) -> None:
    """Let a request meet its fault; who gives up on a slow answer has changed nothing, unless `apply` is set."""
    if fault.kind == "slow" and not fault.apply and not await wait(fault.seconds, receive):
        return
    answer = perform(call, found) if fault.apply or fault.kind == "slow" else None
    if answer is None and found:
        record(call, found[0], applied=False)
    waits = fault.kind == "hang" or (fault.kind == "slow" and fault.apply)
    if waits and not await wait(fault.seconds, receive):
        return
    if fault.kind in ("hang", "reset"):
        await drop(send, receive)
    elif fault.kind == "slow" and answer:
        await send_answer(send, answer)
    else:
        await refuse(call, fault, receive, send)


async def refuse(call: Call, fault: Fault, receive: Receive, send: Send) -> None:
    """Answer with a fault."""
    if fault.kind == "ban" and call.claimed in call.world.accounts:
        call.world.accounts[call.claimed].banned = True
    answer = fault_answer(fault)
    await send_answer(send, answer)
    if answer.missing:
        await drop(send, receive, reset=False)


def identify(world: World, request: Request) -> Call:
    """Find out who is asking."""
    call = Call(world, request)
    header = request.headers.get("authorization", "")
    if header:
        pk, session_id = bearer(header)
        owner = world.by_pk.get(pk)
        call.claimed = owner.username if owner else ""
        account = world.session_account(session_id)
        call.account = account if account is owner else None
    if not call.claimed and request.body:
        call.claimed = named_in_form(world, request.form)
    return call


def named_in_form(world: World, form: dict[str, Any]) -> str:
    """The username that a sign-in form names, directly or by the token of an earlier step."""
    if isinstance(name := form.get("username"), str):
        return name.strip().lower()
    if "params" not in form:
        return ""
    inner = bloks_params(form)
    for group in (inner["client_input_params"], inner["server_params"]):
        for key in ("contact_point", "two_step_verification_context", "context_data"):
            if isinstance(value := group.get(key), str) and value:
                return world.contexts.get(value, value.strip().lower())
    return ""
