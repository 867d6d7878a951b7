// The page of an enrolment link: a passkey becomes an operator's. The link's secret is behind the "#", which browsers send to nobody.
import { enroll, logIn, readLink } from "../session.js";
import { button, card, failure, h, head, linkButton } from "../ui.js";

let secret = ""; // out of the address as soon as it is read: it does not stay in the history

function takeSecret() {
  if (location.hash.length > 1) {
    secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }
  return secret;
}

function done(made, ctx, said) {
  const enter = button("Log in with it", { kind: "primary", id: "log-in", onclick: async () => {
    enter.disabled = true;
    try {
      await logIn();
      ctx.navigate("/console/", { replace: true });
    } catch (e) {
      said.replaceChildren(failure(e));
      enter.disabled = false;
    }
  } });
  return [h("p", null, "The passkey is now ", h("strong", null, made.operator), "’s. The link is used up."), h("p", { class: "actions" }, enter), said];
}

export async function show(ctx) {
  let link;
  try {
    link = readLink(takeSecret());
  } catch (e) {
    return h("div", null, head("Enrol a passkey"), failure(e), h("p", null, "A new link is made on the CA’s machine:"),
      h("pre", { tabindex: "0" }, h("code", null, "lintel operator passkey YOUR-NAME")), linkButton("To the log-in", "/console/login"));
  }
  const said = h("div", { "aria-live": "polite" });
  const body = h("div");
  const go = button("Make a passkey", { kind: "primary", id: "enroll", onclick: async () => {
    go.disabled = true;
    said.replaceChildren();
    try {
      const made = await enroll(secret);
      secret = "";
      body.replaceChildren(...done(made, ctx, said));
      body.querySelector("button").focus();
    } catch (e) {
      said.replaceChildren(failure(e));
      go.disabled = false;
      go.focus();
    }
  } });
  body.replaceChildren(h("p", null, "Your browser will ask where to keep it: this device, a phone, or a security key. It must recognise you (a PIN, a finger, a face), "
    + "because a passkey logs you in and approves what cannot be undone."), h("p", { class: "actions" }, go), said);
  return h("div", null, head("Enrol a passkey", { text: `For the operator ${link.operator}, on ${location.hostname}.` }), card(`${link.operator}’s passkey`, body));
}
