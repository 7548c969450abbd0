/**
 * A body for every route that takes one, as small as its schema allows, so that a refusal is one of access and not of
 * form. A route without a row here fails the matrix by its name. None of them changes what the matrix needs later:
 * passwords and codes in them are wrong, ids are nobody's.
 */
const NOBODY = "018f0000-0000-7000-8000-00000000dead"
const DEVICE = {
  name: "matrix",
  address: "127.0.99.1",
  site: "nowhere",
  roles: ["core"],
  pollSeconds: 60,
  pingSeconds: 0,
}
const LINK = { a: { device: NOBODY, interface: "e1" }, b: { device: NOBODY, interface: "e2" }, capacityBps: null }

const WINDOW = {
  kind: "maintenance",
  title: "matrix",
  note: "",
  scope: { by_device_ids: [NOBODY] },
  sparesCritical: false,
  startsAtMs: 1,
  durationSeconds: 60,
  recurrence: { every: "never" },
  timeZone: "UTC",
  untilMs: null,
}

export const BODIES: Readonly<Record<string, unknown>> = {
  "signIn.create": { user: "nobody-of-the-matrix", password: "wrong-password" },
  "signIn.acceptInvitation": { token: "hgi_x", name: "nobody", password: "long-enough-password" },
  "account.password": { password: "wrong-password", newPassword: "another-long-password" },
  "account.beginTotp": { password: "wrong-password" },
  "account.confirmTotp": { code: "000000" },
  "account.removeTotp": { password: "wrong-password", code: "000000" },
  "users.update": {},
  "users.resetTotp": undefined,
  "users.signOut": undefined,
  "users.invite": { note: "matrix", roles: ["viewer"] },
  "roles.put": { permissions: ["network.read"] },
  "keys.create": { name: "matrix", scope: ["network.read"], days: 1 },
  "tokens.create": { user: "nobody-of-the-matrix", password: "wrong-password" },
  "tokens.refresh": { refreshToken: "hgr_x" },
  "tokens.revoke": { refreshToken: "hgr_x" },
  "audit.export": { fromMs: 0, toMs: 1 },
  "subscribers.reveal": { pseudonym: "nobody", reason: "matrix" },
  // The future, so that no thread starts.
  "replays.create": { fromMs: 8_000_000_000_000_000 },
  "replays.update": { playing: false },
  "replays.branch": {},
  "replays.hear": { faults: [] },
  "replays.whatIf": { faults: [{ kind: "router", device: NOBODY }] },
  "inventory.putSite": { name: "matrix", latitude: 1, longitude: 2 },
  "inventory.createDevice": DEVICE,
  "inventory.updateDevice": {},
  "inventory.putCredential": { community: "matrix-community" },
  "inventory.createLink": LINK,
  "inventory.updateLink": { capacityBps: null },
  "inventory.import": { document: { sites: [], devices: [], links: [] } },
  // With mistakes, so that none is kept.
  "alertRules.put": { id: "matrix" },
  "alertRules.check": { rule: {} },
  "alertRules.import": { mode: "merge", rules: [], dryRun: true },
  // Nothing lies between, so that no thread starts.
  "alertRules.dryRun": { rules: [], fromMs: 1, toMs: 0 },
  "alerts.acknowledge": { minutes: 1 },
  "alerts.mute": { minutes: 1, note: "matrix" },
  "incidents.acknowledge": { minutes: 1 },
  "incidents.assign": { user: null },
  "incidents.note": { text: "matrix" },
  "incidents.escalate": { note: "matrix" },
  "incidents.close": { note: "matrix" },
  "incidents.confirm": { members: [{ fault: "link", kind: "link", id: NOBODY, name: "matrix" }], note: "" },
  "whatIf.ask": { faults: [{ kind: "router", device: NOBODY }] },
  "topologyProposals.accept": {},
  "topologyProposals.reject": { note: "matrix" },
  "topologyProposals.acceptRole": {},
  "topologyProposals.rejectRole": { note: "matrix" },
  // Members that are nobody's: refused.
  "structure.putSrlg": { name: "matrix", kind: "duct", links: [NOBODY], sites: [] },
  "structure.putDependencyGroup": {
    name: "matrix",
    mode: "any",
    k: 1,
    devices: [NOBODY],
    links: [],
    dependants: [NOBODY],
  },
  "structure.putProvider": { name: "matrix", kind: "transit", devices: [NOBODY], links: [] },
  "structure.putService": { name: "matrix", kind: "dns", devices: [NOBODY], links: [], sites: [], providers: [] },
  // Over before it is planned: refused.
  "maintenance.create": WINDOW,
  "maintenance.put": WINDOW,
  "maintenance.state": { state: "canceled" },
  "maintenance.end": undefined,
  "tenants.create": { slug: "Not A Slug", name: "matrix" },
  "tenants.update": {},
  "tenants.offboard": { confirm: "not-the-slug", reason: "matrix" },
  "tenants.enter": { reason: "matrix", minutes: 1 },
  "tenants.setQuotas": {},
  "settings.put": {
    retentionDays: { samples: 1, events: 1, journal: 1 },
    subscriberIdentities: false,
    subscriberDays: 7,
    sessionHours: 12,
  },
}

/** Of routes whose payload or query is more than a body: what follows the path. */
export const QUERIES: Readonly<Record<string, string>> = {
  "past.history": "?device=018f0000-0000-7000-8000-00000000dead&metric=device.up",
  "inventory.import": "?dryRun=true",
  "maintenance.calendar": "?from=0&to=1",
  "whatIf.paths": `?from=${NOBODY}&to=${NOBODY}`,
  "structure.sitesNear": "?latitude=1&longitude=2&km=1",
}

export const NOBODY_ID = NOBODY
