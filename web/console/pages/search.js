// What somebody typed to find a certificate, read as what it most likely is.

const plainHex = (text) => text.replace(/[\s:]/g, "").toLowerCase();
const isHex = (text) => /^[0-9a-f]+$/.test(text);

/** {kind, params (of GET certificates), words}. kind "nothing": nothing was typed. */
export function subjectOf(typed) {
  const text = typed.trim();
  const hex = plainHex(text.replace(/^0x/i, ""));
  if (!text) return { kind: "nothing", params: {}, words: "" };
  const quoted = /^"(.+)"$/.exec(text);
  if (quoted) return { kind: "name", params: { name: quoted[1] }, words: `exactly the name ${quoted[1]}` };
  if (/^\d{1,19}$/.test(text)) return { kind: "account", params: { account: text }, words: `the account ${text}` };
  if (isHex(hex) && hex.length === 64) return { kind: "hash", params: { sha256: hex }, words: "a fingerprint (SHA-256), or that of a key" };
  if (isHex(hex) && hex.length >= 14 && hex.length <= 40) return { kind: "serial", params: { serial: hex.length % 2 ? "0" + hex : hex }, words: "a serial number" };
  if (text.includes("@") || text.includes(":") || /^\d+(\.\d+){3}$/.test(text) || text.startsWith("*.")) return { kind: "name", params: { name: text }, words: `exactly the name ${text}` };
  const name = text.replace(/^\.+/, "").toLowerCase();
  return { kind: "suffix", params: { suffix: name }, words: `the name ${name} and all below it` };
}
