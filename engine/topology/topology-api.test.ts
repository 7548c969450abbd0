/**
 * The inbox of proposals and the declared structure as people use them: over real HTTP, on a real database, with a real
 * twin. What the inference itself is worth is measured against the emulated ISP (lab/sim/inference.test.ts).
 */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { useTopologyServer } from "#engine/topology/topology-server.fixture.ts"

interface Proposal {
  readonly id: string
  readonly state: string
  readonly confidence: number
  readonly a: { readonly deviceName: string; readonly interface: string | null }
  readonly b: { readonly deviceName: string; readonly interface: string | null }
  readonly evidence: ReadonlyArray<{ readonly kind: string; readonly text: string }>
  readonly contradicts: { readonly id: string; readonly name: string } | null
  readonly speedBps: number | null
  readonly decided: { readonly by: string; readonly note: string; readonly atMs: number } | null
  readonly link: { readonly id: string } | null
}

describe("topology by REST", { skip: NO_POSTGRES }, () => {
  const { server, ids, hears, acts } = useTopologyServer()
  let admin: string
  let viewer: string
  let technician: string
  let stranger: string
  before(() => {
    const { a, b } = server
    admin = server.as({ tenant: a, userId: "admin" })
    viewer = server.as({ tenant: a, userId: "viewer", roles: ["viewer"] })
    technician = server.as({ tenant: a, userId: "technician", roles: ["tenant_admin"], sites: ["pop-2"] })
    stranger = server.as({ tenant: b, userId: "stranger" })
  })
  const bodyOf = <A>({ text }: { readonly text: string }): A => JSON.parse(text) as A
  const listed = async (who: string, query = ""): Promise<readonly Proposal[]> =>
    bodyOf<{ items: readonly Proposal[] }>(await server.ask(who, "GET", `/topology-proposals${query}`)).items
  const words = ({ a, b }: Proposal): string =>
    [a, b]
      .map((end) => `${end.deviceName} ${end.interface ?? "?"}`)
      .sort()
      .join(" - ")
  const links = () => server.services(server.a).twin.inventory().links

  test("[W2] [W3] what two devices say of each other is proposed with its evidence, and is no link", async () => {
    await hears("core1", { e1: "core2 e1", e2: "acc1 up" })
    await hears("core2", { e1: "core1 e1", e2: null })
    await hears("acc1", { up: "core1 e2", side: "acc2 side" })
    await hears("acc2", { side: "acc1 side" })
    const all = await listed(admin)
    assert.deepEqual(all.map(words).sort(), ["acc1 side - acc2 side", "acc1 up - core1 e2", "core1 e1 - core2 e1"])
    assert.ok(all.every(({ confidence }) => confidence >= 0.9))
    assert.ok(all.every(({ speedBps, state, decided }) => speedBps === 1e10 && state === "open" && decided === null))
    assert.match(all[0]!.evidence[0]!.text, /hears .* by LLDP/)
    assert.equal(links().length, 0)
    assert.equal((await listed(viewer)).length, 3)
    assert.equal((await listed(admin, `?device=${ids["core2"]}`)).length, 1)
    assert.equal((await listed(admin, "?minConfidence=0.999")).length, 0)
    const first = bodyOf<{ items: readonly Proposal[]; next: string | null; total: number }>(
      await server.ask(admin, "GET", "/topology-proposals?limit=2"),
    )
    const rest = await listed(admin, `?limit=2&cursor=${first.next}`)
    assert.deepEqual([first.items.length, first.total, rest.length], [2, 3, 1])
  })

  test("[T1] another tenant sees none of them and can accept none; somebody of one site sees what lies in it", async () => {
    assert.deepEqual(await listed(stranger), [])
    const [one] = await listed(admin)
    assert.equal((await server.ask(stranger, "POST", `/topology-proposals/${one!.id}/accept`, {})).status, 404)
    assert.deepEqual((await listed(technician)).map(words), ["acc1 side - acc2 side"])
    const core = (await listed(admin)).find((it) => words(it) === "core1 e1 - core2 e1")!
    assert.equal((await server.ask(technician, "POST", `/topology-proposals/${core.id}/accept`, {})).status, 404)
  })

  test("[W4] accepted: the link is declared, the twin has it, one audit entry says who and on what, the inbox keeps it", async () => {
    const one = (await listed(admin)).find((it) => words(it) === "core1 e1 - core2 e1")!
    assert.equal((await server.ask(viewer, "POST", `/topology-proposals/${one.id}/accept`, {})).status, 403)
    const done = await server.ask(admin, "POST", `/topology-proposals/${one.id}/accept`, { capacityBps: 1e9 })
    assert.equal(done.status, 200, done.text)
    const { proposal, link } = bodyOf<{ proposal: Proposal; link: { id: string; capacityBps: number } }>(done)
    assert.deepEqual([proposal.state, proposal.decided?.by, link.capacityBps], ["accepted", "admin", 1e9])
    assert.equal(links()[0]?.id, link.id)
    assert.ok(!(await listed(admin)).some(({ id }) => id === one.id))
    assert.deepEqual(
      (await listed(admin, "?state=accepted")).map(({ id }) => id),
      [one.id],
    )
    assert.equal((await server.ask(admin, "POST", `/topology-proposals/${one.id}/accept`, {})).status, 404)
    const kept = await acts("^(proposal|link)\\.")
    assert.deepEqual(
      kept.map(({ action }) => action),
      ["proposal.accept"],
    )
    assert.match(JSON.stringify(kept[0]), new RegExp(one.id))
  })

  test("[W4] rejected: it stays away while the evidence is the same, and comes back with other evidence; who and why are kept", async () => {
    const one = (await listed(admin)).find((it) => words(it) === "acc1 side - acc2 side")!
    const answer = await server.ask(admin, "POST", `/topology-proposals/${one.id}/reject`, { note: "a test cable" })
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(bodyOf<Proposal>(answer).decided?.note, "a test cable")
    await hears("acc1", { up: "core1 e2", side: "acc2 side" })
    assert.ok(!(await listed(admin)).some(({ id }) => id === one.id))
    const [kept] = await listed(admin, "?state=rejected")
    assert.deepEqual([kept?.id, kept?.decided?.by], [one.id, "admin"])
    assert.equal((await acts("^proposal\\.reject$")).length, 1)
    // A common subnet is another kind of evidence.
    await hears("acc1", { up: "core1 e2", side: "acc2 side" }, { side: "10.0.0.0/31" })
    await hears("acc2", { side: "acc1 side" }, { side: "10.0.0.1/31" })
    const again = await until(async () => (await listed(admin)).find(({ id }) => id === one.id))
    assert.ok(again !== undefined, "it is proposed again")
    // What it was ever rejected on is no news when it comes back.
    const isAway = async (): Promise<boolean> => !(await listed(admin)).some(({ id }) => id === one.id)
    assert.equal(
      (await server.ask(admin, "POST", `/topology-proposals/${one.id}/reject`, { note: "still a test cable" })).status,
      200,
    )
    await hears("acc1", { up: "core1 e2" }, { side: "10.0.0.0/31" })
    await hears("acc2", {}, { side: "10.0.0.1/31" })
    assert.ok(await isAway(), "less evidence is no news")
    await hears("acc1", { up: "core1 e2", side: "acc2 side" }, { side: "10.0.0.0/31" })
    await hears("acc2", { side: "acc1 side" }, { side: "10.0.0.1/31" })
    assert.ok(await isAway(), "nor what was there before")
  })

  test("[W4] edited ends are declared instead; an end that nothing names must be said; a taken interface is a conflict", async () => {
    const one = (await listed(admin)).find((it) => words(it) === "acc1 up - core1 e2")!
    const taken = { device: ids["core1"], interface: "e1" }
    const side = one.a.deviceName === "core1" ? "a" : "b"
    const conflict = await server.ask(admin, "POST", `/topology-proposals/${one.id}/accept`, { [side]: taken })
    assert.equal(conflict.status, 409, conflict.text)
    const edited = { [side]: { device: ids["core1"], interface: "e7" } }
    const done = await server.ask(admin, "POST", `/topology-proposals/${one.id}/accept`, edited)
    assert.equal(done.status, 200, done.text)
    assert.ok(links().some(({ a, b }) => [a, b].some((end) => end.interface === "e7")))
  })

  test("[W4] a proposal that contradicts a declared link moves its end; the link keeps its id and its direction", async () => {
    // Declared on e7, heard on e2.
    const one = await until(async () => (await listed(admin)).find(({ contradicts }) => contradicts !== null))
    assert.ok(one !== undefined)
    const id = one.contradicts!.id
    const before = links().find((link) => link.id === id)!
    const done = await server.ask(admin, "POST", `/topology-proposals/${one.id}/accept`, {
      note: "cable list was wrong",
    })
    assert.equal(done.status, 200, done.text)
    const after = links().find((link) => link.id === id)!
    assert.deepEqual([after.a.device, after.b.device], [before.a.device, before.b.device])
    assert.ok([after.a, after.b].some((end) => end.interface === "e2"))
    assert.ok(![after.a, after.b].some((end) => end.interface === "e7"))
    const [act] = (await acts("^proposal\\.accept$")).slice(-1)
    assert.match(JSON.stringify(act?.before), /e7/)
    assert.match(JSON.stringify(act?.after), /e2/)
  })

  test("[W6] roles: proposed by sessions, given besides the declared ones, rejected for good though counts change", async () => {
    const roles = bodyOf<{
      items: ReadonlyArray<{ id: string; role: string; because: string; device: { name: string } }>
    }>(await server.ask(admin, "GET", "/role-proposals")).items
    for (const one of roles) assert.ok(one.because.length > 0)
    const first = roles[0]
    if (first === undefined) return
    const done = await server.ask(admin, "POST", `/role-proposals/${first.id}/accept`, {})
    assert.equal(done.status, 200, done.text)
    const { device } = bodyOf<{ device: { roles: readonly string[] } }>(done)
    assert.ok(device.roles.includes(first.role) && device.roles.length >= 2)
  })

  test("[W5] groups: made, read with an ETag, changed with care, removed; the twin has each at once; members are checked", async () => {
    const link = links()[0]!.id
    const duct = { name: "Duct 7", kind: "duct", links: [link], sites: ["pop-1"] }
    const made = await server.ask(admin, "PUT", "/srlgs/duct-7", duct)
    assert.equal(made.status, 200, made.text)
    assert.deepEqual(server.services(server.a).twin.inventory().srlgs, [{ id: "duct-7", ...duct }])
    const read = await server.ask(viewer, "GET", "/srlgs/duct-7")
    assert.equal(read.etag, made.etag)
    const changed = await server.ask(
      admin,
      "PUT",
      "/srlgs/duct-7",
      { ...duct, name: "Duct 8" },
      { "if-match": made.etag! },
    )
    assert.equal(changed.status, 200)
    assert.equal((await server.ask(admin, "PUT", "/srlgs/duct-7", duct, { "if-match": made.etag! })).status, 412)
    const strange = await server.ask(admin, "PUT", "/srlgs/x", {
      ...duct,
      links: ["018f0000-0000-7000-8000-00000000dead"],
    })
    assert.equal(strange.status, 422)
    assert.match(strange.body.detail, /links: .* is not there/)
    assert.equal((await server.ask(technician, "PUT", "/srlgs/x", duct)).status, 422)
    assert.equal((await server.ask(stranger, "GET", "/srlgs/duct-7")).status, 404)
    assert.deepEqual((await server.ask(stranger, "GET", "/srlgs")).body.items, [])
    const group = {
      name: "Cores",
      mode: "any",
      k: 1,
      devices: [ids["core1"], ids["core2"]],
      links: [],
      dependants: [ids["acc1"]],
    }
    assert.equal((await server.ask(admin, "PUT", "/dependency-groups/cores", group)).status, 200)
    const self = { ...group, dependants: [ids["core1"]] }
    assert.match((await server.ask(admin, "PUT", "/dependency-groups/x", self)).body.detail, /cannot depend/)
    const few = { ...group, mode: "kofn", k: 3 }
    assert.match((await server.ask(admin, "PUT", "/dependency-groups/x", few)).body.detail, /k is 3/)
    const transit = { name: "Carrier", kind: "transit", devices: [ids["core1"]], links: [] }
    assert.equal((await server.ask(admin, "PUT", "/providers/carrier", transit)).status, 200)
    const dns = { name: "DNS", kind: "dns", devices: [ids["core2"]], links: [], sites: [], providers: ["carrier"] }
    assert.equal((await server.ask(admin, "PUT", "/services/dns", dns)).status, 200)
    const twin = server.services(server.a).twin.inventory()
    assert.deepEqual(
      [twin.groups?.length, twin.providers?.[0]?.id, twin.services?.[0]?.providers],
      [1, "carrier", ["carrier"]],
    )
    assert.equal((await server.ask(admin, "DELETE", "/srlgs/duct-7")).status, 204)
    assert.equal((await server.ask(admin, "DELETE", "/srlgs/duct-7")).status, 404)
    assert.equal(server.services(server.a).twin.inventory().srlgs, undefined)
    assert.deepEqual(
      (await acts("^srlg\\.")).map(({ action }) => action),
      ["srlg.create", "srlg.update", "srlg.delete"],
    )
  })

  test("[what-if] by REST: names for slots, the declared group counts, the past is refused where nothing is kept", async () => {
    const ask = (body: object) => server.ask(admin, "POST", "/what-if", body)
    const faults = ["core1", "core2"].map((name) => ({ kind: "router", device: ids[name] }))
    const both = bodyOf<{ brokenGroups: ReadonlyArray<{ id: string }>; failed: { devices: unknown[] } }>(
      await ask({ faults }),
    )
    assert.deepEqual([both.brokenGroups.map(({ id }) => id), both.failed.devices.length], [["cores"], 2])
    assert.equal((await server.ask(technician, "POST", "/what-if", { faults })).status, 422)
    assert.equal((await server.ask(viewer, "POST", "/what-if", { faults })).status, 403)
    const past = await ask({ faults, atMs: 1_000 })
    assert.equal(past.status, 422, past.text)
    assert.match(past.body.detail, /nothing is kept/)
    const nowMs = Date.now() + 3_600_000
    assert.match((await ask({ faults, atMs: nowMs })).body.detail, /future/)
    const unknown = await server.ask(admin, "GET", `/what-if/paths?from=${ids["core1"]}&to=nobody`)
    assert.equal(unknown.status, 422)
    for (const path of ["next-failures?limit=5", "single-points?limit=1", "blind-spots", "drift"])
      assert.equal((await server.ask(admin, "GET", `/what-if/${path}`)).status, 200, path)
  })

  test("[what-if] a moment of the stored past: answered from the journal, as it was then", async () => {
    const faults = [{ kind: "router", device: ids["core1"] }]
    const now = bodyOf<{ seq: number; atMs: number }>(await server.ask(admin, "POST", "/what-if", { faults }))
    const then = await server.ask(admin, "POST", "/what-if", { faults, atMs: now.atMs })
    assert.equal(then.status, 200, then.text)
    const past = bodyOf<{ seq: number; atMs: number; failed: { devices: readonly unknown[] } }>(then)
    assert.ok(past.atMs <= now.atMs && past.seq > 0)
    assert.equal(past.failed.devices.length, 1)
  })

  test("[W8] devices and sites by near, bbox and place: as a caller sees them; a wrong question is told", async () => {
    const at = async (caller: string, list: string, query: string) => {
      const answer = await server.ask(caller, "GET", `/${list}?${query}`)
      return answer.status === 200
        ? bodyOf<{ items: ReadonlyArray<{ name: string }> }>(answer).items.length
        : answer.status
    }
    assert.deepEqual(
      [await at(viewer, "sites", "near=-23.5,-46.7,20"), await at(viewer, "devices", "near=-23.5,-46.7,20")],
      [2, 4],
    )
    assert.deepEqual(
      [await at(viewer, "sites", "bbox=-47,-24,-46,-23"), await at(viewer, "devices", "bbox=-47,-24,-46,-23")],
      [2, 4],
    )
    assert.deepEqual([await at(viewer, "sites", "bbox=0,0,1,1"), await at(viewer, "devices", "place=nowhere")], [0, 0])
    assert.equal(await at(technician, "sites", "near=-23.5,-46.7,20"), 1, "who sees one site finds one")
    for (const query of ["near=1,2", "bbox=1,2,3", "near=x,y,z"])
      for (const list of ["sites", "devices"]) assert.equal(await at(viewer, list, query), 400, `${list} ${query}`)
  })

  test("[what-if] every question takes a moment of the stored past; what was before anything is refused", async () => {
    const faults = [{ kind: "router", device: ids["core1"] }]
    const { atMs } = bodyOf<{ atMs: number }>(await server.ask(admin, "POST", "/what-if", { faults }))
    const paths = `paths?from=${ids["core1"]}&to=${ids["core2"]}&`
    for (const path of ["next-failures?", "single-points?", paths, "blind-spots?", "drift?"]) {
      const then = await server.ask(admin, "GET", `/what-if/${path}atMs=${atMs}`)
      assert.equal(then.status, 200, then.text)
      assert.ok(bodyOf<{ atMs: number }>(then).atMs <= atMs, path)
      const never = await server.ask(admin, "GET", `/what-if/${path}atMs=1000`)
      assert.deepEqual([never.status, /nothing is kept/.test(never.text)], [422, true], path)
    }
  })

  test("[W8] sites near a place and in a polygon, with their devices; a wrong question is told", async () => {
    const near = await server.ask(viewer, "GET", "/sites-near?latitude=-23.5&longitude=-46.7&km=20")
    assert.deepEqual([near.status, near.body.items.length], [200, 2])
    assert.equal((await server.ask(viewer, "GET", "/sites-near?latitude=0&longitude=0&km=20")).body.items.length, 0)
    const corners = encodeURIComponent("-24,-47;-24,-46;-23,-46;-23,-47")
    assert.equal((await server.ask(viewer, "GET", `/sites-near?polygon=${corners}`)).body.items.length, 2)
    assert.equal((await server.ask(viewer, "GET", "/sites-near?polygon=1,2;3,4")).status, 400)
    assert.equal((await server.ask(viewer, "GET", "/sites-near?latitude=x&longitude=0&km=1")).status, 400)
    assert.equal(
      (await server.ask(technician, "GET", "/sites-near?latitude=-23.5&longitude=-46.7&km=20")).body.items.length,
      1,
    )
  })
})

/** A moment of the thread is good for a second: new evidence is seen with the next one. */
const until = async <A>(look: () => Promise<A | undefined>): Promise<A | undefined> => {
  for (const began = Date.now(); Date.now() - began < 60_000;) {
    const found = await look()
    if (found !== undefined) return found
  }
  return undefined
}
