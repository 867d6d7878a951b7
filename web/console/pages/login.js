// Logging in. Nobody types a name: the passkey knows whose it is.
import { logIn, logInByCertificate } from "../session.js";
import { button, card, failure, h, head } from "../ui.js";

/** Where to afterwards: an address of the console, and none elsewhere. */
function next(ctx) {
  const wanted = ctx.params.get("next") ?? "/";
  return /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? "/console" + wanted : "/console/";
}

/** Tries, with the button at rest meanwhile; what went wrong is said below. */
function attempt(act, ctx, said) {
  return async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    said.replaceChildren();
    try {
      await act();
      ctx.navigate(next(ctx), { replace: true });
    } catch (e) {
      said.replaceChildren(failure(e));
      pressed.disabled = false;
      pressed.focus();
    }
  };
}

/** Passkeys are bound to a name: an address of numbers has none. */
function elsewhere() {
  if (!/^(\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(location.hostname)) return null;
  const url = new URL(location.href);
  url.hostname = "localhost";
  return h("p", null, "Passkeys do not work on an address of numbers. Open ", h("a", { href: url.href }, url.host), " instead.");
}

export async function show(ctx) {
  const said = h("div", { "aria-live": "polite" });
  const byPasskey = button("Log in with a passkey", { kind: "primary", id: "log-in", onclick: attempt(logIn, ctx, said) });
  const byCertificate = location.protocol === "https:"
    ? button("Use my client certificate", { id: "log-in-certificate", onclick: attempt(logInByCertificate, ctx, said) }) : null;
  return h("div", null, head("Log in", { text: "Your passkey says who you are. It is asked for again whenever you approve something." }),
    card("This browser", [elsewhere(), h("p", { class: "actions" }, byPasskey, byCertificate), said]),
    card("No passkey yet?", [h("p", null, "Whoever has root on the CA's machine makes you a link, which is good once and for a day:"),
      h("pre", { tabindex: "0" }, h("code", null, "lintel operator passkey YOUR-NAME"))]));
}
