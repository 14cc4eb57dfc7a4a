"""The page that says what this is, lets people try it, and follows a topic live."""

import base64
import hashlib
import json
import shlex
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from aiohttp import web

from hub.protocol.own_topics import below, own_topic_url
from hub.web.face import Face

_FEED: Final = "https://example.org/feed"
_PARTS = files("hub.web") / "page"
_PAGE = Template((_PARTS / "start.html").read_text(encoding="utf-8"))
_STYLE = (_PARTS / "style.css").read_text(encoding="utf-8")
_SCRIPT = (_PARTS / "live.js").read_text(encoding="utf-8")
_PUSH = """<article class="wide">
<h3>Or send the content itself</h3>
<p>No feed? With a token of this hub's, what you POST to a topic under <code>/t/</code> goes out to
all who follow it.</p>
<pre>{}</pre>
</article>
"""


def _hash_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_hash_of(_STYLE)}'; "
        f"script-src 'sha256-{_hash_of(_SCRIPT)}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """What a person sees who opens the hub in a browser."""

    def __init__(self, face: Face) -> None:
        self._html = _PAGE.substitute(
            {name: escape(text) for name, text in _snippets(face.hub_url).items()},
            style=_STYLE,
            script=_SCRIPT,
            hub_url=escape(face.hub_url),
            push=_PUSH.format(escape(_push(face.hub_url))) if face.takes_content else "",
        )

    async def start(self, _request: web.Request) -> web.Response:
        """Return the start page."""
        return web.Response(text=self._html, content_type="text/html", headers=_HEADERS)


def _snippets(hub_url: str) -> dict[str, str]:
    events = below(hub_url, "events")
    callback = "hub.callback=https://subscriber.example/callback"
    return {
        "link": f'Link: <{hub_url}>; rel="hub",\n      <{_FEED}>; rel="self"',
        "publish": _request(hub_url, "publish", f"hub.url={_FEED}"),
        "subscribe": _request(
            hub_url, "subscribe", f"hub.topic={_FEED}", callback, "hub.secret=change-me"
        ),
        "browser": (
            f"const hub = {json.dumps(events)}\n"
            f'const topic = "{_FEED}"\n'
            "const source = new EventSource(\n"
            "  `${hub}?topic=${encodeURIComponent(topic)}`)\n"
            "source.onmessage = (message) =>\n"
            "  console.log(JSON.parse(message.data))"
        ),
        "poll": _reading(events, "-G", "-d wait=30"),
        "lines": _reading(events, "-NG", "-H 'Accept: application/x-ndjson'"),
        "history": _reading(events, "-G", "-d after=earliest"),
    }


def _request(hub_url: str, mode: str, *fields: str) -> str:
    data = " \\\n  ".join(f"--data-urlencode {shlex.quote(field)}" for field in fields)
    return f"curl -i {shlex.quote(hub_url)} -d hub.mode={mode} \\\n  {data}"


def _reading(events_url: str, how: str, what: str) -> str:
    return (
        f"curl {how} {shlex.quote(events_url)} \\\n"
        f"  --data-urlencode {shlex.quote(f'topic={_FEED}')} \\\n  {what}"
    )


def _push(hub_url: str) -> str:
    topic = own_topic_url(hub_url, "front-door") or ""
    return (
        f"curl -i {shlex.quote(topic)} \\\n"
        "  -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: text/plain' \\\n"
        "  --data-binary 'The front door is open'"
    )
