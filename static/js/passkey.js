// What allauth's passkey script leaves unsaid: that this browser has no passkeys, and that the device did not confirm.
const buttons = document.querySelectorAll("[data-passkey]");
if (!window.PublicKeyCredential) {
  for (const button of buttons) {
    button.disabled = true;
    button.title = "This browser cannot use passkeys.";
  }
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const name = event.detail.exception?.name;
  const text =
    name === "InvalidStateError" ? "This device has a passkey for your account already."
    : name === "SecurityError" ? "Passkeys work only at the address this site was set up for."
    : "Your device did not confirm the passkey. Nothing was changed; try again.";
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "warn" } }));
});
