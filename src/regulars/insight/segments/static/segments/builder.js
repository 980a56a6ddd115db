// The builder of segments: what a mouse and a keyboard add to forms that work without it.
"use strict";
(() => {
  const tree = () => document.getElementById("tree");
  const send = (values) => htmx.ajax("POST", location.pathname, { target: "#tree", swap: "innerHTML settle:0ms", values });

  // A row sends itself at every change; adding and taking away a filter are such changes.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add-filter], [data-drop]");
    if (!button) return;
    const values = Object.fromEntries(new FormData(button.form));
    send({ ...values, do: "set", ...(button.dataset.drop ? { "drop-filter": button.dataset.drop } : { "add-filter": "1" }) });
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const { parameters, triggeringEvent } = event.detail;
    if (!event.target.matches?.("[data-leaf]") || parameters.do) return;
    parameters.do = "set";
    parameters.change = triggeringEvent?.target?.name ?? "";
  });

  // After each change the count is asked anew, and the focus stays where it was.
  let focus = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "tree") return;
    const field = document.activeElement;
    focus = { place: field.closest?.(".node")?.dataset.place, name: field.name, value: field.type === "submit" ? field.value : null };
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "tree") return;
    htmx.trigger(document.body, "counted");
    if (!focus?.name) return;
    const near = tree().querySelector(`.node[data-place="${focus.place}"]`) ?? tree();
    const field = [...near.querySelectorAll(`[name="${focus.name}"]`)].find((one) => !focus.value || one.value === focus.value);
    field?.focus({ preventScroll: true });
  });

  // Values are completed from the data.
  document.addEventListener("focusin", async (event) => {
    const of = event.target.dataset?.values;
    if (!of || event.target.list) return;
    const list = document.createElement("datalist");
    list.id = `values-${of.replace(".", "-")}-${Math.random().toString(36).slice(2)}`;
    event.target.after(list);
    event.target.setAttribute("list", list.id);
    const answer = await fetch(`/segment-drafts/values?of=${encodeURIComponent(of)}`);
    if (answer.ok) list.innerHTML = await answer.text();
  });

  // Undo and redo by keys, outside of fields.
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.closest("input, textarea")) return;
    event.preventDefault();
    document.querySelector(event.shiftKey ? "[data-redo]" : "[data-undo]")?.click();
  });

  // Dragging: before the node above whose middle it is dropped, or at the end of a group.
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    if (!event.target.closest("[data-grip]")) return;
    dragged = event.target.closest(".node");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.place);
    dragged.classList.add("is-dragged");
  });
  const target = (event) => {
    const node = event.target.closest?.(".node");
    if (!dragged || !node || dragged.contains(node)) return null;
    const box = node.getBoundingClientRect();
    const isAfter = event.clientY > box.top + box.height / 2;
    const isInside = "group" in node.dataset && (!node.dataset.parent && !node.dataset.number || event.clientY > box.top + 36 && event.clientY < box.bottom - 12);
    if (isInside) return { node, to: node.dataset.place, number: 10000 };
    return { node, to: node.dataset.parent, number: Number(node.dataset.number) + (isAfter ? 1 : 0) };
  };
  document.addEventListener("dragover", (event) => {
    for (const marked of document.querySelectorAll(".is-target")) marked.classList.remove("is-target");
    const found = target(event);
    if (!found) return;
    event.preventDefault();
    found.node.classList.add("is-target");
  });
  document.addEventListener("drop", (event) => {
    const found = target(event);
    if (!found) return;
    event.preventDefault();
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    send({ do: "move", place: dragged.dataset.place, to: found.to, number: found.number, csrfmiddlewaretoken: token });
  });
  document.addEventListener("dragend", () => { dragged?.classList.remove("is-dragged"); dragged = null; });
})();
