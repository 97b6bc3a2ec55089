"""The page for people who open the sandbox in a browser, and the pictures that its answers link to."""

import time
from html import escape

from sandbox.people import digest
from sandbox.wire import Answer, Request
from sandbox.world import DEMO_PEOPLE, Account, World

HTML = b"text/html; charset=utf-8"
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
.loud{background:#b42318;color:#fff;padding:.8rem 1rem;border-radius:.6rem;font-weight:600}
table{border-collapse:collapse;width:100%}
td code{white-space:nowrap}
th,td{text-align:left;padding:.45rem .8rem .45rem 0;border-bottom:1px solid #8884}
code,pre{font:.875rem/1.5 ui-monospace,monospace}pre{background:#8882;padding:1rem;border-radius:.6rem;overflow-x:auto}
.wide{overflow-x:auto}
"""


def second_step(account: Account) -> str:
    """What to enter after the password."""
    if account.totp_secret:
        code = account.totp().generate(int(time.time())).decode()
        spare = account.backup_codes[0] if account.backup_codes else "none left"
        return (
            f"code <code>{code}</code> (reload for the next), secret <code>{escape(account.totp_secret)}</code>, "
            f"backup code <code>{spare}</code>"
        )
    return f"e-mail code <code>{escape(account.email_code)}</code>" if account.email_code else "none"


def front_page(world: World, request: Request) -> Answer:
    """Who can be connected, what happened, and how to arrange the world."""
    demo = [world.accounts[str(person["username"])] for person in DEMO_PEOPLE]
    rows = "".join(
        f"<tr><td><b>{escape(account.username)}</b></td><td><code>{escape(account.password or '')}</code></td>"
        f"<td>{second_step(account)}</td></tr>"
        for account in demo
    )
    url = escape(request.own_url)
    body = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Local stand-in for Instagram</title><style>{STYLE}</style></head><body>
<h1>Local stand-in for Instagram</h1>
<p class="loud">This is not Instagram. Nobody here is real and nothing you do here reaches Instagram.</p>
<h2>People you can connect</h2>
<div class="wide"><table><tr><th>Username</th><th>Password</th><th>Second step</th></tr>{rows}</table></div>
<h2>People who can sign in with Google</h2>
<p>Press "Continue with Google" on the sign-in page and choose one of
{", ".join(f"<b>{escape(person.email)}</b>" for person in world.google.people.values() if person.email)}, or type any
address.</p>
<h2>What happened so far</h2>
<p>{len(world.ledger.entries)} writes in the ledger, {len(world.accounts)} accounts,
{len(world.faults.orders)} faults on order. Every hashtag has hundreds of made-up people.</p>
<h2>Arrange the world</h2>
<p>From this machine only. All calls are listed in <code>sandbox/control.py</code>, all faults in
<code>sandbox/faults.py</code>.</p>
<pre>curl {url}/_control/ledger?account=demo.ceramics
curl {url}/_control/accounts -d '{{"username": "my.account", "password": "my-password"}}'
curl {url}/_control/faults -d '{{"account": "demo.ceramics", "path": "friendships/create", "fault": "feedback"}}'
curl {url}/_control/hashtags -d '{{"tag": "ceramics", "count": 25}}'
curl -X POST {url}/_control/reset</pre>
</body></html>"""
    return Answer(200, body.encode(), HTML)


def picture(name: str) -> Answer:
    """A square in the colour of its name; the same name always has the same one."""
    first, second = digest("hue", name) % 360, digest("hue", name, 2) % 360
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" fill="hsl({first} 45% 55%)"/>'
        f'<circle cx="32" cy="25" r="12" fill="hsl({second} 40% 85%)"/>'
        f'<circle cx="32" cy="62" r="23" fill="hsl({second} 40% 85%)"/></svg>'
    )
    return Answer(200, svg.encode(), b"image/svg+xml", {"cache-control": "public, max-age=86400"})
