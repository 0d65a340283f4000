// Ties the one passkey button of a page to allauth's ceremony, which its form names, and tells what went wrong.

const refused = document.getElementById("passkey-refused");

const reason = (error) => {
  if (error.name === "NotAllowedError") return "It was cancelled, or took too long. Try again.";
  if (error.name === "InvalidStateError") return "This device is registered already.";
  if (error.name === "SecurityError") return "Browsers give passkeys to https addresses with a name, and to localhost.";
  return error.message;
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  refused.querySelector("span").textContent = reason(event.detail.exception);
  refused.hidden = false;
});

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button").id;
  const ids = {
    add: button,
    authenticate: button,
    login: button,
    credential: "id_credential",
    passwordless: "id_passwordless",
    data: "passkey-data",
  };
  window.allauth.webauthn.forms[form.dataset.passkey]({ ids });
}
