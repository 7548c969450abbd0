/**
 * Every way into this engine, with its policy. A route of the API that is missing here does not compile; the table test
 * (matrix.test.ts) calls every route as every role. What is no API route (files, stream, CLI) is listed by hand, and the
 * servers of those look their policy up here, so that an unlisted one cannot be served.
 */
import type { Api } from "#engine/api/contract.ts"
import { LOCAL, needs, PUBLIC, SELF, type Policy } from "#engine/access/policy.ts"

type Groups = (typeof Api)["groups"]
/** `group.endpoint` */
export type RouteName = {
  [G in keyof Groups & string]: `${G}.${keyof Groups[G]["endpoints"] & string}`
}[keyof Groups & string]

export const ROUTES: Readonly<Record<RouteName, Policy>> = {
  "signIn.create": PUBLIC,
  "signIn.ways": PUBLIC,
  "signIn.acceptInvitation": PUBLIC,
  "session.get": SELF,
  "session.remove": SELF,
  "session.leaveGrant": SELF,
  "account.password": SELF,
  "account.beginTotp": SELF,
  "account.confirmTotp": SELF,
  "account.removeTotp": SELF,
  "account.sessions": SELF,
  "account.endSession": SELF,
  "users.list": needs("users.manage"),
  "users.get": needs("users.manage"),
  "users.update": needs("users.manage"),
  "users.remove": needs("users.manage"),
  "users.resetTotp": needs("users.manage"),
  "users.signOut": needs("users.manage"),
  "users.invitations": needs("users.manage"),
  "users.invite": needs("users.manage"),
  "users.withdraw": needs("users.manage"),
  "roles.list": needs("users.manage"),
  "roles.get": needs("users.manage"),
  "roles.put": needs("roles.manage"),
  "roles.remove": needs("roles.manage"),
  "network.devices": needs("network.read"),
  "network.device": needs("network.read"),
  "network.links": needs("network.read"),
  "network.link": needs("network.read"),
  "network.sites": needs("network.read"),
  "network.deviceInterfaces": needs("network.read"),
  "network.interfaces": needs("network.read"),
  "network.adjacencies": needs("network.read"),
  "network.topology": needs("network.read"),
  "network.probes": needs("network.read"),
  "network.metrics": needs("network.read"),
  "network.status": needs("network.read"),
  "keys.list": needs("apikeys.manage"),
  "keys.create": needs("apikeys.manage"),
  "keys.revoke": needs("apikeys.manage"),
  "tokens.create": PUBLIC,
  "tokens.refresh": PUBLIC,
  "tokens.revoke": PUBLIC,
  "audit.list": needs("audit.read"),
  "audit.verify": needs("audit.read"),
  "audit.export": needs("audit.export"),
  "subscribers.reveal": needs("subscriber.view"),
  "past.history": needs("network.read"),
  "past.events": needs("network.read"),
  "replays.list": needs("replay.view"),
  "replays.get": needs("replay.view"),
  "replays.create": needs("replay.run"),
  "replays.update": needs("replay.run"),
  "replays.remove": needs("replay.run"),
  "inventory.site": needs("network.read"),
  "inventory.putSite": needs("topology.edit"),
  "inventory.removeSite": needs("topology.edit"),
  "inventory.declaredDevice": needs("network.read"),
  "inventory.createDevice": needs("devices.update"),
  "inventory.updateDevice": needs("devices.update"),
  "inventory.removeDevice": needs("devices.delete"),
  "inventory.putCredential": needs("credentials.manage"),
  "inventory.removeCredential": needs("credentials.manage"),
  "inventory.createLink": needs("topology.edit"),
  "inventory.updateLink": needs("topology.edit"),
  "inventory.removeLink": needs("topology.edit"),
  "inventory.import": needs("inventory.import"),
  "inventory.export": needs("inventory.export"),
  "alertRules.list": needs("network.read"),
  "alertRules.packs": needs("network.read"),
  "alertRules.export": needs("network.read"),
  "alertRules.get": needs("network.read"),
  "alertRules.put": needs("rules.configure"),
  "alertRules.remove": needs("rules.configure"),
  "alertRules.check": needs("rules.configure"),
  "alertRules.import": needs("rules.configure"),
  "alertRules.dryRun": needs("rules.configure"),
  "alerts.list": needs("network.read"),
  "alerts.get": needs("network.read"),
  "alerts.explain": needs("network.read"),
  "alerts.receipt": needs("network.read"),
  "alerts.acknowledge": needs("alerts.ack"),
  "alerts.withdraw": needs("alerts.ack"),
  "alerts.mute": needs("alerts.ack"),
  "alerts.unmute": needs("alerts.ack"),
  "maintenance.list": needs("network.read"),
  "maintenance.calendar": needs("network.read"),
  "maintenance.get": needs("network.read"),
  "maintenance.create": needs("maintenance.manage"),
  "maintenance.put": needs("maintenance.manage"),
  "maintenance.remove": needs("maintenance.manage"),
  "maintenance.state": needs("maintenance.manage"),
  "maintenance.end": needs("maintenance.manage"),
  "tenants.list": needs("tenants.manage"),
  "tenants.get": needs("tenants.manage"),
  "tenants.create": needs("tenants.manage"),
  "tenants.update": needs("tenants.manage"),
  "tenants.offboard": needs("tenants.manage"),
  "tenants.enter": needs("tenants.manage"),
  "tenants.quotas": needs("tenants.manage"),
  "tenants.setQuotas": needs("tenants.manage"),
  "settings.get": needs("tenant.settings"),
  "settings.put": needs("tenant.settings"),
  "settings.quotas": needs("quotas.view"),
}

/** Paths that are no part of the API. `/metrics` may also be read with its own token. */
export const FILES = {
  "/metrics": needs("platform.config"),
  "/openapi.json": SELF,
  "/api/docs": SELF,
  "/basemap.pmtiles": SELF,
  "/healthz": PUBLIC,
  "/oidc/start": PUBLIC,
  "/oidc/callback": PUBLIC,
  "/stream": needs("network.read"),
} as const satisfies Readonly<Record<string, Policy>>

/** `/stream?replay=ID`, besides what `/stream` itself needs. */
export const REPLAY_STREAM = needs("replay.view")

/** What a viewer may say on the stream. */
export const STREAM_COMMANDS = {
  HELLO: needs("network.read"),
  SUB: needs("network.read"),
  PING: needs("network.read"),
} as const satisfies Readonly<Record<string, Policy>>

/**
 * Commands of `heliograph`. LOCAL ones work with the data directory, or its socket, of whoever owns it; a command that is
 * missing here does not compile (engine/cli/command.ts). `api` proves itself to the API by a key.
 */
export const CLI = {
  start: LOCAL,
  import: LOCAL,
  status: LOCAL,
  device: LOCAL,
  probe: LOCAL,
  config: LOCAL,
  "audit-rls": LOCAL,
  audit: LOCAL,
  "prove-isolation": LOCAL,
  tenant: LOCAL,
  vault: LOCAL,
  backup: LOCAL,
  restore: LOCAL,
  replay: LOCAL,
  rules: LOCAL,
  "verify-receipt": LOCAL,
  api: PUBLIC,
} as const satisfies Readonly<Record<string, Policy>>
