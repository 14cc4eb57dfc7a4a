"""The page that says what this is."""

import base64
import hashlib
import shlex
from html import escape
from string import Template

from aiohttp import web

from hub.web.face import Face

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5a6475; --paper: #fbfaf7;
  --card: #fff; --line: #e2ded4; --accent: #b4451f }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #a2a8b4; --paper: #14171c;
  --card: #1b1f26; --line: #2e343e; --accent: #ff9166 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 4rem 1.25rem 5rem }
h1 { margin: 0; font-size: 2.25rem; line-height: 1.2; letter-spacing: -.02em }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.125rem }
p { margin: .5rem 0 1rem }
.lead { color: var(--soft); font-size: 1.1875rem }
.url { display: inline-block; margin-top: .5rem; padding: .375rem .875rem; border-radius: 2rem;
  border: 1px solid var(--accent); color: var(--accent); font: .9375rem/1.5 ui-monospace, monospace;
  overflow-wrap: anywhere }
pre { margin: .75rem 0; padding: 1rem 1.125rem; overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: .625rem; font: .875rem/1.6 ui-monospace, monospace }
code { font-family: ui-monospace, monospace; font-size: .9em }
a { color: var(--accent) }
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WebSub hub</title>
<style>$style</style>
<main>
<h1>This is a WebSub hub</h1>
<p class="lead">It tells everybody who asked, by a signed HTTP request, as soon as a feed or any
other page has changed. No polling.</p>
<p><span class="url">$hub_url</span></p>

<h2>Publish</h2>
<p>Name the hub in your feed or page, with a header or a link:</p>
<pre>$link</pre>
<p>and tell it whenever something has changed (the answer is 204):</p>
<pre>$publish</pre>

<h2>Subscribe</h2>
<p>Ask for a topic to be sent to a URL of yours (the answer is 202):</p>
<pre>$subscribe</pre>
<p>The hub then asks your URL to confirm, with a GET that has a <code>hub.challenge</code>; answer
it with status 200 and just that challenge as the body. From then on, each change comes as a POST,
signed with your secret in <code>X-Hub-Signature</code>, until the lease ends.</p>

<h2>More</h2>
<p><a href="https://www.w3.org/TR/websub/">WebSub, the specification</a></p>
</main>
</html>
""")

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """What a person sees who opens the hub in a browser."""

    def __init__(self, face: Face) -> None:
        self._html = _PAGE.substitute(
            style=_STYLE,
            hub_url=escape(face.hub_url),
            link=escape(
                f'Link: <{face.hub_url}>; rel="hub", <https://example.org/feed>; rel="self"'
            ),
            publish=escape(_curl(face.hub_url, "publish", "hub.url=https://example.org/feed")),
            subscribe=escape(
                _curl(
                    face.hub_url,
                    "subscribe",
                    "hub.topic=https://example.org/feed",
                    "hub.callback=https://subscriber.example/callback",
                    "hub.secret=change-me",
                )
            ),
        )

    async def start(self, _request: web.Request) -> web.Response:
        """Return the start page."""
        return web.Response(text=self._html, content_type="text/html", headers=_HEADERS)


def _curl(hub_url: str, mode: str, *fields: str) -> str:
    data = " \\\n  ".join(f"--data-urlencode {shlex.quote(field)}" for field in fields)
    return f"curl -i {shlex.quote(hub_url)} -d hub.mode={mode} \\\n  {data}"
