/**
 * The fixture's people, keys, audit, tenants, quotas and settings: a small memory behind the REST contracts, so that the
 * screens can be driven without the engine. The user's name is its role: "viewer" signs in as a viewer. Tests only.
 */
import { isUserRole, PERMISSIONS, permissionsOf, ROLE_PERMISSIONS, USER_ROLES } from "#protocol/permission.ts"
import type {
  ApiKey,
  AuditEntry,
  Invitation,
  Quota,
  Role,
  Session,
  TenantRow,
  TenantSettings,
  User,
} from "#protocol/rest-generated.ts"

/** What a handler answers; `problem` is the last word of the problem's type. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
export interface Ask {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  /** Who asks. */
  readonly user: string
  /** What the writer believes to change; null = says nothing. */
  readonly ifMatch: string | null
}
export type Handler = (ask: Ask, parts: readonly string[]) => Reply
export type Table = readonly (readonly [method: string, path: RegExp, handle: Handler])[]

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  body,
  headers,
})
export const DONE: Reply = { status: 204 }
export const problem = (status: number, kind: string, more: Readonly<Record<string, unknown>> = {}): Reply => ({
  status,
  body: { type: `urn:heliograph:${kind}`, title: kind, status, ...more },
})

const HOUR = 3_600_000
const DAY = 24 * HOUR
export const TOTP_CODE = "123456"
const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

export interface Doors {
  readonly session: (user: string) => Session
  readonly table: Table
  readonly audit: AuditEntry[]
}

/** `admin` has everything; `enrol` must set up a second factor; `inside` has entered another tenant. */
const rolesOf = (user: string): readonly string[] => (isUserRole(user) ? [user] : ["platform_admin", "tenant_admin"])

