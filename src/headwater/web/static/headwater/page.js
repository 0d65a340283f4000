// Small deeds that every page shares: copying an id, dialogs, saying that a form is under way. Marked by data
// attributes, bound once. Without scripts the same forms and links lead to whole pages.

const copy = async (button) => {
  const shown = button.parentElement.querySelector("code");
  if (shown) getSelection().selectAllChildren(shown);
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.classList.add("is-copied");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("is-copied");
    if (label) button.setAttribute("aria-label", label);
    else button.removeAttribute("aria-label");
  }, 1500);
};

document.addEventListener("click", (event) => {
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);

  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    opener.closest("dialog")?.close();
    document.getElementById(opener.dataset.opens).showModal();
  }

  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});

// A dangerous button opens only once its field holds the very words. The server asks for them too.
const unlock = (field) => {
  document.getElementById(field.dataset.unlocks).disabled = field.value.trim() !== field.dataset.mustBe;
};
for (const field of document.querySelectorAll("[data-unlocks]")) {
  unlock(field);
  field.addEventListener("input", () => unlock(field));
}

// A form that waits for Salesforce: its button says so, and a second click does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.busy) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  const button = event.submitter;
  button.classList.add("btn-loading");
  button.setAttribute("aria-label", form.dataset.busy);
});

// Back in the browser's history, nothing is under way any more.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll(".btn-loading")) {
      button.classList.remove("btn-loading");
      button.removeAttribute("aria-label");
    }
  }
});

// A dialog that the page came with: the same, but over the page.
for (const dialog of document.querySelectorAll("dialog[open]")) {
  dialog.close();
  dialog.showModal();
}

// A list that is shown once, kept as a file: one line an entry.
for (const saver of document.querySelectorAll("[data-saves]")) {
  saver.addEventListener("click", () => {
    const lines = [...document.getElementById(saver.dataset.saves).children].map((entry) => entry.textContent);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
    link.download = saver.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// A part of a page that follows some work. An answer that does not hold the part must not take it from the page: an
// error leaves what is there, and the next round asks again; a log-in that ended leads to the log-in page.
document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement, response, select } = event.detail.ctx;
  if (response.raw.redirected && new URL(response.raw.url).pathname !== location.pathname) {
    event.preventDefault();
    location.assign(response.raw.url);
    return;
  }
  const asksAgain = sourceElement.getAttribute("hx-trigger")?.includes("every");
  if (response.raw.status >= 400 && (select || asksAgain)) event.preventDefault();
});
