// All pages: address below /console, name in the navigation, who may see it (no roles: everybody who is logged in), how it is fetched.
// group: where it stands in the navigation (none: not there); key: "g" and this letter go there; count: (overview) => [number, level] beside its name;
// open: needs no log-in.
const INSIDE = ["operator", "approver", "auditor"];

const openOf = (list) => [list?.length ?? 0, list?.some((i) => i.severity === "critical") ? "bad" : "warning"];

export const groups = ["Now", "Certificates", "Subscribers", "Record"];

export const pages = [
  { path: "/login", title: "Log in", open: true, load: () => import("./login.js") },
  { path: "/enroll", title: "Enrol a passkey", open: true, load: () => import("./enroll.js") },
  { path: "/", title: "Overview", group: "Now", key: "o", load: () => import("./overview.js") },
  { path: "/incidents", title: "Incidents", group: "Now", key: "n", count: (o) => openOf(o.incidents), load: () => import("./incidents.js") },
  { path: /^\/incidents\/(\d{1,18})$/, title: "Incident", under: "/incidents", load: () => import("./incident.js") },
  { path: /^\/incidents\/(\d{1,18})\/report\/(preliminary|full|delayed|closure)$/, title: "Report", under: "/incidents", load: () => import("./report.js") },
  { path: "/problems", title: "Problem desk", group: "Now", key: "p", count: (o) => [o.problems?.open ?? 0, o.problems?.unread ? "warning" : "quiet"], load: () => import("./problems.js") },
  { path: /^\/problems\/(\d{1,18})$/, title: "Problem report", under: "/problems", roles: ["operator", "auditor"], load: () => import("./problem.js") },
  { path: "/clocks", title: "Clocks", group: "Now", key: "c", load: () => import("./clocks.js") },
  { path: "/plans", title: "Approvals", group: "Now", key: "v", load: () => import("./plans.js") },
  { path: /^\/plans\/(p\d{1,20})$/, title: "Plan", under: "/plans", load: () => import("./plan.js") },
  { path: "/inventory", title: "Inventory", group: "Certificates", key: "i", load: () => import("./inventory.js") },
  { path: /^\/certificates\/([0-9a-f]{2,40})$/, title: "Certificate", under: "/inventory", load: () => import("./certificate.js") },
  { path: "/lint", title: "Lint explorer", group: "Certificates", key: "l", load: () => import("./lint.js") },
  { path: "/accounts", title: "Accounts", group: "Subscribers", key: "a", load: () => import("./accounts.js") },
  { path: /^\/accounts\/(\d{1,19})$/, title: "Account", under: "/accounts", load: () => import("./account.js") },
  { path: "/eab", title: "EAB keys", group: "Subscribers", key: "k", load: () => import("./eab.js") },
  { path: "/readiness", title: "Readiness", group: "Subscribers", key: "r", load: () => import("./readiness.js") },
  { path: /^\/readiness\/(\d{1,19})$/, title: "Subscriber", under: "/readiness", load: () => import("./subscriber.js") },
  { path: "/drills", title: "Drills", group: "Record", key: "d", load: () => import("./drills.js") },
  { path: /^\/drills\/(\d{1,18})$/, title: "Drill", under: "/drills", load: () => import("./drill.js") },
  { path: "/events", title: "Events", group: "Record", key: "e", roles: INSIDE, load: () => import("./events.js") },
  { path: "/settings", title: "Settings", group: "Record", key: "s", roles: INSIDE, load: () => import("./settings.js") },
];