export const makeDoors = (nowMs: number, home: { readonly name: string; readonly demo: boolean }): Doors => {
  const enrolled = new Set<string>()
  let grant: Session["grant"] = null
  const users: User[] = ["admin", ...USER_ROLES].map((name, at) => ({
    id: `u-${name}`,
    name,
    roles: rolesOf(name),
    sites: name === "technician" ? ["sap", "cam"] : null,
    disabled: name === "auditor",
    secondFactor: at < 3,
    createdMs: nowMs - at * DAY,
    lastSignInMs: at === 5 ? null : nowMs - at * 3 * HOUR,
  }))
  const invitations: Invitation[] = []
  const custom = new Map<string, Role>([
    ["field-lead", roleOf("field-lead", false, ["network.read", "diagnostics.run", "maintenance.manage"], 1)],
  ])
  const required = new Set<string>(["platform_admin"])
  const keys: ApiKey[] = [
    keyOf("k1", "grafana", nowMs),
    { ...keyOf("k2", "old-billing", nowMs), expiresMs: nowMs - DAY },
  ]
  const tenants = new Map<string, TenantRow>(
    [
      { slug: "norte-fibra", name: home.name, tier: "medium" as const, devices: 60 },
      { slug: "sul-telecom", name: "Sul Telecom", tier: "small" as const, devices: 12 },
      { slug: "ilha-net", name: "Ilha Net", tier: "large" as const, devices: 4_210 },
    ].map((row, at) => [row.slug, tenantOf(row, at, nowMs)]),
  )
  let settings: TenantSettings = {
    retentionDays: { samples: 90, events: 365, journal: 30 },
    subscriberIdentities: false,
    subscriberDays: 14,
    sessionHours: 12,
  }
  const quotas = new Map(QUOTAS.map((quota) => [quota.name, quota]))
  const audit: AuditEntry[] = fixtureAudit(nowMs)
  const act = (user: string, action: string, name: string, before: AuditEntry["before"], after: AuditEntry["after"]) =>
    audit.unshift(entryOf(audit.length + 1, Date.now(), user, action, name, before, after))

  const session = (user: string): Session => ({
    user: { id: `u-${user}`, name: user },
    tenant:
      grant === null
        ? { id: "t1", slug: "norte-fibra", name: home.name, demo: home.demo }
        : { id: "t2", slug: "sul-telecom", name: "Sul Telecom", demo: false },
    roles: rolesOf(user),
    permissions: grant === null ? permissionsOf(rolesOf(user)) : ["network.read"],
    sites: null,
    secondFactor: { enabled: enrolled.has(user), required: user === "enrol" },
    grant,
    expiresAtMs: nowMs + 12 * HOUR,
  })

  const patchUser: Handler = ({ body, user }, [id = ""]) => {
    const at = users.findIndex((one) => one.id === id)
    const before = users[at]
    if (before === undefined) return problem(404, "not-found")
    users[at] = { ...before, ...body }
    act(user, "users.update", before.name, { roles: before.roles }, { roles: users[at].roles })
    return ok(users[at])
  }
  const roles = (): readonly Role[] => [
    ...USER_ROLES.map((name) => ({
      ...roleOf(name, true, ROLE_PERMISSIONS[name], name === "viewer" ? 12 : 1),
      secondFactorRequired: required.has(name),
    })),
    ...custom.values(),
  ]
  const putRole: Handler = ({ body, user }, [name = ""]) => {
    if (isUserRole(name)) {
      if (body["secondFactorRequired"] === true) required.add(name)
      else required.delete(name)
    } else {
      custom.set(name, { ...(custom.get(name) ?? roleOf(name, false, [], 0)), ...body })
    }
    act(user, "roles.put", name, null, body)
    return ok(roles().find((role) => role.name === name))
  }
  const table: Table = [
    [
      "PUT",
      /^\/account\/password$/,
      ({ body }) => (body["password"] === "wrong" ? problem(401, "wrong-credentials") : DONE),
    ],
    [
      "POST",
      /^\/account\/totp$/,
      ({ body, user }) =>
        body["password"] === "wrong"
          ? problem(401, "wrong-credentials")
          : ok({ secret: SECRET, uri: `otpauth://totp/Heliograph:${user}?secret=${SECRET}&issuer=Heliograph` }),
    ],
    [
      "PUT",
      /^\/account\/totp$/,
      ({ body, user }) => {
        if (body["code"] !== TOTP_CODE) return problem(401, "wrong-credentials")
        enrolled.add(user)
        return ok({ recoveryCodes: Array.from({ length: 10 }, (_, at) => `${at}abcd-${at}efgh-${at}jkmn`) })
      },
    ],
    [
      "POST",
      /^\/account\/totp\/remove$/,
      ({ user }) => {
        enrolled.delete(user)
        return DONE
      },
    ],
    [
      "GET",
      /^\/account\/sessions$/,
      () =>
        ok({
          items: [
            { id: "s1", createdMs: nowMs - HOUR, expiresMs: nowMs + 11 * HOUR, source: "203.0.113.7", current: true },
            { id: "s2", createdMs: nowMs - DAY, expiresMs: nowMs + HOUR, source: "2001:db8::5", current: false },
          ],
        }),
    ],
    ["DELETE", /^\/account\/sessions\/(.+)$/, () => DONE],
    ["GET", /^\/users$/, () => ok({ items: users, next: null })],
    [
      "GET",
      /^\/users\/([^/]+)$/,
      (_, [id]) =>
        ok(
          users.find((user) => user.id === id),
          { etag: '"1"' },
        ),
    ],
    ["PATCH", /^\/users\/([^/]+)$/, patchUser],
    ["POST", /^\/users\/([^/]+)\/(sign-out|totp\/reset)$/, () => DONE],
    ["GET", /^\/invitations$/, () => ok({ items: invitations, next: null })],
    [
      "POST",
      /^\/invitations$/,
      ({ body, user }) => {
        const invitation = {
          id: `i${invitations.length + 1}`,
          note: String(body["note"]),
          roles: body["roles"] as readonly string[],
          sites: (body["sites"] ?? null) as readonly string[] | null,
          createdMs: nowMs,
          expiresMs: nowMs + Number(body["hours"]) * HOUR,
          by: user,
        }
        invitations.push(invitation)
        act(user, "users.invite", invitation.note, null, { roles: invitation.roles })
        return ok({ invitation, token: "hgi_AAAAAAAAAAAAAAAAAAAAAA.one-time-token" })
      },
    ],
    [
      "DELETE",
      /^\/invitations\/(.+)$/,
      (_, [id]) => {
        invitations.splice(0, invitations.length, ...invitations.filter((one) => one.id !== id))
        return DONE
      },
    ],
    ["GET", /^\/roles$/, () => ok({ permissions: PERMISSIONS, items: roles() })],
    ["PUT", /^\/roles\/(.+)$/, putRole],
    [
      "DELETE",
      /^\/roles\/(.+)$/,
      (_, [name = ""]) => {
        custom.delete(name)
        return DONE
      },
    ],
    ["GET", /^\/keys$/, () => ok({ items: keys, next: null })],
    [
      "POST",
      /^\/keys$/,
      ({ body }) => {
        const made = {
          ...keyOf(`k${keys.length + 1}`, String(body["name"]), nowMs),
          scope: body["scope"] as ApiKey["scope"],
        }
        keys.unshift(made)
        return ok({ key: made, secret: "hgk_AAAAAAAAAAAAAAAAAAAAAA.the-key-shown-once" })
      },
    ],
    [
      "DELETE",
      /^\/keys\/(.+)$/,
      (_, [id]) => {
        keys.splice(0, keys.length, ...keys.filter((key) => key.id !== id))
        return DONE
      },
    ],
    ["GET", /^\/audit$/, ({ query }) => ok(auditPage(audit, query))],
    [
      "GET",
      /^\/audit\/verify$/,
      () =>
        ok({
          rows: audit.length,
          intact: true,
          brokenAtSeq: null,
          problem: null,
          head: { seq: audit.length, hash: "9f2c".repeat(16) },
        }),
    ],
    [
      "POST",
      /^\/audit\/export$/,
      () =>
        ok({
          lines: audit.map((row) => JSON.stringify(row)).join("\n"),
          rows: audit.length,
          signature: "c2ln",
          keyId: "key-1",
        }),
    ],
    ["GET", /^\/quotas$/, () => ok({ tier: "medium", items: [...quotas.values()] })],
    ["GET", /^\/settings$/, () => ok(settings, { etag: '"7"' })],
    [
      "PUT",
      /^\/settings$/,
      ({ body }) => {
        const next = body as unknown as TenantSettings
        if (next.retentionDays.samples > 365) {
          return problem(429, "quota-exceeded", { quota: "max_devices", limit: 365, used: next.retentionDays.samples })
        }
        settings = next
        return ok(settings)
      },
    ],
    ["GET", /^\/tenants$/, () => ok({ items: [...tenants.values()], next: null })],
    [
      "POST",
      /^\/tenants$/,
      ({ body }) => {
        const slug = String(body["slug"])
        if (tenants.has(slug)) return problem(409, "conflict", { detail: `a tenant ${slug} exists` })
        const row = tenantOf(
          { slug, name: String(body["name"]), tier: body["tier"] as TenantRow["tier"], devices: 0 },
          9,
          nowMs,
        )
        tenants.set(slug, row)
        return ok({ tenant: row, invitationToken: "hgi_BBBBBBBBBBBBBBBBBBBBBB.first-admin" })
      },
    ],
    [
      "PATCH",
      /^\/tenants\/([^/]+)$/,
      ({ body }, [slug = ""]) => {
        const row = tenants.get(slug)
        if (row === undefined) return problem(404, "not-found")
        tenants.set(slug, { ...row, ...body })
        return ok(tenants.get(slug))
      },
    ],
    [
      "POST",
      /^\/tenants\/([^/]+)\/offboard$/,
      ({ body }, [slug = ""]) => {
        if (body["confirm"] !== slug) return problem(422, "refused", { detail: "the slug does not match" })
        tenants.delete(slug)
        return ok({ rows: { device: 4_210, link: 8_004, sample_chunk: 912_331, audit: 77 } })
      },
    ],
    [
      "POST",
      /^\/tenants\/([^/]+)\/enter$/,
      ({ body }) => {
        grant = { reason: String(body["reason"]), untilMs: Date.now() + Number(body["minutes"]) * 60_000 }
        return DONE
      },
    ],
    [
      "DELETE",
      /^\/session\/grant$/,
      () => {
        grant = null
        return DONE
      },
    ],
    ["GET", /^\/tenants\/([^/]+)\/quotas$/, () => ok({ tier: "small", items: [...quotas.values()] })],
    [
      "PUT",
      /^\/tenants\/([^/]+)\/quotas$/,
      ({ body }) => {
        for (const [name, limit] of Object.entries(body)) {
          const quota = quotas.get(name)
          if (quota !== undefined) quotas.set(name, { ...quota, limit: typeof limit === "number" ? limit : 1_000 })
        }
        return ok({ tier: "small", items: [...quotas.values()] })
      },
    ],
  ]
  return { session, table, audit }
}

