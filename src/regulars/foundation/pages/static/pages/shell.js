// Everything here makes pages quicker to use; each page works without it.
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  // Menus: one open at a time, closed by a click elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of all("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
    const opener = event.target.closest("[data-open]");
    if (opener) one("#" + opener.dataset.open).showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    if (event.target.matches("dialog[open]")) event.target.close();
  });

  // A menu never leaves the window.
  document.addEventListener("toggle", (event) => {
    const body = event.target.matches?.("[data-menu][open]") && one(".menu-body", event.target);
    if (!body) return;
    body.style.translate = "";
    const box = body.getBoundingClientRect();
    const over = Math.max(0, box.right - document.documentElement.clientWidth + 8) - Math.max(0, 8 - box.left);
    if (over) body.style.translate = `${-over}px 0`;
    if (typing(document.activeElement) === null) one("input:not([type=hidden])", body)?.focus({ preventScroll: true });
  }, true);

  // Keys
  let going = false;
  const places = { h: "/", c: "/customers", o: "/orders", p: "/products", s: "/segments", w: "/workflows" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return close(event);
    if (event.target.closest("[data-search]")) return walkHits(event);
    if (event.target.closest(".search-hits")) return walkHits(event);
    if (typing(event.target) || one("dialog[open]")) return;
    if (going && places[event.key]) { location.href = places[event.key]; return; }
    going = event.key === "g";
    if (going) setTimeout(() => { going = false; }, 1200);
    const act = { "/": search, "?": () => one("#keys")?.showModal(), f: filter, x: pick, ArrowDown: () => walk(1), ArrowUp: () => walk(-1), j: () => walk(1), k: () => walk(-1), Enter: () => enter(event) }[event.key] ?? keyed(event.key);
    if (act && act(event) !== false) event.preventDefault();
  });
  const keyed = (key) => { const place = /^[a-z]$/.test(key) && one(`[data-key="${key}"]`); return place && (() => place.click()); };
  const close = (event) => {
    for (const menu of all("[data-menu][open]")) { menu.open = false; one("summary", menu).focus(); }
    if (event.target.closest("[data-search]")) event.target.blur();
    hideTip();
  };
  const search = () => { const field = one("[data-search]"); field?.focus(); field?.select(); };
  const filter = () => { const menu = one(".filter"); if (!menu) return false; menu.open = true; one("summary", menu).focus(); };
  const rows = () => all("[data-row]");
  const here = () => one("[data-row].here");
  const walk = (step) => {
    const list = rows();
    if (!list.length || document.activeElement.closest("[data-chart]")) return false;
    const next = list[Math.min(list.length - 1, Math.max(0, list.indexOf(here()) + step))] ?? list[0];
    here()?.classList.remove("here");
    next.classList.add("here");
    (one("[data-row-link]", next) ?? next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const enter = (event) => {
    if (!here() || event.target.closest("a, button, summary, input")) return false;
    one("[data-row-link]", here())?.click();
  };
  const pick = () => { const box = here() && one("[data-select-row]", here()); if (!box) return false; box.click(); };
  const walkHits = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [one("[data-search]"), ...all(".search-hits a")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    stops[Math.min(stops.length - 1, Math.max(0, stops.indexOf(document.activeElement) + step))]?.focus();
    event.preventDefault();
  };

  // Selection: the bar says how many, or that all that match are meant.
  const showSelection = (form) => {
    const bar = one("[data-selection-bar]", form);
    if (!bar) return;
    const boxes = all("[data-select-row]", form);
    const picked = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr").classList.toggle("picked", box.checked);
    bar.hidden = !picked.length;
    const label = one("[data-selection-count]", bar);
    label.textContent = picked.length === 1 ? label.dataset.one : label.dataset.many.replace("%s", picked.length);
    const head = one("[data-select-page]", form);
    head.checked = picked.length === boxes.length;
    head.indeterminate = picked.length > 0 && !head.checked;
    if (!picked.length && one("[data-select-everything]", bar)) one("[data-select-everything]", bar).checked = false;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-selection]");
    if (!form) return;
    if (event.target.matches("[data-select-page]")) for (const box of all("[data-select-row]", form)) box.checked = event.target.checked;
    if (event.target.matches("[data-select-everything]") && event.target.checked) for (const box of all("[data-select-row]", form)) box.checked = true;
    showSelection(form);
  });
  document.addEventListener("submit", (event) => {
    const typed = event.submitter?.closest(".filter-body")?.querySelector("[data-action-input]");
    if (typed) one("input[name=input]", event.target).value = typed.value;
  });
  // Empty fields stay out of the address.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches?.("[data-list-form]")) return;
    const parameters = event.detail.parameters;
    for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
    const columns = all("input[name=columns]", event.target);
    if (columns.every((box) => box.checked === box.defaultChecked) && !new URLSearchParams(location.search).has("columns")) delete parameters.columns;
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-list-form]")) return;
    for (const field of all("input", event.target)) if (!field.value || field.name === "columns") field.disabled = true;
  }, true);
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-narrow]")) return;
    event.stopPropagation();
    const text = event.target.value.trim().toLocaleLowerCase();
    for (const choice of all(".filter-choice", event.target.closest("fieldset"))) choice.hidden = !choice.textContent.toLocaleLowerCase().includes(text);
  }, true);

  // Definitions on hover and focus
  let tip = null;
  const hideTip = () => { tip?.remove(); tip = null; };
  const showTip = (event) => {
    const button = event.target.closest?.("[data-tip]");
    hideTip();
    if (!button) return;
    tip = document.createElement("div");
    tip.className = "tip-body";
    tip.textContent = button.dataset.tip;
    document.body.append(tip);
    const box = button.getBoundingClientRect();
    tip.style.top = `${box.bottom + scrollY + 6}px`;
    tip.style.left = `${Math.max(8, Math.min(box.left + scrollX - 20, innerWidth - tip.offsetWidth - 8))}px`;
  };
  document.addEventListener("mouseover", showTip);
  document.addEventListener("focusin", showTip);
  document.addEventListener("focusout", hideTip);

  // Charts load their library only where there is one, and only when it comes near the window.
  const script = (source) => new Promise((done, fail) => {
    const tag = Object.assign(document.createElement("script"), { src: source, onload: done, onerror: fail });
    document.head.append(tag);
  });
  let library = null;
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((seen) => seen.isIntersecting)) {
      near.unobserve(entry.target);
      library ??= script(document.body.dataset.charts).then(() => script(document.body.dataset.chartsCode));
      library.then(() => window.regularsChart(entry.target));
    }
  }, { rootMargin: "200px" });
  const watchCharts = (root) => { for (const chart of all("[data-chart]", root)) near.observe(chart); };
  watchCharts(document);
  document.addEventListener("htmx:load", (event) => watchCharts(event.target));
})();
