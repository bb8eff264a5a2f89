/* Ties the buttons of the pages about passkeys to allauth's scripts; the pages hold no script of their own. */
document.addEventListener("DOMContentLoaded", () => {
  const forms = window.allauth.webauthn.forms;
  const ids = { credential: "id_credential", data: "js_data" };
  if (document.getElementById("webauthn_add")) {
    forms.addForm({ ids: { ...ids, add: "webauthn_add" } });
  }
  if (document.getElementById("webauthn_use")) {
    forms.authenticateForm({ ids: { ...ids, authenticate: "webauthn_use" } });
  }
});
