// Small deeds that every page shares: copying an id, opening a dialog. Marked by data attributes, bound once.

const copy = async (button) => {
  const shown = button.parentElement.querySelector("code");
  getSelection().selectAllChildren(shown);
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.classList.add("is-copied");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("is-copied");
    button.setAttribute("aria-label", label);
  }, 1500);
};

document.addEventListener("click", (event) => {
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);

  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();

  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});
