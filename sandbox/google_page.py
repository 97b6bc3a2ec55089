"""The page on which the stand-in for Google asks who you are."""

from collections.abc import Iterable
from html import escape

from sandbox.google_people import GooglePerson
from sandbox.people import digest
from sandbox.wire import Answer

HTML = b"text/html; charset=utf-8"
STYLE = """
:root{color-scheme:light dark;--line:light-dark(#dadce0,#3c4043);--muted:light-dark(#5f6368,#9aa0a6);
--card:light-dark(#fff,#1f1f1f);--hover:light-dark(#f1f3f4,#2d2e30);--blue:light-dark(#0b57d0,#a8c7fa)}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100dvh;display:grid;place-items:center;padding:16px;
background:light-dark(#f0f4f9,#131314)}
main{width:100%;max-width:448px;background:var(--card);border-radius:24px;padding:28px 24px}
.loud{background:light-dark(#fde7c3,#4a3200);color:light-dark(#5c3a00,#ffd992);border-radius:10px;padding:8px 12px;
font-size:14px;margin:0 0 20px}
h1{font-size:24px;line-height:1.25;font-weight:500;margin:0}p{margin:6px 0 0;color:var(--muted);overflow-wrap:anywhere}
ul{list-style:none;margin:20px 0 0;padding:0;border-top:1px solid var(--line)}
li{border-bottom:1px solid var(--line)}
.who{display:flex;align-items:center;gap:12px;width:100%;min-height:60px;padding:8px;border:0;border-radius:8px;
background:none;color:inherit;font:inherit;text-align:left;cursor:pointer}
.who:hover{background:var(--hover)}.who span{min-width:0}.who b,.who small{display:block;overflow-wrap:anywhere}
.who b{font-weight:500;line-height:1.3}small{color:var(--muted);font-size:13px}
i{flex:none;width:32px;height:32px;border-radius:50%;display:grid;place-items:center;color:#fff;font-style:normal}
label{display:block;font-size:14px;margin-top:20px}
input{width:100%;min-height:44px;margin-top:6px;padding:8px 12px;font:inherit;color:inherit;background:none;
border:1px solid light-dark(#80868b,#80868b);border-radius:8px}
.row{display:flex;justify-content:space-between;gap:8px;margin-top:16px}
.row button{min-height:44px;padding:0 20px;border-radius:22px;border:0;font:inherit;font-weight:500;cursor:pointer;
background:none;color:var(--blue)}
.row .main{background:var(--blue);color:light-dark(#fff,#062e6f)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
"""


def chooser(people: Iterable[GooglePerson], back_to: str) -> Answer:
    """Who do you want to be? Nobody has to prove it here."""
    rows = "".join(_row(person) for person in people)
    body = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox Google: choose an account</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main>
<p class="loud"><b>Sandbox.</b> This is not Google. Nobody here is real.</p>
<h1>Choose an account</h1><p>to go on to {escape(back_to)}</p>
<form method="post"><ul>{rows}</ul></form>
<form method="post">
<label for="email">Somebody else</label><input id="email" name="email" type="email" placeholder="name@example.com"
 autocomplete="off" required>
<div class="row"><button name="deny" value="1" formnovalidate>Cancel</button>
<button class="main">Continue</button></div>
</form></main></body></html>"""
    return Answer(200, body.encode(), HTML, {"cache-control": "no-store"})


def _row(person: GooglePerson) -> str:
    name, email = escape(person.name or person.sub), escape(person.email or "")
    hue = digest("google", person.sub) % 360
    unsure = "" if person.email_verified else " · not verified"
    return (
        f'<li><button class="who" name="sub" value="{escape(person.sub)}">'
        f'<i style="background:hsl({hue} 45% 38%)" aria-hidden="true">{escape((person.name or "?")[0])}</i>'
        f"<span><b>{name}</b><small>{email}{unsure}</small></span></button></li>"
    )
