(function () {
  "use strict";
  const period = 2000;
  const button = document.getElementById("pause");
  const said = document.getElementById("said");
  let paused = false, busy = false, again = false, lost = false, timer = 0;
  document.documentElement.classList.add("js");

  // Nodes that are there already are changed, not replaced, so that focus,
  // scrolling, selections and opened details stay. What has an id is found again
  // wherever it went.
  function morph(old, now) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
      return;
    }
    if (old.hasAttribute("data-keep")) return;
    for (const a of now.attributes) {
      if (old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
    }
    for (const a of Array.from(old.attributes)) {
      if (!now.hasAttribute(a.name) && a.name !== "open") old.removeAttribute(a.name);
    }
    children(old, Array.from(now.childNodes));
  }

  function children(old, wanted) {
    const ids = new Set(wanted.map((n) => n.id).filter(Boolean));
    const found = new Map();
    for (const c of Array.from(old.children)) {
      if (ids.has(c.id)) found.set(c.id, c);
      else if (c.id) c.remove();
    }
    let at = old.firstChild;
    for (const want of wanted) {
      let have = found.get(want.id);
      if (!want.id) for (have = at; have && (have.id || have.nodeName !== want.nodeName); ) have = have.nextSibling;
      if (!have) {
        old.insertBefore(document.importNode(want, true), at);
        continue;
      }
      while (at !== have && at && !at.id) at = drop(at);
      if (at === have) at = at.nextSibling;
      else old.insertBefore(have, at);
      morph(have, want);
    }
    while (at) at = drop(at);
  }

  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  function states(root) {
    const found = new Map();
    for (const row of root.querySelectorAll("#rows [data-state]")) found.set(row.id.slice(2), row.dataset.state);
    return found;
  }

  function say(text, bad) {
    if (said.textContent !== text) said.textContent = text;
    said.classList.toggle("bad", bad);
  }

  // What changed is told to those who cannot see it, in one sentence.
  function announce(before, after, rejected) {
    const news = [];
    for (const [name, state] of after) {
      if (before.has(name) && before.get(name) !== state) news.push(name + " is " + state);
    }
    if (rejected) news.unshift("The newest configuration is not in effect");
    if (news.length > 4) news.splice(3, news.length, (news.length - 3) + " more controllers changed");
    if (news.length > 0) say(news.join(", ") + ".", false);
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch("/" + location.search, { cache: "no-store", credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(answer.status === 403 ? "you may not see it any more" : "it answered " + answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const before = states(document);
      const was = document.getElementById("rejected") !== null;
      document.title = page.title;
      for (const id of ["top", "main"]) morph(document.getElementById(id), page.getElementById(id));
      if (lost) say("Connected again.", false);
      lost = false;
      announce(before, states(document), !was && document.getElementById("rejected") !== null);
    } catch (e) {
      if (!lost) say("No news since " + new Date().toLocaleTimeString() + ": " + (e instanceof TypeError ? "not reachable" : e.message) + ". What is shown is old.", true);
      lost = true;
    }
    busy = false;
    if (again) { again = false; refresh(); }
  }

  function tick() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (!paused && !document.hidden) await refresh();
      tick();
    }, period);
  }

  function show(query) {
    history.replaceState(null, "", "/" + (query ? "?" + query : ""));
    refresh();
  }

  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) refresh();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) refresh(); });
  function choose(form) {
    const chosen = new URLSearchParams(new FormData(form));
    for (const [k, v] of Array.from(chosen)) if (!v) chosen.delete(k);
    show(chosen.toString());
  }
  document.addEventListener("input", (e) => { if (e.target.form) choose(e.target.form); });
  document.addEventListener("submit", (e) => { e.preventDefault(); choose(e.target); });
  document.addEventListener("click", (e) => {
    const link = e.target.closest("a.sort");
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    show(new URL(link.href).search.slice(1));
  });
  tick();
})();
