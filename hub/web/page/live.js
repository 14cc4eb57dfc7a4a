"use strict";
// What a feed says is a stranger's: it becomes text and checked links here, and never HTML.
{
  const SHOWN_MAX = 100, TEXT_MAX = 2000, AGAIN_AFTER_MS = 3000, HISTORY = "1d";
  // Control characters, and those that turn the direction of what follows.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
  const at = (id) => document.getElementById(id);
  const base = location.origin + location.pathname.replace(/\/?$/, "/");
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  // `last` is the id of the newest event on the board, by which a lost connection is taken up.
  let topic = "", last = "", source = null, again = 0, count = 0, isPast = true;

  function make(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function readable(text, most = TEXT_MAX) {
    const whole = String(text), cut = Array.from(whole.slice(0, 2 * most)).slice(0, most).join("");
    return cut.replace(HIDDEN, "\ufffd") + (cut.length < whole.length ? "\u2026" : "");
  }

  function isWeb(link) {
    try {
      return ["http:", "https:"].includes(new URL(link).protocol);
    } catch {
      return false;
    }
  }

  function say(text, lamp = "") {
    at("state").textContent = text;
    at("lamp").className = "lamp " + lamp;
  }

  function note(id, text, isBad) {
    at(id).textContent = text.trim();
    at(id).className = isBad ? "note bad" : "note";
  }

  function address(fields) {
    return base + "events?" + new URLSearchParams(fields);
  }

  function isLater(id, other) {
    if (!other) return true;
    const [ms, number] = id.split("-").map(Number), [otherMs, otherNumber] = other.split("-").map(Number);
    return ms > otherMs || (ms === otherMs && number > otherNumber);
  }

  // What an event looks like

  function when(event) {
    const line = make("p", "when"), time = make("time"), moment = new Date(event.time);
    const isToday = moment.toDateString() === new Date().toDateString();
    time.dateTime = moment.toISOString();
    time.textContent = (isToday ? clock : calendar).format(moment);
    line.append(time, make("code", "", event.id));
    return line;
  }

  function titled(text, link) {
    const title = make("h3");
    title.dir = "auto";
    if (!link || !isWeb(link)) {
      title.textContent = text;
      return title;
    }
    const anchor = make("a", "", text);
    anchor.href = link;
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer nofollow";
    title.append(anchor);
    return title;
  }

  function passage(text, className, name = "p") {
    const made = make(name, className, readable(text));
    made.dir = "auto";
    return made;
  }

  function entryItem(event, entry) {
    const item = make("li");
    item.append(when(event), titled(readable(entry.title || entry.link || "Untitled", 300), entry.link));
    if (entry.summary) item.append(passage(entry.summary, "said"));
    else if (!entry.title && entry.source) item.append(passage(entry.source, "", "pre"));
    return item;
  }

  function wholeItem(event) {
    const item = make("li");
    item.append(when(event), titled(readable(event.content_type || "Changed", 200)));
    if (event.body !== undefined) item.append(passage(event.body, "", "pre"));
    else if (event.body_base64 !== undefined) item.append(make("p", "said", "Not text: " + Math.floor(event.body_base64.length * 3 / 4) + " bytes."));
    else item.append(make("p", "said", event.truncated ? "Too large to be shown here." : "Changed again since then: only the newest is kept."));
    return item;
  }

  function resetItem(event) {
    const item = make("li");
    item.append(when(event), make("p", "mark", "What came before this is not kept any more."));
    return item;
  }

  function itemsOf(event) {
    if (event.type === "reset") return [resetItem(event)];
    return event.entries ? event.entries.map((entry) => entryItem(event, entry)) : [wholeItem(event)];
  }

  function take(message) {
    // A connection that was taken up again may repeat nothing, whoever is at fault.
    // But a reset may go back: the hub has lost what it had.
    if (message.type !== "reset" && !isLater(message.lastEventId, last)) return;
    last = message.lastEventId;
    const event = JSON.parse(message.data), items = itemsOf(event), list = at("events");
    if (!isPast) for (const item of items) item.className = "new";
    list.prepend(...items);
    while (list.children.length > SHOWN_MAX) list.lastElementChild.remove();
    at("empty").hidden = true;
    if (event.type === "event") count += 1;
    tell();
  }

  function tell() {
    if (source && source.readyState === EventSource.OPEN) {
      say("Live" + (count ? " \u00b7 " + count + (count === 1 ? " event" : " events") : ", nothing yet"), "live");
    }
  }

  // Following

  function close() {
    clearTimeout(again);
    if (source) source.close();
    source = null;
  }

  function open() {
    close();
    isPast = true;
    source = new EventSource(address(last ? { topic, after: last } : { topic, since: HISTORY }));
    source.onmessage = take;
    source.addEventListener("reset", take);
    source.onopen = () => {
      tell();
      setTimeout(() => { isPast = false; }, 1000);
    };
    source.onerror = () => {
      say("The connection is lost; trying again", "wait");
      // It comes back by itself, but not after an answer that is no stream.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_AFTER_MS);
    };
  }

  function stop(text) {
    close();
    say(text, "");
    at("stop").hidden = true;
  }

  async function follow(url) {
    stop("");
    at("events").replaceChildren();
    at("empty").hidden = false;
    [topic, last, count] = [url, "", 0];
    say("Asking the hub\u2026", "wait");
    history.replaceState(null, "", "#topic=" + encodeURIComponent(url));
    let answer, sentence;
    try {
      answer = await fetch(address({ topic: url }), { headers: { Accept: "application/json" } });
      sentence = (await answer.text()).trim();
    } catch {
      answer = { ok: false, status: 0 };
      sentence = "The hub does not answer.";
    }
    if (topic !== url) return;
    if (!answer.ok) {
      if (answer.status === 404) [at("access").hidden, at("access").open] = [false, true];
      return say(sentence, "bad");
    }
    at("stop").hidden = false;
    open();
  }

  // The forms

  async function post(path, fields, method = "POST") {
    try {
      const answer = await fetch(base + path, { method, body: fields && new URLSearchParams(fields) });
      return { isDone: answer.ok, sentence: await answer.text() };
    } catch {
      return { isDone: false, sentence: "The hub does not answer." };
    }
  }

  at("follow").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const url = at("topic").value.trim();
    if (!at("pinged").value) at("pinged").value = url;
    follow(url);
  });
  at("stop").addEventListener("click", () => {
    topic = "";
    stop("Stopped");
  });
  at("ping").addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const { isDone, sentence } = await post("", { "hub.mode": "publish", "hub.url": at("pinged").value.trim() });
    note("ping-state", isDone ? "The hub has it. If anybody follows this topic, it looks now." : sentence, !isDone);
  });
  at("token").addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const { isDone, sentence } = await post("events/token", { token: at("token-field").value });
    note("token-state", isDone ? "The token is kept." : sentence, !isDone);
    if (!isDone) return;
    at("token-field").value = "";
    if (topic) follow(topic);
  });
  at("forget").addEventListener("click", async () => {
    const { isDone, sentence } = await post("events/token", undefined, "DELETE");
    note("token-state", isDone ? "It is forgotten." : sentence, !isDone);
  });

  // What can be copied

  function copying(text) {
    const button = make("button", "plain", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    return button;
  }

  // Not there where the page came over plain http from elsewhere.
  if (navigator.clipboard) {
    for (const code of document.querySelectorAll(".copied")) code.after(copying(code.textContent));
    for (const pre of document.querySelectorAll("article pre")) {
      const button = copying(pre.textContent), title = pre.closest("article").querySelector("h3");
      button.setAttribute("aria-label", "Copy: " + title.textContent);
      pre.after(button);
    }
  }

  at("access").hidden = false;
  const wanted = new URLSearchParams(location.hash.slice(1)).get("topic");
  if (wanted) {
    at("topic").value = at("pinged").value = wanted;
    follow(wanted);
  }
}