const roleOf = (name: string, builtIn: boolean, permissions: Role["permissions"], users: number): Role => ({
  name,
  builtIn,
  permissions,
  secondFactorRequired: false,
  users,
})
const keyOf = (id: string, name: string, nowMs: number): ApiKey => ({
  id,
  name,
  prefix: "hgk_9xQ2",
  scope: ["network.read", "inventory.export"],
  owner: { id: "u-admin", name: "admin" },
  createdMs: nowMs - DAY,
  expiresMs: nowMs + 89 * DAY,
  lastUsedMs: nowMs - 40_000,
})
const tenantOf = (
  row: Pick<TenantRow, "slug" | "name" | "tier" | "devices">,
  at: number,
  nowMs: number,
): TenantRow => ({
  ...row,
  id: `t${at + 1}`,
  demo: at === 0,
  suspended: at === 1,
  createdMs: nowMs - at * 30 * DAY,
  links: (row.devices ?? 0) * 2,
  users: 3 + at,
  ownDatabase: at === 2,
})
const quotaOf = (name: string, unit: string, limit: number, used: number | null, exceeded = 0): Quota => ({
  name,
  unit,
  limit,
  used,
  enforced: "UA",
  exceeded,
})
const QUOTAS: readonly Quota[] = [
  quotaOf("max_devices", "", 1_000, 61),
  quotaOf("max_links", "", 4_000, 118),
  quotaOf("max_users", "", 25, 21),
  quotaOf("max_ingest_samples_per_s", "1/s", 5_000, 5_000, 312),
  quotaOf("max_api_requests_per_min", "1/min", 600, 42),
  quotaOf("max_ws_clients", "", 50, 3),
  quotaOf("max_storage_gb", "GB", 200, 171.4),
  quotaOf("max_export_bytes", "B", 50_000_000, null),
]

