// The end of a session surprises nobody: it is said some minutes before, with a way to go on; and when it is there the page stays as it is, with
// all that was typed, below the question who is here.
import { logIn, logInByCertificate } from "./session.js";
import { announce, h } from "./ui/dom.js";
import { dialog } from "./ui/dialog.js";
import { button, failure } from "./ui/parts.js";
import { nowMs, time } from "./ui/text.js";

const SOON_MS = 5 * 60000;

function anew(session, said) {
  return async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    said.replaceChildren();
    try {
      await (session.method === "certificate" ? logInByCertificate() : logIn());
    } catch (e) {
      said.replaceChildren(failure(e));
    } finally {
      pressed.disabled = false;
    }
  };
}

/** {began(session or null), ended(session, elsewhere)}: elsewhere() is called by who would rather leave the page. */
export function ending() {
  let timer = 0;
  let warning = null;
  let over = null;
  const clear = () => {
    clearTimeout(timer);
    warning?.remove();
    over?.close();
    warning = over = null;
  };
  function warn(session) {
    const said = h("div");
    const act = anew(session, said);
    warning = h("div", { class: "toast ending", "data-level": "warning", role: "status" },
      h("div", null, h("p", null, "Your session ends at ", time(session.expires), ". What you have typed stays."), said), button("Log in again", { onclick: act }));
    document.getElementById("toasts").append(warning);
    announce("Your session ends in a few minutes. Log in again to go on.");
  }
  return {
    began(session) {
      clear();
      if (session) timer = setTimeout(() => warn(session), Math.max(0, new Date(session.expires) - nowMs() - SOON_MS));
    },
    ended(session, elsewhere) {
      clear();
      const said = h("div", { "aria-live": "polite" });
      over = dialog("Your session is over", [h("p", null, "The page stays as it is, with what you have typed. What it shows is not renewed until you log in."), said],
        [button("Leave this page", { onclick: elsewhere }), button("Log in again", { kind: "primary", id: "log-in", autofocus: true, onclick: anew(session, said) })], { class: "ended" });
      over.element.querySelector(".close").remove();
      over.element.addEventListener("cancel", (e) => e.preventDefault());
      const mine = over;
      over.closed.then(() => { if (over === mine) elsewhere(); }); // browsers let nobody be kept: a second Escape closes it
    },
  };
}
