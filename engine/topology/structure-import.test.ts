/** Declared structure in documents: what one tenant exports another imports as the same, by counts and byte by byte. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import test, { before, describe } from "node:test"
import fc from "fast-check"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { DEPENDENCY_MODES, PROVIDER_KINDS, SERVICE_KINDS, SRLG_KINDS } from "#protocol/structure.ts"

const DEVICES = ["r1", "r2", "r3", "açaí 4"]
const SITES = ["p", "q"]
const end = (device: string, port: string) => ({ device, interface: port })
const LINKS = [
  { a: end("r1", "e1"), b: end("r2", "e1"), capacityBps: 1e9 },
  { a: end("r2", "e2"), b: end("r3", "e1") },
  { a: end("açaí 4", "e1"), b: end("r1", "e2") },
]
const NETWORK = {
  sites: SITES.map((id, index) => ({ id, name: `Site ${id}`, latitude: index, longitude: 2, guessed: index === 1 })),
  devices: DEVICES.map((name, index) => ({
    name,
    address: index === 3 ? null : `192.0.2.${index + 1}`,
    site: SITES[index % 2],
    roles: ["core"],
    pollSeconds: 30,
  })),
  links: LINKS,
}

const id = fc.stringMatching(/^[a-z][a-z0-9 ._:-]{0,8}[a-z0-9]$/)
const name = fc.stringMatching(/^[A-Za-zç][A-Za-z ç]{0,8}[a-z]$/)
const some = <T>(items: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...items])
const link = fc
  .constantFrom(...LINKS)
  .chain(({ a, b }) => fc.boolean().map((turned) => (turned ? { a: b, b: a } : { a, b })))
const links = fc.uniqueArray(link, { maxLength: 3, selector: ({ a, b }) => [a.device, b.device].sort().join() })
const unique = <T extends { readonly id: string }>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(items, { maxLength: 4, selector: (one) => one.id })

const structure = unique(
  fc.record({ id, name, kind: fc.constantFrom(...PROVIDER_KINDS), devices: some(DEVICES), links }),
).chain((providers) =>
  fc.record({
    providers: fc.constant(providers),
    srlgs: unique(fc.record({ id, name, kind: fc.constantFrom(...SRLG_KINDS), links, sites: some(SITES) })),
    groups: unique(
      fc.record({
        id,
        name,
        mode: fc.constantFrom(...DEPENDENCY_MODES),
        k: fc.constant(1),
        devices: fc.subarray(["r1", "r2"], { minLength: 1 }),
        links,
        dependants: fc.subarray(["r3", "açaí 4"], { minLength: 1 }),
      }),
    ),
    services: unique(
      fc.record({
        id,
        name,
        kind: fc.constantFrom(...SERVICE_KINDS),
        devices: some(DEVICES),
        links,
        sites: some(SITES),
        providers: some(providers.map((one) => one.id)),
      }),
    ),
  }),
)
const LISTS = ["srlgs", "groups", "providers", "services"] as const

describe("declared structure in documents", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer()
  let a: string
  let b: string
  before(() => {
    a = server.as({ tenant: server.a, userId: "ada" })
    b = server.as({ tenant: server.b, userId: "bob" })
  })
  const send = async (who: string, document: object | string, query = "?replace=true") => {
    const text = typeof document === "string" ? document : JSON.stringify(document)
    const answer = await server.ask(who, "POST", `/imports${query}`, { document: text })
    return { ...answer, report: answer.body as unknown as Report }
  }
  interface Report {
    readonly rev: number
    readonly structure?: Readonly<Record<"added" | "updated" | "unchanged" | "removed", number>>
    readonly preview: Readonly<Record<"added" | "updated" | "removed", readonly string[]>>
  }
  const exported = async (who: string): Promise<string> => (await server.ask(who, "GET", "/export")).body.document
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex")
  const counts = (inventory: Inventory): readonly number[] => [
    inventory.sites.length,
    inventory.devices.length,
    inventory.links.length,
    ...LISTS.map((list) => inventory[list]?.length ?? 0),
  ]

  test("[T8] [W5] export, import elsewhere, export: equal counts and hashes, also of any structure; again changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(structure, async (wanted) => {
        const first = await send(a, { ...NETWORK, ...wanted })
        assert.equal(first.status, 200, first.text)
        const out = await exported(a)
        const other = await send(b, out)
        assert.equal(other.status, 200, other.text)
        assert.equal(sha(await exported(b)), sha(out))
        const [here, there] = [server.services(server.a).twin.inventory(), server.services(server.b).twin.inventory()]
        assert.deepEqual(counts(there), counts(here))
        assert.deepEqual(counts(here), [2, 4, 3, ...LISTS.map((list) => wanted[list].length)], "the twin has all of it")
        const again = await send(a, out)
        assert.equal(again.report.rev, first.report.rev, again.text)
        const total = LISTS.reduce((sum, list) => sum + wanted[list].length, 0)
        assert.deepEqual(again.report.structure, { added: 0, updated: 0, unchanged: total, removed: 0 })
      }),
      { numRuns: 12 },
    )
  })

  const DUCT = { id: "duct", name: "Duct", kind: "duct", links: [{ a: LINKS[0]!.b, b: LINKS[0]!.a }], sites: ["p"] }
  const CARRIER = { id: "carrier", name: "Carrier", kind: "transit", devices: ["r1"], links: [] }

  test("[W5] members come by name and stand by id; a list replaces its kind, one that is not there leaves it alone", async () => {
    const first = await send(a, { ...NETWORK, srlgs: [DUCT], providers: [CARRIER] })
    assert.equal(first.status, 200, first.text)
    const twin = () => server.services(server.a).twin.inventory()
    const joined = twin().links.find((one) => one.a.interface === "e1" && one.b.interface === "e1")!
    assert.deepEqual([twin().srlgs?.[0]?.links, twin().srlgs?.[0]?.sites], [[joined.id], ["p"]])
    const preview = await send(a, { ...NETWORK, srlgs: [{ ...DUCT, id: "new" }] }, "?replace=true&dryRun=true")
    assert.deepEqual(preview.report.preview, { added: ["srlg new"], updated: [], removed: ["srlg duct"] })
    assert.equal(twin().srlgs?.[0]?.id, "duct", "a dry run changes nothing")
    const merged = await send(a, { ...NETWORK, srlgs: [{ ...DUCT, name: "Duct 2" }] }, "")
    assert.deepEqual(merged.report.structure, { added: 0, updated: 1, unchanged: 0, removed: 0 })
    await send(a, { ...NETWORK, srlgs: [] })
    assert.deepEqual([twin().srlgs, twin().providers?.[0]?.id], [undefined, "carrier"])
    await send(a, NETWORK)
    assert.equal(twin().providers?.length, 1, "a document of before there was structure removes none")
  })

  test("[W5] what nobody can mean is told by its place, and nothing is imported", async () => {
    const group = { id: "g", name: "G", mode: "any", devices: ["r1"], dependants: ["r2"] }
    const told = async (more: object): Promise<string> => {
      const { status, body } = await send(a, { ...NETWORK, ...more }, "?dryRun=true")
      assert.equal(status, 422)
      const [first] = (body as unknown as { errors?: ReadonlyArray<{ path: string; message: string }> }).errors ?? []
      return first === undefined ? body.detail : `${first.path}: ${first.message}`
    }
    assert.match(await told({ groups: [{ ...group, devices: ["r9"] }] }), /^groups\[0\]\.devices\[0\]: "r9" is unknown/)
    assert.match(
      await told({ groups: [{ ...group, mode: "some" }] }),
      /^groups\[0\]\.mode: must be one of any, all, kofn/,
    )
    assert.match(await told({ groups: [group, group] }), /^groups\[1\]\.id: "g" is the id of groups\[0\]/)
    assert.match(await told({ groups: [{ ...group, dependants: [] }] }), /group g: .*at least one dependant/)
    assert.match(await told({ groups: [{ ...group, dependants: ["r1"] }] }), /cannot depend on a group/)
    const strange = [{ a: end("r1", "e1"), b: end("r3", "e9") }]
    assert.match(
      await told({ srlgs: [{ ...DUCT, links: strange }] }),
      /^srlgs\[0\]\.links\[0\]: .* is no link of this file/,
    )
    assert.match(await told({ srlgs: [{ ...DUCT, knd: 1 }] }), /^srlgs\[0\]\.knd: .*did you mean "kind"/)
    const service = { id: "s", name: "S", kind: "dns", providers: ["carrier"] }
    assert.match(await told({ services: [service] }), /^services\[0\]\.providers\[0\]: "carrier" is unknown/)
    assert.match(await told({ srlgs: [{ ...DUCT, id: "/x" }] }), /srlg \/x: the id begins with/)
  })

  test("[W1] no address: never asked, exported as said; whoever sees some sites exports no structure; guesses are marked", async () => {
    await send(a, { ...NETWORK, srlgs: [DUCT] })
    const out = JSON.parse(await exported(a))
    assert.equal(out.devices.find((one: { name: string }) => one.name === "açaí 4").address, null)
    assert.deepEqual(
      out.sites.map((one: { guessed?: boolean }) => one.guessed),
      [undefined, true],
    )
    const mute = server
      .services(server.a)
      .twin.inventory()
      .devices.find((one) => one.name === "açaí 4")!
    assert.deepEqual([mute.address, mute.sources], ["", []])
    const site = await server.ask(a, "GET", "/sites/q")
    assert.equal((site.body as unknown as { guessed: boolean }).guessed, true)
    const some = server.as({ tenant: server.a, userId: "cy", sites: ["p"] })
    assert.equal(JSON.parse(await exported(some)).srlgs, undefined)
    await server.ask(a, "PUT", "/sites/q", { name: "Q", latitude: 3, longitude: 4 })
    assert.equal(JSON.parse(await exported(a)).sites[1].guessed, undefined, "whoever says where it is ends the guess")
  })

  test("[W1] GraphML by REST: a preview, then the twin has it; a mistake has its line", async () => {
    const graph = (body: string): string =>
      `<graphml><key id="a" attr.name="Latitude"/><key id="o" attr.name="Longitude"/><graph>\n${body}\n</graph></graphml>`
    const good = graph(
      `<node id="x"><data key="a">1</data><data key="o">2</data></node><node id="y"/><edge source="x" target="y"/>`,
    )
    const preview = await send(b, good, "?replace=true&format=graphml&dryRun=true")
    assert.deepEqual(preview.report.preview.added.slice(0, 4), ["site x", "site y", "x", "y"])
    assert.equal((await send(b, good, "?replace=true&format=graphml")).status, 200)
    const twin = server.services(server.b).twin.inventory()
    assert.deepEqual(
      twin.devices.map((one) => [one.name, one.address, one.sources.length]),
      [
        ["x", "", 0],
        ["y", "", 0],
      ],
    )
    assert.deepEqual([twin.sites.map((one) => one.guessed), twin.links.length], [[undefined, true], 1])
    const bad = await send(b, graph(`<node id="x"/>\n<node id="x"/>`), "?format=graphml")
    assert.equal(bad.status, 422)
    assert.deepEqual((bad.body as unknown as { errors: ReadonlyArray<{ line: number }> }).errors[0]?.line, 3)
  })
})
