/** The acts on proposals and declared structure, for the audit's table of routes: what each is called with, and its one row. */
import assert from "node:assert/strict"
import type { RouteName } from "#engine/access/entries.ts"
import type { Call, Prepare } from "#engine/audit/calls.fixture.ts"
import { DEVICE_ENTITY, deviceId, interfaceKey, lldpKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

export interface Table {
  readonly ask: (name: RouteName, call: Call) => Promise<{ readonly body: unknown }>
  /** Each makes one and answers its id. */
  readonly device: () => Promise<string>
  readonly link: () => Promise<string>
  readonly unique: (word: string) => string
  readonly submit: (poll: PollInput) => boolean
}

export const topologyCalls = ({ ask, device, link, unique, submit }: Table) => {
  const PROVIDER = { name: "Carrier", kind: "transit", devices: [], links: [] }
  const SERVICE = { name: "DNS", kind: "dns", devices: [], links: [], sites: [], providers: [] }
  const srlg = async (): Promise<string> => {
    const id = unique("duct")
    await ask("structure.putSrlg", { params: { id }, body: { name: id, kind: "duct", links: [], sites: [] } })
    return id
  }
  const groupBody = async () => ({
    name: "Both",
    mode: "any",
    k: 1,
    devices: [await device()],
    links: [],
    dependants: [await device()],
  })
  const talking = async (): Promise<string> => {
    const [one, other] = [await device(), await device()]
    const nameOf = async (id: string): Promise<string> =>
      ((await ask("inventory.declaredDevice", { params: { id } })).body as { name: string }).name
    assert.ok(submit(neighbourPoll(one, await nameOf(other))))
    assert.ok(submit(neighbourPoll(other, await nameOf(one))))
    return one
  }
  const firstOf = async (list: "topologyProposals.list" | "topologyProposals.roles", of: string) => {
    // A moment of the reasoning thread is good for a second.
    for (let tries = 0; tries < 200; tries++) {
      const { items } = (await ask(list, { query: { device: of } })).body as { items: ReadonlyArray<{ id: string }> }
      if (items[0] !== undefined) return { params: { id: items[0].id } }
    }
    return assert.fail(`nothing is proposed of ${of}`)
  }
  const proposal = async () => firstOf("topologyProposals.list", await talking())
  const roleProposal = async () => firstOf("topologyProposals.roles", await talking())
  return {
    "topologyProposals.accept": async () => ({ ...(await proposal()), body: {}, action: /^proposal\.accept$/ }),
    "topologyProposals.reject": async () => ({
      ...(await proposal()),
      body: { note: "not ours" },
      action: /^proposal\.reject$/,
    }),
    "topologyProposals.acceptRole": async () => ({ ...(await roleProposal()), body: {}, action: /^proposal\.accept$/ }),
    "topologyProposals.rejectRole": async () => ({
      ...(await roleProposal()),
      body: { note: "not one" },
      action: /^proposal\.reject$/,
    }),
    "structure.putSrlg": async () => ({
      params: { id: unique("duct") },
      body: { name: "Duct", kind: "duct", links: [await link()], sites: [] },
      action: /^srlg\.create$/,
    }),
    "structure.removeSrlg": async () => ({ params: { id: await srlg() }, action: /^srlg\.delete$/ }),
    "structure.putDependencyGroup": async () => ({
      params: { id: unique("group") },
      body: await groupBody(),
      action: /^dependency-group\.create$/,
    }),
    "structure.removeDependencyGroup": async () => {
      const params = { id: unique("group") }
      await ask("structure.putDependencyGroup", { params, body: await groupBody() })
      return { params, action: /^dependency-group\.delete$/ }
    },
    "structure.putProvider": async () => ({
      params: { id: unique("carrier") },
      body: PROVIDER,
      action: /^provider\.create$/,
    }),
    "structure.removeProvider": async () => {
      const params = { id: unique("carrier") }
      await ask("structure.putProvider", { params, body: PROVIDER })
      return { params, action: /^provider\.delete$/ }
    },
    "structure.putService": async () => ({
      params: { id: unique("dns") },
      body: SERVICE,
      action: /^service\.create$/,
    }),
    "structure.removeService": async () => {
      const params = { id: unique("dns") }
      await ask("structure.putService", { params, body: SERVICE })
      return { params, action: /^service\.delete$/ }
    },
  } satisfies Readonly<Record<string, Prepare>>
}

/** A neighbour by LLDP on ether1, and subscribers: enough for a link and a role to be proposed. */
const neighbourPoll = (id: string, neighbour: string): PollInput => {
  const key = lldpKey("ether1")
  return {
    kind: "poll",
    device: deviceId(id),
    source: "snmp",
    startedMs: Date.now(),
    atMs: Date.now(),
    entities: [DEVICE_ENTITY, interfaceKey("ether1"), key],
    entity: Uint16Array.of(0, 1),
    metric: Uint16Array.of(metricId("pppoe.sessions.active"), metricId("interface.oper_up")),
    value: Float64Array.of(12, 1),
    texts: [
      { entity: key, fact: "lldp.neighbor.interface", text: "ether1" },
      { entity: key, fact: "lldp.neighbor.system_name", text: neighbour },
      { entity: key, fact: "lldp.neighbor.port", text: "ether1" },
    ],
    complete: ["interface", "lldp.neighbor"],
  }
}
