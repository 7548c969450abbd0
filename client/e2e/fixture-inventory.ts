/** The fixture's declared network: sites, devices, links, credentials (only that they are set), import and export. Tests only. */
import { DONE, ok, problem } from "#client/e2e/fixture-doors.ts"
import type { Handler, Table } from "#client/e2e/fixture-doors.ts"
import { fixtureDevice } from "#client/e2e/fixture-views.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import type { DeclaredDevice, ImportReport, Site } from "#protocol/rest-generated.ts"
import type { DeviceView } from "#protocol/view.ts"

/** Looks at a new device until it has answered: the fixture's router needs a moment, as a real one does. */
const LOOKS_UNTIL_UP = 2

export const makeInventory = (network: FixtureNetwork) => {
  const sites = new Map<string, Site>(
    network.sites.id.map((id, at) => [
      id,
      {
        id,
        name: network.sites.name[at] as string,
        latitude: network.sites.latitude[at] as number,
        longitude: network.sites.longitude[at] as number,
      },
    ]),
  )
  const declared = new Map<string, DeclaredDevice>()
  const looks = new Map<string, number>()
  const credentials: { readonly kind: string; readonly body: unknown }[] = []
  const find = (id: string): DeclaredDevice | null => {
    const known = declared.get(id)
    const view = fixtureDevice(network, id)
    if (known !== undefined || view === null) return known ?? null
    const { name, address, site, roles, pollSeconds } = view
    return { id, name, address, site, roles, pollSeconds, pingSeconds: null, credentials: ["snmp"] }
  }
  const change = (id: string, patch: Partial<DeclaredDevice>): DeclaredDevice | null => {
    const before = find(id)
    if (before === null) return null
    declared.set(id, { ...before, ...patch })
    return declared.get(id) ?? null
  }
  const create: Handler = ({ body }) => {
    if (body["name"] === "TAKEN") return problem(409, "conflict", { detail: "a device TAKEN exists" })
    const id = `00000000-0000-7000-a000-${String(declared.size).padStart(12, "0")}`
    declared.set(id, { ...(body as unknown as DeclaredDevice), id, credentials: [] })
    return ok(declared.get(id))
  }
  const view = (id: string): DeviceView | null => {
    const device = declared.get(id)
    if (device === undefined || network.nodes.id.includes(id)) return null
    const seen = (looks.get(id) ?? 0) + 1
    looks.set(id, seen)
    const up = seen > LOOKS_UNTIL_UP
    const error = up ? null : "timeout after 2 s (3 tries)"
    return {
      kind: "device",
      id,
      name: device.name,
      address: device.address,
      site: device.site,
      roles: device.roles,
      health: up ? "ok" : "unknown",
      severity: up ? "cleared" : "indeterminate",
      stale: false,
      reasons: [],
      pollSeconds: device.pollSeconds,
      lastOkMs: up ? Date.now() : null,
      texts: {},
      metrics: [],
      sources: device.credentials.map((source) => ({ source, up, lastOkMs: up ? Date.now() : null, error })),
      interfaces: [],
      adjacencies: [],
    } as DeviceView
  }
  const table: Table = [
    ["GET", /^\/sites$/, () => ok({ items: [...sites.values()], next: null })],
    [
      "PUT",
      /^\/sites\/(.+)$/,
      ({ body }, [id = ""]) => {
        sites.set(id, { ...(body as unknown as Site), id })
        return ok(sites.get(id))
      },
    ],
    ["POST", /^\/devices$/, create],
    [
      "GET",
      /^\/devices\/([^/]+)\/declared$/,
      (_, [id = ""]) => {
        const device = find(id)
        return device === null ? problem(404, "not-found") : ok(device, { etag: '"3"' })
      },
    ],
    [
      "PATCH",
      /^\/devices\/([^/]+)$/,
      ({ body }, [id = ""]) => {
        const device = change(id, body)
        return device === null ? problem(404, "not-found") : ok(device)
      },
    ],
    ["DELETE", /^\/devices\/([^/]+)$/, () => DONE],
    [
      "PUT",
      /^\/devices\/([^/]+)\/credentials\/(snmp|routeros)$/,
      ({ body }, [id = "", kind = ""]) => {
        credentials.push({ kind, body })
        const set = new Set([...(find(id)?.credentials ?? []), kind as "snmp"])
        return change(id, { credentials: [...set] }) === null ? problem(404, "not-found") : DONE
      },
    ],
    [
      "DELETE",
      /^\/devices\/([^/]+)\/credentials\/(snmp|routeros)$/,
      (_, [id = "", kind = ""]) => {
        change(id, { credentials: (find(id)?.credentials ?? []).filter((one) => one !== kind) })
        return DONE
      },
    ],
    ["POST", /^\/links$/, ({ body }) => ok({ id: "l-new", ...body })],
    ["PATCH", /^\/links\/(.+)$/, ({ body }, [id]) => ok({ id, a: {}, b: {}, ...body })],
    ["DELETE", /^\/links\/(.+)$/, () => DONE],
    ["POST", /^\/imports$/, ({ body, query }) => importReply(String(body["document"]), query)],
    [
      "GET",
      /^\/export$/,
      () => ok({ document: JSON.stringify({ sites: [...sites.values()], devices: [], links: [] }, null, 2) }),
    ],
  ]
  return { table, view, credentials }
}

const none = { added: 0, updated: 0, unchanged: 0, removed: 0 }
const importReply = (document: string, query: URLSearchParams) => {
  if (document.includes("999.1.1.1")) {
    return problem(422, "import-invalid", {
      errors: [
        { line: 3, path: "devices[0].address", message: "999.1.1.1 is neither IPv4 nor IPv6" },
        { line: 4, path: "devices[1].site", message: "there is no site rio-9" },
      ],
      total: 7,
    })
  }
  const removed = query.get("replace") === "true" ? ["ACC-SAP-31", "ACC-SAP-32"] : []
  const report: ImportReport = {
    rev: 12,
    dryRun: query.get("dryRun") === "true",
    sites: { ...none, added: 1, unchanged: 4 },
    devices: { ...none, added: 2, updated: 1, unchanged: 57, removed: removed.length },
    links: { ...none, added: 1, unchanged: 83 },
    preview: { added: ["BNG-NAT-01", "ACC-NAT-02"], updated: ["CR1-SAP-01"], removed },
  }
  return ok(report)
}