const entryOf = (
  seq: number,
  atMs: number,
  user: string,
  action: string,
  name: string,
  before: AuditEntry["before"],
  after: AuditEntry["after"],
): AuditEntry => ({
  seq,
  atMs,
  actor: { kind: user === "grafana" ? "apiKey" : "user", id: `u-${user}`, name: user, source: "203.0.113.7" },
  action,
  object: { kind: action.split(".")[0] ?? "", id: name, name },
  before,
  after,
  reason: action === "tenants.enter" ? "Ticket 4711: map stays empty" : null,
  hash: seq.toString(16).padStart(64, "a"),
})
const fixtureAudit = (nowMs: number): AuditEntry[] =>
  Array.from({ length: 64 }, (_, at) => {
    const seq = 64 - at
    const kinds = [
      () => entryOf(seq, nowMs - at * HOUR, "admin", "users.update", "noc", { roles: ["viewer"] }, { roles: ["noc"] }),
      () =>
        entryOf(
          seq,
          nowMs - at * HOUR,
          "manager",
          "inventory.updateDevice",
          "CR1-SAP-01",
          { pollSeconds: 30, address: "10.255.0.1" },
          { pollSeconds: 10, address: "10.255.0.1" },
        ),
      () =>
        entryOf(seq, nowMs - at * HOUR, "grafana", "inventory.export", "norte-fibra", null, { devices: 60, links: 84 }),
      () => entryOf(seq, nowMs - at * HOUR, "platform_admin", "tenants.enter", "Norte Fibra", null, { minutes: 15 }),
    ] as const
    return (kinds[at % kinds.length] as (typeof kinds)[0])()
  })

const auditPage = (audit: readonly AuditEntry[], query: URLSearchParams) => {
  const word = (name: string) => query.get(name) ?? ""
  const rows = audit.filter(
    ({ actor, action, object }) =>
      actor.name.includes(word("actor")) && action.includes(word("action")) && object.name.includes(word("object")),
  )
  const from = Number(query.get("cursor") ?? 0)
  const to = from + Number(query.get("limit") ?? 50)
  return { items: rows.slice(from, to), next: to < rows.length ? String(to) : null }
}
