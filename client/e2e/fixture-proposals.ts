/** The fixture's inbox of proposals, with decisions that last as long as the fixture. Tests only. */
import { ok, problem } from "#client/e2e/fixture-doors.ts"
import type { Ask, Reply, Table } from "#client/e2e/fixture-doors.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import type { LinkProposal, RoleProposal } from "#protocol/rest-generated.ts"

export interface FixtureProposals {
  readonly table: Table
  readonly links: () => readonly LinkProposal[]
  readonly setLinks: (next: readonly LinkProposal[]) => void
  /** Bodies of the acceptances that came. */
  readonly accepted: readonly Readonly<Record<string, unknown>>[]
}

const PER_NODE = 2

export const makeProposals = (network: FixtureNetwork): FixtureProposals => {
  let links: readonly LinkProposal[] = manyLinks(network, 14)
  let roles: readonly RoleProposal[] = someRoles(network)
  const accepted: Readonly<Record<string, unknown>>[] = []
  const decidedBy = ({ user, body }: Ask) => ({ by: user, atMs: Date.now(), note: String(body["note"] ?? "") })
  const guard = ({ user }: Ask, run: () => Reply): Reply =>
    ["viewer", "noc", "engineer"].includes(user) ? problem(403, "forbidden", { detail: "needs topology.edit" }) : run()
  const listed = <T extends { readonly state: string }>(all: readonly T[], { query }: Ask) => {
    const items = all.filter(({ state }) => state === (query.get("state") ?? "open"))
    return ok({ items, next: null, total: items.length, atMs: Date.now() - 4_000 })
  }
  const decideLink = (ask: Ask, id: string, state: "accepted" | "rejected"): Reply => {
    const known = links.find((one) => one.id === id)
    if (known === undefined) return problem(404, "not-found")
    if (known.state !== "open") return problem(409, "conflict", { detail: "it is decided already" })
    const link = state === "accepted" ? { id: `l-${id}`, name: `${known.a.deviceName} - ${known.b.deviceName}` } : null
    const next: LinkProposal = { ...known, state, decided: decidedBy(ask), link }
    links = links.map((one) => (one.id === id ? next : one))
    if (state === "accepted") accepted.push(ask.body)
    return ok(state === "accepted" ? { proposal: next, link: {} } : next)
  }
  const decideRole = (ask: Ask, id: string, state: "accepted" | "rejected"): Reply => {
    const known = roles.find((one) => one.id === id)
    if (known === undefined) return problem(404, "not-found")
    const next: RoleProposal = { ...known, state, decided: decidedBy(ask) }
    roles = roles.map((one) => (one.id === id ? next : one))
    return ok(state === "accepted" ? { proposal: next, device: {} } : next)
  }
  const table: Table = [
    ["GET", /^\/topology-proposals$/, (ask) => listed(links, ask)],
    ["GET", /^\/role-proposals$/, (ask) => listed(roles, ask)],
    [
      "POST",
      /^\/topology-proposals\/(.+)\/accept$/,
      (ask, [id = ""]) => guard(ask, () => decideLink(ask, id, "accepted")),
    ],
    [
      "POST",
      /^\/topology-proposals\/(.+)\/reject$/,
      (ask, [id = ""]) => guard(ask, () => decideLink(ask, id, "rejected")),
    ],
    ["POST", /^\/role-proposals\/(.+)\/accept$/, (ask, [id = ""]) => guard(ask, () => decideRole(ask, id, "accepted"))],
    ["POST", /^\/role-proposals\/(.+)\/reject$/, (ask, [id = ""]) => guard(ask, () => decideRole(ask, id, "rejected"))],
  ]
  return { table, links: () => links, setLinks: (next) => (links = next), accepted }
}

/** Surest first; the third names no port, the fifth would move a declared link, the sixth has something against it. */
export const manyLinks = ({ nodes, links }: FixtureNetwork, count: number): readonly LinkProposal[] =>
  Array.from({ length: count }, (_, at): LinkProposal => {
    const [a, b] = [(at * PER_NODE + 1) % nodes.id.length, (at * PER_NODE + 6) % nodes.id.length]
    const end = (slot: number, port: string | null) => ({
      device: nodes.id[slot] as string,
      deviceName: nodes.name[slot] as string,
      interface: port,
    })
    const contradicts = at === 4 ? { id: links.id[2] as string, name: "CR1-SAP-01 sfp1 - CR1-BRA-01 sfp1" } : null
    return {
      id: `p-${at}`,
      state: "open",
      a: end(a, `sfp-sfpplus${at + 1}`),
      b: end(b, at === 2 ? null : `ether${at + 2}`),
      confidence: Math.max(0.3, 0.97 - at * 0.045),
      evidence: [
        { kind: "lldp", text: `${nodes.name[a]} hears ${nodes.name[b]} by LLDP on sfp-sfpplus${at + 1}`, weight: 0.9 },
        {
          kind: "subnet",
          text: `${nodes.name[a]} sfp-sfpplus${at + 1} and ${nodes.name[b]} ether${at + 2} share 10.0.${at}.0/30`,
          weight: 0.6,
        },
        { kind: "ospf", text: `${nodes.name[a]} has ${nodes.name[b]} as OSPF neighbour 10.0.${at}.2`, weight: 0.5 },
      ].slice(0, 1 + (at % 3)),
      speedBps: at % 4 === 3 ? null : 10e9,
      contradicts,
      against: at === 5 ? "a stronger proposal wants one of these ports" : null,
      decided: null,
      link: null,
    }
  })

const someRoles = ({ nodes }: FixtureNetwork): readonly RoleProposal[] =>
  (["rr", "bng", "edge"] as const).map((role, at) => ({
    id: `r-${at}`,
    state: "open",
    device: { id: nodes.id[at + 2] as string, name: nodes.name[at + 2] as string },
    role,
    declared: ["access"],
    confidence: 0.92 - at * 0.15,
    because: role === "bng" ? "812 PPPoE sessions end here" : "BGP with 14 routers of our own, where most have few",
    decided: null,
  }))
