// Comfort on top of pages that work without it: keys, copy buttons, local times, tick-all.
// It never builds content and never decides anything; the strict content policy allows no inline code.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const typing = (element) => element && /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);

  const pages = { d: "/admin", w: "/admin/deliveries", o: "/admin/orders", h: "/admin/held", s: "/admin/skus",
    p: "/admin/distributors", c: "/admin/periods", l: "/admin/ledger" };
  let gone = false; // "g" was pressed and waits for the page's letter

  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || typing(document.activeElement)) return;
    if (gone) {
      gone = false;
      if (pages[press.key]) location.assign(pages[press.key]);
      return;
    }
    if (press.key === "/") {
      press.preventDefault();
      document.getElementById("search")?.select();
    } else if (press.key === "?") {
      document.getElementById("keys")?.showModal();
    } else if (press.key === "g") {
      gone = true;
      setTimeout(() => { gone = false; }, 1200);
    }
  });

  const two = (number) => String(number).padStart(2, "0");
  const local = (at, precise) => {
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    return `${day} ${two(at.getHours())}:${two(at.getMinutes())}${precise ? ":" + two(at.getSeconds()) : ""}`;
  };

  // Times arrive as UTC; the reader sees the own zone and finds UTC in the tooltip.
  const enhance = (part) => {
    for (const time of part.querySelectorAll("time[data-local]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) time.textContent = local(at, time.dataset.local === "precise");
      time.removeAttribute("data-local");
    }
    for (const toggle of part.querySelectorAll("a.toggle")) {
      toggle.setAttribute("aria-expanded", String(toggle.closest("li").querySelector(":scope > ul") !== null));
    }
    for (const all of part.querySelectorAll("input[data-tick-all]")) {
      const boxes = () => [...all.form.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)];
      const count = all.form.querySelector("[data-ticked]");
      const show = () => {
        const ticked = boxes().filter((box) => box.checked).length;
        all.checked = ticked > 0 && ticked === boxes().length;
        all.indeterminate = ticked > 0 && !all.checked;
        if (count) count.textContent = String(ticked);
      };
      all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; show(); });
      all.form.addEventListener("change", show);
      show();
    }
  };

  document.addEventListener("click", async (click) => {
    const button = click.target.closest("[data-copy]");
    if (button) {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1200);
    }
    const opener = click.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    const toggle = click.target.closest("a.toggle");
    const open = toggle?.closest("li").querySelector(":scope > ul");
    if (open) { // a second click folds the branch that the first one loaded
      click.preventDefault();
      click.stopImmediatePropagation();
      open.remove();
      toggle.setAttribute("aria-expanded", "false");
    }
  }, true);

  document.addEventListener("change", (change) => {
    if (change.target.matches("select[data-submit]")) change.target.form.requestSubmit();
    if (change.target.matches("input[data-fills]")) { // a chosen file goes where it could have been pasted
      const text = document.getElementById(change.target.dataset.fills);
      change.target.files[0]?.text().then((content) => { text.value = content; });
    }
  });

  document.addEventListener("htmx:after:swap", () => enhance(document));
  enhance(document);
})();
