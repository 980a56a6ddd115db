// The builder of segments: what a mouse and a keyboard add to forms that work without it.
"use strict";
(() => {
  const tree = document.getElementById("tree");
  const save = document.getElementById("save");
  const PAUSE = 250; // milliseconds without a letter, after which what was typed is sent

  // Moves are sent one after the other, and only the answer to the newest is shown: none overwrites what was done since.
  // Each says which state of the draft was seen: the one that the newest answer gave; of a text, the one that it was the text of.
  let last = Promise.resolve();
  let waiting = 0;
  let turn = 0; // a new one begins where the draft was changed elsewhere: what was done on the old page and still waits is not sent
  const post = (values, show) => {
    waiting += 1;
    const mine = turn;
    last = last.then(async () => {
      if (mine !== turn) return;
      if (values.do !== "write") values.state = save.elements.state.value;
      const answer = await fetch(location.pathname, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams(values) });
      if (answer.redirected) return location.reload();
      const isStale = answer.status === 409;
      if (!answer.ok && !isStale) throw new Error(answer.statusText);
      const html = await answer.text();
      if (values.do !== "describe") save.elements.state.value = /name="state" value="(\w+)"/.exec(html)[1];
      if (isStale) begin();
      if (waiting === 1 || isStale) show(html);
    }).catch(() => { tree.querySelector(".builder-problem").textContent = tree.dataset.lost; }).finally(() => { waiting -= 1; });
    return last;
  };

  let typedIn = ""; // the field of which the newest move is a letter: the next letter goes on with it
  let pending = null;
  const begin = () => {
    document.activeElement.blur();
    clearTimeout(pending?.timer);
    pending = null;
    typedIn = "";
    turn += 1;
  };
  const send = (form, more, after = () => {}) => {
    flush();
    typedIn = "";
    post({ ...Object.fromEntries(new FormData(form)), ...more }, (html) => { close(); show(html); after(); });
  };
  const flush = () => {
    if (!pending) return;
    const { form, name } = pending;
    clearTimeout(pending.timer);
    pending = null;
    const field = `${form.dataset.place} ${name}`;
    const values = { ...Object.fromEntries(new FormData(form)), "goes-on": typedIn === field ? "yes" : "" };
    typedIn = field;
    post(values, show);
  };
  const typed = (form, name) => {
    if (pending && (pending.form !== form || pending.name !== name)) flush();
    clearTimeout(pending?.timer);
    pending = { form, name, timer: setTimeout(flush, PAUSE) };
  };

  // An answer is put in without touching what is the same: neither the focus, nor an open list, nor what is being typed goes.
  const OWN = new Set(["open", "aria-expanded", "aria-controls", "aria-activedescendant"]);
  const isSame = (old, fresh) => old.nodeName === fresh.nodeName && old.name === fresh.name && old.type === fresh.type;
  const morph = (old, fresh) => {
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    for (const [place, node] of after.entries()) {
      const held = before[place];
      if (!held) old.append(node);
      else if (!isSame(held, node)) held.replaceWith(node);
      else if (held.nodeType === Node.TEXT_NODE) { if (held.data !== node.data) held.data = node.data; }
      else if (held.nodeType === Node.ELEMENT_NODE) renew(held, node);
    }
    for (const node of before.slice(after.length)) node.remove();
  };
  const renew = (held, node) => {
    if (held.name === "state" && document.activeElement.matches("textarea") && document.activeElement.form === held.form) return;
    if ("keep" in held.dataset && held.id !== node.id) held.textContent = "";
    for (const { name } of [...held.attributes]) if (!OWN.has(name) && !node.hasAttribute(name)) held.removeAttribute(name);
    for (const { name, value } of node.attributes) if (!OWN.has(name) && held.getAttribute(name) !== value) held.setAttribute(name, value);
    if (!("keep" in node.dataset)) morph(held, node);
    if (held.matches("input, textarea") && held === document.activeElement) return;
    if (held.matches("input, textarea, select") && held.value !== node.value) held.value = node.value;
  };
  const show = (html) => {
    const fresh = document.createElement("section");
    fresh.innerHTML = html;
    const field = document.activeElement;
    const place = field.closest?.(".node")?.dataset.place;
    morph(tree, fresh);
    htmx.trigger(document.body, "counted");
    if (document.activeElement === document.body && field.name) {
      const again = [...node(place)?.querySelectorAll(`[name="${CSS.escape(field.name)}"]`) ?? []].find((one) => one.type !== "submit" || one.value === field.value);
      if (again && field.matches("input:not([type=date])")) again.value = field.value;
      again?.focus({ preventScroll: true });
    }
  };
  const node = (place) => place === undefined ? null : tree.querySelector(`.node[data-place="${place}"]`);
  const close = () => { for (const menu of tree.querySelectorAll("[data-menu][open]")) menu.open = false; };

  // Where the eye is after a move: the row that was made or moved.
  const follow = (form, button) => () => {
    const part = /^(.*\.)?(\d+)\.(up|down|drop)$/.exec(button?.name ?? "");
    const added = /^(.*)\.add$/.exec(button?.name ?? "");
    let field = null;
    if (part?.[3] === "drop") field = form.querySelector(`[name="${part[1]}add"]`);
    else if (part) {
      const there = `${part[1]}${Number(part[2]) + (part[3] === "up" ? -1 : 1)}.`;
      field = form.querySelector(`[name="${there}${part[3]}"]:enabled`) ?? form.querySelector(`[name="${there}up"]:enabled, [name="${there}down"]:enabled`);
    } else if (added) field = [...form.querySelectorAll(`select[name^="${added[1]}."]`)].filter((one) => /\.(field|absent)$/.test(one.name)).filter((one) => one.name.split(".").length === added[1].split(".").length + 2).at(-1);
    else if (button?.name === "do" && button.value !== "undo" && button.value !== "redo") {
      const at = node(tree.querySelector("[data-focus]")?.dataset.focus);
      field = button.value.startsWith("add-") ? at?.querySelector("select, input:not([type=hidden])") : at?.querySelector(":scope > .node-menu > summary, :scope > .node-head > .node-menu > summary");
      if (!field && document.activeElement === document.body) field = tree.querySelector(".node-add button");
    }
    field?.focus();
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-move]")) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter?.name ? event.submitter : null;
    send(form, button ? { [button.name]: button.value } : {}, follow(form, button));
  }, true);
  document.addEventListener("change", (event) => {
    const field = event.target;
    const form = field.closest("[data-leaf]");
    if (!form) return;
    if (field.matches("[data-more]")) return add(field, field.value);
    if (field.matches("select")) return send(form, { changed: field.name });
    if (pending) flush();
  });
  document.addEventListener("input", (event) => {
    const field = event.target;
    const form = field.closest("[data-leaf]");
    if (form && field.matches("input:not([data-more]), textarea")) typed(form, field.name);
    if (field.matches("[data-values]")) offer(field, field.value);
    if (field.matches("[data-describe]")) {
      clearTimeout(field.timer);
      field.timer = setTimeout(() => post({ ...Object.fromEntries(new FormData(save)), do: "describe" }, () => {}), PAUSE);
    }
  });

  // What is being typed is kept before it is saved.
  save.addEventListener("submit", async (event) => {
    if (!pending && !waiting) return;
    event.preventDefault();
    flush();
    await last;
    save.requestSubmit(event.submitter);
  }, true);

  // Values are completed from the data; the newest question counts.
  const list = document.createElement("ul");
  list.id = "values";
  list.className = "values";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", tree.dataset.values);
  document.body.append(list);
  let field = null;
  let asked = 0;
  const offer = async (input, starts) => {
    asked += 1;
    const mine = asked;
    const answer = await fetch(`/segment-drafts/values?${new URLSearchParams({ of: input.dataset.values, starts })}`);
    const html = answer.ok ? await answer.text() : "";
    if (mine !== asked || document.activeElement !== input) return;
    field = input;
    list.innerHTML = html;
    const options = list.children.length;
    if (!options || (options === 1 && list.firstElementChild.dataset.value === input.value)) return hide();
    const box = input.getBoundingClientRect();
    Object.assign(list.style, { insetInlineStart: `${box.left + scrollX}px`, insetBlockStart: `${box.bottom + scrollY + 4}px`, minInlineSize: `${box.width}px` });
    list.hidden = false;
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "true");
  };
  const hide = () => {
    asked += 1;
    list.hidden = true;
    field?.setAttribute("aria-expanded", "false");
    field?.removeAttribute("aria-activedescendant");
  };
  const add = (input, value, name = "more") => {
    if (!value.trim()) return;
    input.value = "";
    hide();
    send(input.form, { [input.name]: "", [input.name.replace(/more$/, name)]: value });
  };
  const choose = (option) => {
    const { value } = option.dataset;
    if (field.matches("[data-more]")) return add(field, value, "chosen");
    field.value = value;
    hide();
    send(field.form, { changed: "" });
  };
  const point = (option) => {
    for (const one of list.children) one.toggleAttribute("aria-selected", false);
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  };
  document.addEventListener("focusin", (event) => { if (event.target.matches?.("[data-values]")) offer(event.target, event.target.matches("[data-more]") ? event.target.value : ""); });
  document.addEventListener("focusout", hide);
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => { const option = event.target.closest("li"); if (option) choose(option); });
  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!input.matches?.("[data-values], [data-more]")) return;
    const here = list.hidden ? null : list.querySelector("[aria-selected=true]");
    if (event.key === "Enter" && (here || input.matches("[data-more]"))) { event.preventDefault(); return here ? choose(here) : add(input, input.value); }
    if (list.hidden) return;
    if (event.key === "Escape") { event.stopPropagation(); hide(); }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const options = [...list.children];
    point(options.at((options.indexOf(here) + (event.key === "ArrowDown" ? 1 : here ? -1 : 0)) % options.length));
  }, true);
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (!event.target.matches?.("[data-more]") || !text.trim().includes("\n")) return;
    event.preventDefault();
    add(event.target, text);
  });

  // Undo and redo by keys, outside of fields.
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.closest("input, textarea")) return;
    event.preventDefault();
    tree.querySelector(event.shiftKey ? "[data-redo]" : "[data-undo]").click();
  });

  // Dragging: a row or group before or after another, or to the end of a group; a step among those of its sequence.
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const grip = event.target.closest("[data-grip], [data-grip-step]");
    if (!grip) return;
    dragged = grip.closest(grip.matches("[data-grip]") ? ".node" : ".step");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    event.dataTransfer.setDragImage(dragged, 12, 12);
    dragged.classList.add("is-dragged");
  });
  const target = (event) => {
    const isStep = dragged?.matches(".step");
    const over = event.target.closest?.(isStep ? ".step" : ".node");
    if (!over || dragged.contains(over) || (isStep && over.closest("form") !== dragged.closest("form"))) return null;
    const box = over.getBoundingClientRect();
    const isAfter = event.clientY > box.top + box.height / 2;
    if (isStep) return { over, mark: isAfter ? "is-after" : "is-before", number: Number(over.dataset.step) + (isAfter ? 1 : 0) };
    const isRoot = !over.dataset.number;
    if ("group" in over.dataset && (isRoot || (event.clientY > box.top + 20 && event.clientY < box.bottom - 12))) return { over, mark: "is-inside", to: over.dataset.place, number: 10000 };
    return { over, mark: isAfter ? "is-after" : "is-before", to: over.dataset.parent, number: Number(over.dataset.number) + (isAfter ? 1 : 0) };
  };
  const unmark = () => { for (const one of tree.querySelectorAll(".is-before, .is-after, .is-inside")) one.classList.remove("is-before", "is-after", "is-inside"); };
  document.addEventListener("dragover", (event) => {
    unmark();
    const found = dragged && target(event);
    if (!found) return;
    event.preventDefault();
    found.over.classList.add(found.mark);
  });
  document.addEventListener("drop", (event) => {
    const found = dragged && target(event);
    if (!found) return;
    event.preventDefault();
    const form = dragged.closest("form") ?? dragged.querySelector("form");
    if (dragged.matches(".step")) send(form, { [`sequence.${dragged.dataset.step}.to`]: found.number });
    else send(form, { do: "move", to: found.to, number: found.number });
  });
  document.addEventListener("dragend", () => { unmark(); dragged?.classList.remove("is-dragged"); dragged = null; });
})();
