// Passkeys, in the page: makes one, or has one sign the decision that the form is about.
// The server says what to ask for, in the form's data; what the browser gives goes back as JSON.
"use strict";

const SIGNS = {
  enrol: (options) => navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }),
  approve: (options) => navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  }),
};

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter;
  const act = button?.dataset.passkey;
  if (!act || form.dataset.signed) return;
  event.preventDefault();
  const said = form.querySelector("[data-said]");
  said.textContent = "Waiting for your passkey.";
  try {
    const given = await SIGNS[act](JSON.parse(form.dataset.options));
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "credential", value: JSON.stringify(given) });
    form.append(field);
    form.dataset.signed = "yes";
    form.requestSubmit(button);
  } catch (error) {
    said.textContent = `Nothing was sent: ${error.message || error.name}`;
  }
});
