/* Guestlist in the browser. Plain ES2022, no eval, no inline handlers.
   Everything here is an enhancement: pages render and submit without it. */
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (type, selector, act) => addEventListener(type, (event) => {
  const element = event.target.closest?.(selector);
  if (element) act(element, event);
});
const say = (text, region = $("#live")) => {
  if (!region) return;
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = text));
};

/* Theme ------------------------------------------------------------------ */
function paintTheme() {
  const theme = document.documentElement.dataset.theme ?? "";
  $$("[data-theme-set]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme)));
}
on("click", "[data-theme-set]", ({ dataset: { themeSet: theme } }) => {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  try { if (theme) localStorage.setItem("theme", theme); else localStorage.removeItem("theme"); } catch { /* private mode */ }
  paintTheme();
});
paintTheme();

/* The zone in which the server shows times ------------------------------------ */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone, zoneCookie = `timezone=${zone}`;
if (zone && !document.cookie.split("; ").includes(zoneCookie)) {
  document.cookie = `${zoneCookie}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

/* Dialogs ----------------------------------------------------------------- */
function openDialog(dialog) {
  if (!dialog || dialog.open) return;
  const opener = document.activeElement;
  dialog.showModal();
  dialog.addEventListener("close", () => {      // the opener may be gone, or lie in a menu that has closed
    if (opener === document.body && place) settleFocus(place);
    if (opener.checkVisibility()) return;
    [$(".topbar [popovertarget]"), $("#main")].find((element) => element?.checkVisibility())?.focus({ preventScroll: true });
  }, { once: true });
}
if (!("command" in HTMLButtonElement.prototype)) on("click", "button[commandfor]", (button) => {
  document.getElementById(button.getAttribute("commandfor"))?.close();
});
const invite = $("#invite");
on("click", "[data-invite]", (_button, event) => {
  if (!invite) return;
  event.preventDefault();
  openDialog(invite);
});
on("click", "[data-keys]", () => openDialog($("#shortcuts")));
on("click", "[data-close]", (link, event) => {
  const dialog = link.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
});

/* Keyboard: "/" search, "i" invite, "?" this list; ignored while typing, in dialogs and in menus ------ */
const keys = "shortcuts" in document.body.dataset;
function paintKeys() {
  if (!keys) return;
  $("#q")?.setAttribute("aria-keyshortcuts", "/");
  if (invite) $$("[data-invite]").forEach((button) => button.setAttribute("aria-keyshortcuts", "i"));
}
paintKeys();
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "emails") {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.key === " " && event.target.matches?.("a.sort")) { event.preventDefault(); event.target.click(); }
  if (!keys || event.repeat || $("[popover]:popover-open")) return;
  const goal = { "/": $("#q"), i: invite, "?": $("#shortcuts") }[event.key];
  if (!goal) return;
  event.preventDefault();
  if (goal.matches("dialog")) openDialog(goal); else goal.focus();
});

/* Menus: a search over what is listed ------------------------------------------- */
on("input", "[data-filter]", (input) => {
  const words = input.value.trim().toLocaleLowerCase(), list = document.getElementById(input.dataset.filter);
  const found = $$("a", list).filter((link) => !(link.hidden = !link.textContent.toLocaleLowerCase().includes(words)));
  list.nextElementSibling.textContent = found.length ? "" : input.dataset.none;
});

/* Copying ------------------------------------------------------------------------- */
on("click", "[data-copy]", async (button) => {
  const box = document.getElementById(button.dataset.copy), { copied } = button.dataset;
  try { await navigator.clipboard.writeText(box.value); } catch {      // not on https
    box.select();
    if (!document.execCommand("copy")) return;
    button.focus();
  }
  const label = $("span", button), text = label.textContent;
  if (text === copied) return;
  label.textContent = copied;
  say(copied, button.nextElementSibling);
  setTimeout(() => (label.textContent = text), 3000);
});

/* A colour, chosen or typed --------------------------------------------------------- */
on("input", "[data-mirror]", (chosen) => { document.getElementById(chosen.dataset.mirror).value = chosen.value; });
on("input", "#accent", (typed) => { if (/^#[\da-f]{6}$/i.test(typed.value)) typed.previousElementSibling.value = typed.value; });

/* Password reveal ----------------------------------------------------------- */
on("click", "[data-pw]", (button) => {
  const input = document.getElementById(button.dataset.pw), hidden = input.type === "password";
  input.type = hidden ? "text" : "password";
  button.setAttribute("aria-pressed", String(hidden));
});

/* Toasts: leave after 8 s unless they are errors, wait while pointed at or focused --- */
const armed = new WeakSet();
function armToasts() {
  for (const toast of $$(".toast:not(.toast--danger)")) {
    if (armed.has(toast)) continue;
    armed.add(toast);
    let timer;
    const arm = () => { timer = setTimeout(() => toast.remove(), 8000); }, hold = () => clearTimeout(timer);
    arm();
    for (const type of ["mouseenter", "focusin"]) toast.addEventListener(type, hold);
    for (const type of ["mouseleave", "focusout"]) toast.addEventListener(type, () => { hold(); arm(); });
  }
}
on("click", "[data-dismiss]", (button) => {
  button.closest(".toast").remove();
  if (document.activeElement === document.body) $("#main").focus({ preventScroll: true });
});
const region = $("#toasts");
if (region) { armToasts(); new MutationObserver(armToasts).observe(region, { childList: true, subtree: true }); }
function showFailure() {
  const toast = $("#toast-error")?.content.cloneNode(true), open = $("dialog[open] .dialog__body");
  if (!toast) return;
  if (!open) return $("#toasts-alert").append(toast);
  $(".note--danger", open)?.remove();        // what lies behind an open dialog is not read out
  const note = Object.assign(document.createElement("div"), { className: "note note--danger" });
  note.setAttribute("role", "alert");
  note.append($(".icon", toast), $("div > div", toast) ?? toast);
  open.prepend(note);
}

/* Selecting rows -------------------------------------------------------------- */
const boxes = () => $$("input[name=ids]");
function paintSelection(loud) {
  const bar = $("[data-bulk]");
  if (!bar) return;
  const rows = boxes(), chosen = rows.filter((box) => box.checked), all = $("[data-all]"), whole = chosen.length === rows.length;
  all.checked = chosen.length > 0 && whole;
  all.indeterminate = chosen.length > 0 && !whole;
  bar.toggleAttribute("data-on", chosen.length > 0);
  const match = $("[data-match]", bar), count = $("[data-count]", bar);
  if (match) { match.hidden = !whole; if (!whole) $("input", match).checked = false; }
  count.textContent = count.dataset.count.replace("#", chosen.length.toLocaleString(document.documentElement.lang));
  if (loud) say(count.textContent);
}
let lastBox;
on("change", "[data-all]", (all) => { boxes().forEach((box) => (box.checked = all.checked)); paintSelection(true); });
on("change", "input[name=ids]", () => paintSelection(true));
let shift = false;      // a click that Space makes does not always say that Shift is held
for (const type of ["keydown", "keyup"]) addEventListener(type, (event) => (shift = event.shiftKey));
on("click", "input[name=ids]", (box, event) => {
  const rows = boxes(), from = rows.indexOf(lastBox), to = rows.indexOf(box);
  if ((event.shiftKey || (!event.detail && shift)) && from >= 0) {
    rows.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((other) => (other.checked = box.checked));
    paintSelection(true);
  }
  lastBox = box;
});
on("reset", "[data-bulk]", () => setTimeout(() => { paintSelection(true); $("[data-all]")?.focus(); }));
paintSelection();

/* The invite box: the text is the truth, chips only point into it ---------------- */
const draftKey = () => `guestlist:draft:${$("#invite-form").dataset.draft}`;
const draft = {
  read() { try { return sessionStorage.getItem(draftKey()); } catch { return null; } },
  write(text) { try { if (text) sessionStorage.setItem(draftKey(), text); else sessionStorage.removeItem(draftKey()); } catch { /* private mode */ } },
};
const typed = (box) => box.dispatchEvent(new Event("input", { bubbles: true }));
function openDraft() {
  const box = $("#emails");
  if (!box) return;
  if (box.value) draft.write(box.value);
  else if ((box.value = draft.read() ?? "")) typed(box);
}
on("input", "#emails", (box) => {
  draft.write(box.value);
  box.removeAttribute("aria-invalid");
  $("#emails-error")?.remove();
});
function find(box, chip) {
  const letters = [...chip.dataset.token.replace(/\s+/g, "")].map((c) => c.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("\\s*");
  const inside = "[^\\s,;:<>()\\[\\]\"'“”‘’.]";          // a letter of an address: the match must not start or end within one
  const hits = [...box.value.matchAll(new RegExp(`(?<!${inside}\\.*)${letters}(?!\\.*${inside})`, "giu"))];
  const hit = chip.classList.contains("chip--dup") ? hits.at(-1) : hits[0];
  return hit && [hit.index, hit.index + hit[0].length];
}
function replace(box, [start, end], text) {
  box.focus();
  box.setRangeText(text, start, end, "end");
  typed(box);
}
const tell = (name, text) => { const node = $("[data-say]"); say(node.dataset[name].replace("#", text), node); };
on("click", "[data-fix]", (button) => {
  const box = $("#emails"), place = find(box, button.closest(".chip"));
  box.focus();
  if (place) box.setSelectionRange(...place);
});
on("click", "[data-replace]", (button) => {
  const box = $("#emails"), place = find(box, button.closest(".chip"));
  if (!place) return box.focus();
  replace(box, place, button.dataset.replace);
  tell("changed", button.dataset.replace);
});
on("click", "[data-remove]", (button) => {
  const box = $("#emails"), chip = button.closest(".chip"), place = find(box, chip);
  if (!place) return box.focus();
  let [start, end] = place;
  const before = /(?:"[^"\n]*"|[^\n;<>@",]*)\s*<\s*$/.exec(box.value.slice(0, start)), after = /^\s*>/.exec(box.value.slice(end));
  if (before && after) { start = before.index; end += after[0].length; }     // Jane Doe <jane@…> goes as a whole
  end += /^\.*[ \t]*[,;]?[ \t]*\n?/.exec(box.value.slice(end))[0].length;
  replace(box, [start, end], "");
  tell("removed", chip.dataset.token);
});
addEventListener("DOMContentLoaded", openDraft);      // htmx listens by then, so a draft gets its preview

/* htmx ------------------------------------------------------------------------ */
const submitter = ({ requestConfig: { triggeringEvent: event }, elt }) => event?.submitter ?? (elt.matches("button") ? elt : null);
let place = null;      // the row and the button that were used last: focus goes back there, or to a neighbour
let tally;

/* Whoever waits for more than 300 ms sees a bar at the top, and grey rows where others are to come */
let waiting = 0;
function wait({ elt, target, xhr }) {
  const results = target.id === "results", slow = setTimeout(() => {
    document.documentElement.dataset.loading = "";
    if (results && elt !== target) target.dataset.skeleton = "";
  }, 300);
  waiting++;
  if (results) target.setAttribute("aria-busy", "true");
  xhr.addEventListener("loadend", () => {
    clearTimeout(slow);
    target.removeAttribute("aria-busy");
    delete target.dataset.skeleton;
    if (!--waiting) delete document.documentElement.dataset.loading;
  });
}
let failed;      // what asked for a list that did not load
function showLoadError({ requestConfig: { elt }, target, xhr }) {
  const card = $("#load-error").content.cloneNode(true).firstElementChild, id = xhr.getResponseHeader("X-Request-ID"), code = $("code", card);
  if (id) { code.append(id); code.hidden = false; }
  failed = elt;
  const held = target.contains(document.activeElement);
  for (const part of [...target.children]) if (part.matches("[role=alert]")) part.remove(); else part.hidden = true;
  target.append(card);
  if (held) $("[data-retry]", card).focus();
}
on("click", "[data-retry]", () => {
  if (failed.matches("a")) failed.click();
  else if (failed.matches("input")) failed.dispatchEvent(new Event("search"));
  else document.body.dispatchEvent(new Event("guestlist:changed"));
});
function sayList() {
  const list = $("#results");
  say((list.dataset.said?.trim() || $(".state h2", list)?.textContent) ?? "");
}

addEventListener("htmx:beforeRequest", ({ detail }) => {
  const row = detail.elt.closest("tr[data-id]"), bulk = detail.elt.closest("[data-bulk]");
  if (row) place = { id: row.dataset.id, ids: $$("tr[data-id]").map((r) => r.dataset.id), action: detail.elt.closest("[data-action]").dataset.action };
  else if (bulk) place = { ids: [] };
  submitter(detail)?.setAttribute("aria-busy", "true");
  if (detail.target.id !== "preview") wait(detail);
});
addEventListener("htmx:afterRequest", ({ detail }) => {
  const { elt, successful } = detail;
  submitter(detail)?.removeAttribute("aria-busy");
  if (elt.matches("[data-action=role]")) {
    if (successful) $$("option", elt).forEach((option) => (option.defaultSelected = option.selected)); else elt.reset();
    if (document.activeElement === document.body) setTimeout(() => $("select", elt)?.focus());
  }
  if (detail.xhr?.status > 0 && detail.xhr.status < 500) elt.closest("#dialogs dialog")?.close();
  if (elt.matches("[data-undo]")) elt.closest(".toast").remove();
});
addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { xhr, requestConfig: { verb, path } } = detail;
  if (xhr.status >= 500 || !/^\s*<!doctype/i.test(xhr.response)) return;
  detail.shouldSwap = false;      // a whole page instead of a part: signed out, not allowed, gone
  if (verb === "get" && detail.target.id === "results") location.assign(path); else if (xhr.status < 400) location.reload(); else showFailure();
});
addEventListener("htmx:responseError", ({ detail }) => { if (detail.xhr.status >= 500 || !detail.xhr.response) fail(detail); });
for (const type of ["htmx:sendError", "htmx:timeout"]) addEventListener(type, ({ detail }) => fail(detail));
function fail(detail) {
  if (detail.target.id === "results" && detail.requestConfig.verb === "get") showLoadError(detail); else showFailure();
}

addEventListener("htmx:afterSettle", ({ detail: { requestConfig, target } }) => {
  if (target.id === "dialogs") {
    const dialog = $("dialog", target);
    if (dialog && !dialog.open) {
      openDialog(dialog);
      dialog.addEventListener("close", () => dialog.remove());
    }
  }
  if (target.id === "preview") {
    clearTimeout(tally);
    const text = $$("[data-tally] li", target).map((item) => item.textContent.trim()).join(", ");
    if (text) tally = setTimeout(() => say(text, $("[data-say]")), 900);
  }
  if (target.id === "results") {
    paintSelection();
    paintKeys();
    if (requestConfig.elt.id !== "results") sayList();
    const search = $("#q");
    if (search && document.activeElement !== search) search.value = $("#results").dataset.q;
    settleFocus();
  }
  if (target.id === "invite-form") {
    openDraft();
    const sent = $("#invite-form .note--ok");
    if (sent) say(sent.textContent.trim(), $("[data-say]"));
  }
});
function settleFocus(kept = null) {
  const held = document.activeElement, lost = held === document.body || !held?.checkVisibility();
  if (!lost || $("dialog[open]")) return;
  const { id, ids = [], action } = place ?? {}, at = ids.indexOf(id);
  const order = [id, ...ids.slice(at + 1), ...ids.slice(0, Math.max(at, 0)).reverse()];
  const next = order.map((one) => one && $(`tr[data-id="${CSS.escape(one)}"] [data-action="${action}"]`)).find(Boolean);
  place = kept;
  const goal = next?.matches("form") ? $("select", next) : next;
  (goal ?? $("#main")).focus({ preventScroll: !goal });
}
addEventListener("guestlist:sent", () => {
  draft.write("");
  const box = $("#emails");
  if (box) box.value = "";
  $("#preview")?.replaceChildren();
  $$("#invite-form .note--ok, #emails-error").forEach((old) => old.remove());
  invite?.close();
});
