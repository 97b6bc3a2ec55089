"""The pages that Stripe shows to customers: Checkout, the portal, and an invoice with its PDF."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qsl

from sandbox.stripe_world import FAILS_LATER, GOOD, REFUSED, Refusal, StripeWorld, Thing
from sandbox.wire import Answer, Request

HTML = b"text/html; charset=utf-8"
STYLE = """
:root{color-scheme:light dark;--line:light-dark(#dfe3e8,#3a3f47);--muted:light-dark(#596171,#a3acba);
--card:light-dark(#fff,#1c1f24);--blue:light-dark(#0a55d8,#8ab4ff)}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100dvh;display:grid;place-items:center;padding:16px;
background:light-dark(#f6f8fa,#121417)}
main{width:100%;max-width:460px;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px}
.loud{background:light-dark(#fde7c3,#4a3200);color:light-dark(#5c3a00,#ffd992);border-radius:8px;padding:8px 12px;
font-size:14px;margin:0 0 20px}
.no{color:light-dark(#b3261e,#ff9a8f);font-weight:600}
h1{font-size:22px;line-height:1.3;margin:0 0 4px}p{margin:6px 0;color:var(--muted);overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-size:14px}td{padding:8px 0;border-bottom:1px solid var(--line)}
td:last-child{text-align:right}
label{display:block;font-size:14px;margin-top:16px}
input,select{width:100%;min-height:44px;margin-top:6px;padding:8px 12px;font:inherit;color:inherit;background:none;
border:1px solid #80868b;border-radius:8px}
button{width:100%;min-height:44px;margin-top:16px;border:1px solid var(--line);border-radius:8px;font:inherit;
font-weight:600;background:none;color:inherit;cursor:pointer}
.main{background:var(--blue);color:light-dark(#fff,#062e6f);border:0}
a{color:var(--blue)}:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
"""
CARDS = f"""<label for="card">Card number</label><input id="card" name="card" inputmode="numeric" autocomplete="off"
 value="4242 4242 4242 4242" required><p>{GOOD} pays, {REFUSED} is refused, {FAILS_LATER} fails when it is
 charged.</p>"""


def answer(stripe: StripeWorld, request: Request) -> Answer:
    """Show a page, or do what its form says."""
    form = dict(parse_qsl(request.body.decode()))
    for prefix, page in PAGES.items():
        if request.path.startswith(prefix):
            return page(stripe, request.path.removeprefix(prefix).strip("/"), form, request.method == "POST")
    return say("Not found", "<p>There is no such page.</p>", 404)


def say(title: str, body: str, status: int = 200) -> Answer:
    """A page of the stand-in."""
    html = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"
 content="width=device-width"><title>Sandbox Stripe: {escape(title)}</title><link rel="icon" href="data:,">
<style>{STYLE}</style></head><body><main><p class="loud"><b>Sandbox.</b> This is not Stripe. No money moves.</p>
<h1>{escape(title)}</h1>{body}</main></body></html>"""
    return Answer(status, html.encode(), HTML, {"cache-control": "no-store"})


def go(address: str) -> Answer:
    """Send the person on."""
    return Answer(303, headers={"location": address, "cache-control": "no-store"})


def amount(minor: int, currency: str) -> str:
    """Money in words."""
    return f"{minor / 100:,.2f} {currency.upper()}"


# ── Checkout ──


def checkout(stripe: StripeWorld, key: str, form: dict[str, str], sent: bool) -> Answer:
    """The page on which a customer pays the first time."""
    session = stripe.things.get(key)
    if session is None or session["status"] != "open":
        return say("This page is over", "<p>The session was finished, or it expired.</p>", 410)
    error = pay(stripe, session, form) if sent else ""
    if sent and not error:
        return go(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
    price = stripe.things[session["_price"]]
    product = stripe.things[price["product"]]["name"]
    costs = f"{amount(price['unit_amount'], price['currency'])} a {price['recurring']['interval']}"
    trial = f"<p>{session['_trial']} days free, then {costs}.</p>" if session["_trial"] else f"<p>{costs}</p>"
    codes = '<label for="code">Promotion code</label><input id="code" name="code">' if session["_codes"] else ""
    back = f'<p><a href="{escape(session["cancel_url"])}">Go back</a></p>' if session["cancel_url"] else ""
    no = f'<p class="no" role="alert">{escape(error)}</p>' if error else ""
    body = f'{trial}{no}<form method="post">{CARDS}{codes}<button class="main">Subscribe</button></form>{back}'
    return say(f"Subscribe to {product}", body, 402 if error else 200)


def pay(stripe: StripeWorld, session: Thing, form: dict[str, str]) -> str:
    """Take the card and begin the subscription; why not, if not."""
    number = form.get("card", "").replace(" ", "")
    if number not in (GOOD, FAILS_LATER):
        return "Your card was declined."
    coupon, promotion = session["_coupon"].get("coupon", ""), ""
    if code := form.get("code", "").strip():
        found = next((one for one in stripe.all("promotion_code", active=True) if one["code"] == code), None)
        if found is None:
            return "This promotion code is invalid."
        coupon, promotion = found["promotion"]["coupon"], found["id"]
    customer, price = stripe.things[session["customer"]], stripe.things[session["_price"]]
    customer["_card"] = GOOD  # the first charge goes through; FAILS_LATER shows itself with the next
    made = stripe.subscribe(customer, price, trial_days=session["_trial"], coupon=coupon, promotion=promotion,
                            metadata=session["_metadata"], tax=session["_tax"])  # fmt: skip
    customer["_card"] = number
    session |= {"status": "complete", "payment_status": "paid", "subscription": made["id"]}
    stripe.tell("checkout.session.completed", session)
    return ""


# ── The portal ──


def portal(stripe: StripeWorld, key: str, form: dict[str, str], sent: bool) -> Answer:
    """The page on which a customer changes the card and sees invoices."""
    session = stripe.things.get(key)
    if session is None:
        return say("This page is over", "<p>Open it again from the billing page.</p>", 410)
    customer = stripe.things[session["customer"]]
    said = ""
    if sent and form.get("card"):
        number = form["card"].replace(" ", "")
        if number == REFUSED:
            said = '<p class="no" role="alert">Your card was declined.</p>'
        else:
            customer["_card"] = number
            stripe.tell("customer.updated", customer)
            said = '<p role="status">The card is changed.</p>'
    rows = "".join(invoice_row(invoice) for invoice in stripe.all("invoice", customer=customer["id"]))
    card = f"<p>Card ending in {escape(customer['_card'][-4:])}</p>" if customer["_card"] else "<p>No card yet</p>"
    back = f'<p><a href="{escape(session["return_url"])}">Go back</a></p>' if session["return_url"] else ""
    body = f'{said}{card}<form method="post">{CARDS}<button class="main">Change card</button></form>'
    return say("Payment method", f"{body}<table>{rows}</table>{back}")


def invoice_row(invoice: Thing) -> str:
    """One invoice in a list."""
    link = f'<a href="{invoice["hosted_invoice_url"]}">{invoice["number"]}</a>'
    return f"<tr><td>{link}</td><td>{invoice['status']} {amount(invoice['total'], invoice['currency'])}</td></tr>"


# ── An invoice ──


def invoice_page(stripe: StripeWorld, key: str, form: dict[str, str], sent: bool) -> Answer:
    """An invoice, its PDF, and the button that pays it."""
    address, pdf = key.removesuffix("/pdf"), key.endswith("/pdf")
    invoice = next((one for one in stripe.all("invoice") if one["hosted_invoice_url"] == f"/i/{address}"), None)
    if invoice is None:
        return say("Not found", "<p>There is no such invoice.</p>", 404)
    if pdf:
        return Answer(200, written(invoice), b"application/pdf")
    error = ""
    if sent:
        stripe.things[invoice["customer"]]["_card"] = form.get("card", "").replace(" ", "")
        try:
            error = "" if stripe.pay(invoice) else "Your card was declined."
        except Refusal as refusal:
            error = refusal.message
    lines = "".join(
        f"<tr><td>{escape(one['description'])}</td><td>{amount(one['amount'], invoice['currency'])}</td></tr>"
        for one in invoice["lines"]["data"]
    )
    due = invoice["status"] == "open"
    form_ = f'<form method="post">{CARDS}<button class="main">Pay</button></form>' if due else ""
    no = f'<p class="no" role="alert">{escape(error)}</p>' if error else ""
    total = f"<p>{invoice['status'].title()}, {amount(invoice['total'], invoice['currency'])}</p>"
    return say(f"Invoice {invoice['number']}", f"{total}{no}<table>{lines}</table>{form_}")


def written(invoice: Thing) -> bytes:
    """A PDF of one line, by hand."""
    day = datetime.fromtimestamp(invoice["created"], UTC).date()
    words = f"Sandbox invoice {invoice['number']} of {day}: {amount(invoice['total'], invoice['currency'])}"
    stream = f"BT /F1 14 Tf 60 760 Td ({words}) Tj ET"
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += f"{number} 0 obj{part}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(parts) + 1}/Root 1 0 R>>\n"
    return f"{out}{end}startxref\n{len(out)}\n%%EOF".encode("latin-1")


Page = Callable[[StripeWorld, str, dict[str, str], bool], Answer]
PAGES: dict[str, Page] = {"/c/pay/": checkout, "/p/session/": portal, "/i/": invoice_page}
