/** `heliograph whatif` and `heliograph topology` against an engine's API: names resolve, answers are readable, mistakes are told. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test, { after, before, describe } from "node:test"
import { main } from "#engine/cli.ts"
import { parseImport } from "#engine/import/parse.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { useTopologyServer } from "#engine/topology/topology-server.fixture.ts"
import type { LinkProposal, WhatIfAnswer } from "#protocol/rest-generated.ts"

const dir = mkdtempSync(join(tmpdir(), "heliograph-whatif-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const keyFile = (name: string, token: string): string => {
  const path = join(dir, name)
  writeFileSync(path, `${token}\n`)
  chmodSync(path, 0o600)
  return path
}
const heliograph = async (...args: readonly string[]) => {
  const said = { out: "", err: "" }
  const code = await main(args, {
    env: {},
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  })
  return { code, ...said }
}

test("wrong words end with 2, say what is right, and ask nobody", async () => {
  const cases: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [["whatif"], /ACTION is missing/],
    [["whatif", "fial", "x"], /"fial" is no action; did you mean fail\?/],
    [["whatif", "fail"], /WHAT is missing/],
    [["whatif", "fail", "core1"], /"core1" is no fault; give router:NAME/],
    [["whatif", "fail", "ruoter:core1"], /"ruoter" is no kind of fault; did you mean router:core1\?/],
    [["whatif", "fail", "router:"], /is no fault/],
    [["whatif", "fail", "port:core1"], /a port is port:NAME~INTERFACE/],
    [["whatif", "fail", "link:a~b~c"], /a link has two ends/],
    [["whatif", "fail", "router:x", "--at", "yesterday"], /--at takes a time like/],
    [["whatif", "next", "--top", "0"], /--top takes a whole number from 1 to 200/],
    [["whatif", "next", "--k", "2"], /--k belongs to whatif paths/],
    [["whatif", "next", "--at", "yesterday"], /--at takes a time like/],
    [["whatif", "single", "--at="], /--at takes a time like/],
    [["whatif", "paths", "a", "b", "--at", "soon"], /--at takes a time like/],
    [["whatif", "next", "core1"], /what is "core1"\?/],
    [["whatif", "paths", "a"], /two devices/],
    [["topology", "proposal"], /did you mean proposals\?/],
    [["topology", "groups", "x"], /what is "x"\?/],
    [["topology", "accept"], /ID is missing: heliograph topology proposals/],
    [["topology", "near", "1;2", "3"], /is no LATITUDE,LONGITUDE/],
    [["topology", "near", "1,2", "far"], /near takes/],
  ]
  for (const [args, words] of cases) {
    const { code, out, err } = await heliograph(...args, "--url", "http://127.0.0.1:1")
    assert.deepEqual([code, out], [2, ""], args.join(" "))
    assert.match(err, words)
  }
  assert.equal((await heliograph("whatif", "next", "--url", "http://127.0.0.1:1")).code, 1, "nobody answers there")
})

describe("on an engine's API", { skip: NO_POSTGRES }, () => {
  const { server, ids, hears, acts } = useTopologyServer()
  let how: readonly string[]
  let viewer: readonly string[]
  const link = async (a: string, aPort: string, b: string, bPort: string): Promise<void> => {
    const body = { a: { device: ids[a], interface: aPort }, b: { device: ids[b], interface: bPort }, capacityBps: 1e9 }
    const made = await server.ask(server.as({ tenant: server.a, userId: "maker" }), "POST", "/links", body)
    assert.ok(made.status < 300, made.text)
  }
  before(async () => {
    how = ["--url", server.url, "--key-file", keyFile("key", server.as({ tenant: server.a, userId: "ada" }))]
    const roles = ["viewer"]
    viewer = [
      "--url",
      server.url,
      "--key-file",
      keyFile("viewer", server.as({ tenant: server.a, userId: "vi", roles, permissions: new Set(["network.read"]) })),
    ]
    await link("core1", "e1", "core2", "e1")
    await link("core1", "e2", "core2", "e2")
    await link("core1", "e3", "acc1", "up")
  })
  const whatIf = (...args: readonly string[]) => heliograph("whatif", ...args, ...how)
  const topology = (...args: readonly string[]) => heliograph("topology", ...how, ...args)

  test("[what-if] names of devices, links, sites and ports become faults; what fails is told by name", async () => {
    const { code, out, err } = await whatIf("fail", "router:CORE1", "link:acc1~core1", "site:pop-2", "port:core2~e1")
    assert.deepEqual([code, err], [0, ""], out)
    assert.match(out, /^at \d{4}-/)
    assert.match(out, /^down {7}.*core1/m)
    assert.match(out, /^cut .*core1 e3 - acc1 up/m)
    assert.match(out, /^customers/m)
    assert.match(out, /^assumed/m)
    const drained = JSON.parse((await whatIf("fail", "drain:core1 e2~core2", "--json")).out) as WhatIfAnswer
    assert.deepEqual(
      drained.failed.drained.map(({ name }) => name),
      ["core1 e2 - core2 e2"],
    )
  })

  test("[what-if] a name that nothing has is told with what may be meant; one that several have with all of them", async () => {
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, out, err } = await whatIf(...args)
      assert.deepEqual([code, out], [2, ""])
      return err
    }
    assert.match(await told("fail", "router:cor1"), /there is no device "cor1"; did you mean "core1"\?/)
    assert.match(await told("fail", "router:core"), /did you mean "core1" or "core2"\?/)
    assert.match(
      await told("fail", "link:core1~core2"),
      /2 links are between core1 and core2: say which, core1 e1~core2 e1/,
    )
    assert.match(await told("fail", "link:core2~acc2"), /no link is between core2 and acc2; it has links to core1/)
    assert.match(await told("fail", "site:pop"), /there is no site "pop"; did you mean "pop-1" or "pop-2"\?/)
    assert.match(await told("fail", "group:duct"), /there is no shared-risk group "duct"/)
    assert.match(await told("paths", "core1", "accc1"), /did you mean "acc1"\?/)
  })

  test("[what-if] --at asks a branch of the twin as it was then: before there was anything the past is refused", async () => {
    const now = JSON.parse((await whatIf("fail", "router:core1", "--json")).out) as WhatIfAnswer
    const at = new Date(now.atMs).toISOString()
    const then = await whatIf("fail", "router:core1", "--at", at, "--json")
    assert.equal(then.code, 0, then.err)
    const past = JSON.parse(then.out) as WhatIfAnswer
    assert.ok(past.atMs <= now.atMs && past.seq > 0, then.out)
    const never = await whatIf("fail", "router:core1", "--at", "2001-01-01T00:00:00Z")
    assert.equal(never.code, 1)
    assert.match(never.err, /nothing is kept/)
    for (const words of [["next"], ["single"], ["paths", "acc1", "core2"]]) {
      const asked = await whatIf(...words, "--at", at, "--json")
      assert.equal(asked.code, 0, asked.err)
      const moment = JSON.parse(asked.out) as { readonly atMs: number }
      assert.ok(moment.atMs <= now.atMs, words.join(" "))
      assert.match((await whatIf(...words, "--at", "2001-01-01T00:00:00Z")).err, /nothing is kept/, words.join(" "))
    }
  })

  test("[next failure] [W8] the ranking, the ways between two devices, and who has no second one", async () => {
    const next = await whatIf("next", "--top", "2")
    assert.equal(next.code, 0, next.err)
    assert.match(next.out, /^\d+ tried, \d+ of them hurt somebody/m)
    const paths = await whatIf("paths", "acc1", "core2", "--k", "2")
    assert.match(paths.out, /^1 {2}cost \d+ {2}acc1 > core1 > core2$/m)
    assert.match(paths.out, /one link is on every way/)
    const single = await whatIf("single")
    assert.match(single.out, /acc1|everybody has a second way/)
    assert.match((await whatIf("single", "--lost")).out, /everybody has a second way/)
  })

  test("whoever may not ask is refused by the engine, in its words", async () => {
    const { code, out, err } = await heliograph("whatif", "next", ...viewer)
    assert.deepEqual([code, out], [1, ""])
    assert.match(err, /403|forbidden|whatif\.run/)
  })

  test("[W4] proposals are listed, accepted and rejected with a note, by the one who holds the key", async () => {
    await hears("acc2", { up: "core2 e7", side: "acc1 side" })
    await hears("core2", { e7: "acc2 up" })
    await hears("acc1", { side: "acc2 side" })
    const listed = async (): Promise<readonly LinkProposal[]> =>
      (JSON.parse((await topology("proposals", "--json")).out) as { items: readonly LinkProposal[] }).items
    let open = await listed()
    for (const endMs = Date.now() + 60_000; open.length < 2 && Date.now() < endMs;) open = await listed()
    assert.equal(open.length, 2)
    const words = await topology("proposals", "--device", "acc2")
    assert.match(words.out, /^\S+ {2}[01]\.\d\d {2}.*acc2.*\(.*lldp/m)
    const between = (name: string) => open.find(({ a, b }) => [a.deviceName, b.deviceName].includes(name))!
    const accepted = await topology("accept", between("core2").id, "--note", "seen it")
    assert.deepEqual([accepted.code, accepted.out], [0, `${between("core2").id} is accepted\n`])
    const rejected = await topology("reject", between("acc1").id)
    assert.equal(rejected.code, 0, rejected.err)
    assert.deepEqual(
      (await acts("^proposal\\.")).map(({ action }) => action),
      ["proposal.accept", "proposal.reject"],
    )
    assert.equal((await topology("accept", "nobody")).code, 1)
    assert.equal((await topology("roles")).code, 0)
  })

  test("[W5] [W8] groups by id, sites near a place and in a box, and the whole as a document that imports", async () => {
    const admin = server.as({ tenant: server.a, userId: "ada" })
    await server.ask(admin, "PUT", "/srlgs/duct-7", { name: "Duct 7", kind: "duct", links: [], sites: ["pop-1"] })
    assert.match((await topology("srlgs")).out, /^duct-7 +Duct 7 {2}\(kind duct, 1 sites\)$/m)
    assert.match((await topology("services")).out, /none is declared/)
    assert.match((await whatIf("fail", "group:Duct 7")).out, /^down {7}core1, core2/m)
    assert.match((await topology("near", "--", "-23.5,-46.7", "20")).out, /pop-1 .*\d km\n(.|\n)*2 sites/)
    assert.match((await topology("near", "--", "-24,-47", "-23,-46")).out, /2 sites/)
    assert.match((await topology("near", "0,0", "1,1")).out, /^0 sites/)
    assert.match(
      (await topology("near", "--devices", "--", "-23.5,-46.7", "20")).out,
      /^core1 +\S+ {2}pop-1 {2}\w+$(.|\n)*4 devices/m,
    )
    assert.match((await topology("near", "--devices", "--", "-24,-47", "-23,-46")).out, /4 devices/)
    assert.match((await topology("near", "--devices", "0,0", "1,1")).out, /^0 devices/)
    assert.match((await topology("places", "nowhere")).out, /^0 sites/)
    const file = join(dir, "export.json")
    assert.equal((await topology("export", file)).code, 0)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const parsed = parseImport(readFileSync(file))
    assert.ok(parsed.ok, JSON.stringify(parsed))
    assert.deepEqual([parsed.document.devices.length, parsed.document.srlgs?.length], [4, 1])
    const again = await topology("export", file)
    assert.deepEqual([again.code, /there already/.test(again.err)], [2, true])
    assert.equal((await topology("export")).out, readFileSync(file, "utf8"))
  })
})
