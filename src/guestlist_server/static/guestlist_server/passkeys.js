/* A passkey that did not come about is said in the page, not in the console. */
document.addEventListener("allauth.error", (event) => {
  const shown = document.querySelector("[data-passkey-error]");
  if (!shown) return;
  event.preventDefault();
  shown.hidden = true;
  requestAnimationFrame(() => { shown.hidden = false; });
});
