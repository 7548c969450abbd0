/** CSV of devices: every column arrives where it belongs, mistakes have their line, and no cell does anything but be data. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { CSV_COLUMNS, parseCsv, type KnownSites } from "#engine/import/csv.ts"
import type { ParsedImport } from "#engine/import/parse.ts"

const KNOWN: KnownSites = new Map([["pop-1", { name: "POP 1", latitude: 1, longitude: 2 }]])
const good = (text: string) => {
  const parsed = parseCsv(text, KNOWN)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.document
}
const mistakes = (text: string): ReadonlyArray<readonly [number, string, string]> => {
  const parsed: ParsedImport = parseCsv(text, KNOWN)
  assert.ok(!parsed.ok)
  return parsed.errors.map(({ line, path, message }) => [line, path, message])
}
const HEAD = "name,address,site,roles"

test("[T8] every column", () => {
  const row = {
    name: "core1",
    address: "2001:db8::1",
    site: "x",
    site_name: "X",
    latitude: "-1.5",
    longitude: "+2",
    roles: "core|edge",
    poll_seconds: "10",
    ping_seconds: "0",
    snmp_version: "3",
    snmp_port: "1161",
    community: "",
    snmp_user: "noc",
    auth_protocol: "sha256",
    auth_password: "=auth-pass-1",
    priv_protocol: "aes",
    priv_password: "-priv-pass-1",
    routeros_user: "api",
    routeros_password: "",
    routeros_port: "8729",
    routeros_tls: "yes",
  }
  assert.deepEqual(Object.keys(row), [...CSV_COLUMNS])
  const { sites, devices } = good(`${Object.keys(row).join(",")}\n${Object.values(row).join(",")}\n`)
  assert.deepEqual(sites, [{ id: "x", name: "X", latitude: -1.5, longitude: 2 }])
  assert.deepEqual(devices, [
    {
      name: "core1",
      address: "2001:db8::1",
      site: "x",
      roles: ["core", "edge"],
      pollSeconds: 10,
      pingSeconds: 0,
      snmp: {
        version: "3",
        port: 1161,
        user: "noc",
        authProtocol: "sha256",
        authPassword: "=auth-pass-1",
        privProtocol: "aes",
        privPassword: "-priv-pass-1",
      },
      routeros: { port: 8729, user: "api", password: "", tls: true },
    },
  ])
})

test("[T8] a byte order mark, line ends of any kind, empty lines, semicolons and quoted commas", () => {
  for (const text of [
    `\uFEFF${HEAD}\r\nr1,192.0.2.1,pop-1,core\r\n\r\n`,
    `${HEAD}\n"r1","192.0.2.1","pop-1","core"`,
    `${HEAD.replaceAll(",", ";")}\nr1;192.0.2.1;pop-1;core`,
    `ROLES,Site,ADDRESS,name\ncore,pop-1,192.0.2.1,r1`,
  ]) {
    const { sites, devices } = good(text)
    assert.deepEqual([devices[0]!.name, devices[0]!.address], ["r1", "192.0.2.1"])
    assert.deepEqual(sites, [{ id: "pop-1", name: "POP 1", latitude: 1, longitude: 2 }])
  }
})

test("[T8] mistakes have the line and the column", () => {
  assert.deepEqual(
    mistakes(`${HEAD}\nr1,192.0.2.1,pop-1,core\nr2,nowhere,pop-1,core\nr3,192.0.2.3,pop-1,king`).map((it) =>
      it.slice(0, 2),
    ),
    [
      [3, "address"],
      [4, "roles"],
    ],
  )
  assert.deepEqual(mistakes(`${HEAD}\nr1,192.0.2.1,new,core`), [
    [2, "site", "is not known: give its latitude and longitude on this line"],
  ])
  assert.match(mistakes(`${HEAD}\nr1,192.0.2.1,pop-1,core\nr1,192.0.2.2,pop-1,core`)[0]!.join(" "), /^3 name .*line 2/)
  assert.match(mistakes(`${HEAD},adress\n`)[0]!.join(" "), /^1 adress .*did you mean address\?/)
  assert.deepEqual(
    mistakes("name,address\nx,y").map((it) => it.slice(0, 2)),
    [
      [1, "site"],
      [1, "roles"],
    ],
  )
  assert.equal(mistakes("")[0]![0], 1)
  assert.equal(mistakes(`${HEAD}\n"open`).length, 1)
  assert.match(mistakes(`${HEAD}\nr1,192.0.2.1,pop-1,core,what`)[0]!.join(" "), /^2 .*5 cells/)
  const moved = `${HEAD},latitude,longitude\nr1,192.0.2.1,n,core,1,1\nr2,192.0.2.2,n,core,2,2`
  assert.match(mistakes(moved)[0]!.join(" "), /^3 site .*line 2/)
})

test("[S9] a cell that a spreadsheet would run is refused, in every column that can come out again", () => {
  for (const evil of ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)"])
    for (const column of ["name", "address", "site", "site_name", "roles", "snmp_user", "routeros_user"] as const) {
      const cells = { name: "r1", address: "192.0.2.1", site: "pop-1", roles: "core", [column]: evil }
      const text = `${Object.keys(cells).join(",")}\n${Object.values(cells)
        .map((cell) => `"${cell.replaceAll('"', '""')}"`)
        .join(",")}`
      assert.ok(
        mistakes(text).some(([line, path, message]) => line === 2 && path === column && message.includes("formula")),
        text,
      )
    }
})

test("[S4] no mistake quotes a password, wherever it stands", () => {
  const secret = "canary-pass-77"
  for (const text of [
    `${HEAD},auth_protocol,auth_password,snmp_user\nr1,192.0.2.1,pop-1,core,none,${secret},u`,
    `${HEAD},community,snmp_version\nr1,192.0.2.1,pop-1,core,${secret},3`,
    `${HEAD},routeros_password\nr1,192.0.2.1,pop-1,core,${secret}`,
    `${HEAD},community\nr1,192.0.2.1,pop-1,core,"${secret}`,
    `${HEAD},community\nr1,192.0.2.1,pop-1,core,${secret}"x"y`,
  ])
    assert.ok(!JSON.stringify(mistakes(text)).includes(secret), text)
})

test("[S9] any text at all is read or refused with lines that it has", () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom("", "r1", "192.0.2.1", "pop-1", "core", "=1", '"', "\n", ","))
  const table = fc
    .tuple(fc.subarray([...CSV_COLUMNS]), fc.array(fc.array(cell, { maxLength: 6 }), { maxLength: 5 }))
    .map(([head, rows]) => [head, ...rows].map((row) => row.join(",")).join("\n"))
  fc.assert(
    fc.property(fc.oneof(fc.string(), table), (text) => {
      const parsed = parseCsv(text, KNOWN)
      if (parsed.ok) return
      assert.ok(parsed.errors.length > 0 && parsed.total >= parsed.errors.length)
      const lines = text.split(/\r\n|\r|\n/).length
      for (const error of parsed.errors) assert.ok(error.line >= 1 && error.line <= lines, JSON.stringify(error))
    }),
    { numRuns: 2000 },
  )
})
