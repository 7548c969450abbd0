/** parse.ts: what a good file becomes, and that every kind of mistake is named by line, column and field. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import { AUTH_PROTOCOLS, PRIV_PROTOCOLS } from "#engine/collectors/target.ts"
import { formatImportErrors, IMPORT_BYTES_MAX, IMPORT_FIELDS, parseImport } from "#engine/import/parse.ts"
import type { ImportError } from "#engine/import/parse.ts"
import { MISTAKES_MAX } from "#engine/import/read.ts"
import { DNS_TYPES } from "#engine/probes/plan.ts"
import { ROLES } from "#protocol/role.ts"

const SITE = { id: "sao-1", name: "São Paulo 1", latitude: -23.55, longitude: -46.63 }
const device = (name: string, more: object = {}): object => ({
  name,
  address: "10.0.0.1",
  site: "sao-1",
  roles: ["core"],
  ...more,
})
const doc = (more: object = {}): object => ({
  sites: [SITE],
  devices: [device("r1"), device("r2")],
  links: [],
  ...more,
})

const errorsOf = (document: object | string): readonly ImportError[] => {
  const parsed = parseImport(typeof document === "string" ? document : JSON.stringify(document, null, 2))
  assert.ok(!parsed.ok, "a mistake was expected")
  return parsed.errors
}
const only = (document: object | string): string => {
  const errors = errorsOf(document)
  assert.equal(errors.length, 1, JSON.stringify(errors))
  return `${errors[0]!.path}: ${errors[0]!.message}`
}

test("a whole good document is taken, with its defaults", () => {
  const parsed = parseImport(
    JSON.stringify(
      doc({
        $schema: "./schema.json",
        devices: [
          device("r1", { snmp: { community: "public" }, routeros: { user: "ro", password: "" }, pollSeconds: 30 }),
          device("r2", {
            address: "2001:db8::2",
            snmp: {
              user: "noc",
              authProtocol: "sha256",
              authPassword: "longenough",
              privProtocol: "aes",
              privPassword: "longenough",
            },
            routeros: { user: "ro", password: "x", tls: true },
          }),
          device("r3", { address: "10.0.0.3", snmp: null }),
        ],
        links: [
          { a: { device: "r1", interface: "ether1" }, b: { device: "r2", interface: "ether1" }, capacityBps: 1e10 },
        ],
      }),
    ),
  )
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const [r1, r2, r3] = parsed.document.devices
  assert.deepEqual(r1?.snmp, { version: "2c", port: 161, community: "public" })
  assert.deepEqual(r1?.routeros, { port: 8728, user: "ro", password: "", tls: false })
  assert.equal(r1?.pollSeconds, 30)
  assert.equal(r2?.snmp?.version, "3")
  assert.equal(r2?.routeros?.port, 8729)
  assert.deepEqual([r3?.snmp, r3?.routeros, r3?.pollSeconds], [null, null, null])
  assert.equal(parsed.document.links[0]?.capacityBps, 1e10)
})

test("a syntax error is named by line and column", () => {
  assert.deepEqual(errorsOf('{\n  "sites": [,]\n}'), [
    { line: 2, column: 13, path: "", message: "a value should stand here" },
  ])
})

test("every mistake of a file is named at once, in the order of the file", () => {
  const errors = errorsOf(
    doc({
      sites: [{ ...SITE, latitude: 91 }],
      devices: [device("r1", { address: "router.example" }), device("r1", { snmp: { prot: 1, community: "c" } })],
    }),
  )
  assert.deepEqual(
    errors.map(({ line, column, path }) => `${line}:${column} ${path}`),
    ["6:19 sites[0].latitude", "13:18 devices[0].address", "20:15 devices[1].name", "27:9 devices[1].snmp.prot"],
  )
  assert.match(errors[3]!.message, /did you mean "port"\?/)
})

const MISTAKES: ReadonlyArray<[string, object, RegExp]> = [
  ["two sites with one id", doc({ sites: [SITE, SITE] }), /^sites\[1\]\.id: .*sites\[0\] already/],
  [
    "latitude out of range",
    doc({ sites: [{ ...SITE, latitude: -90.1 }] }),
    /^sites\[0\]\.latitude: must be from -90 to 90 \(degrees\)/,
  ],
  [
    "longitude as text",
    doc({ sites: [{ ...SITE, longitude: "46" }] }),
    /^sites\[0\]\.longitude: must be a number \(degrees\), not a text/,
  ],
  [
    "two devices with one name",
    doc({ devices: [device("r1"), device("r1")] }),
    /^devices\[1\]\.name: .*used by devices\[0\]/,
  ],
  [
    "unknown site",
    doc({ devices: [device("r1", { site: "sao-2" })] }),
    /^devices\[0\]\.site: .*did you mean "sao-1"\?/,
  ],
  ["host name", doc({ devices: [device("r1", { address: "r1.isp.net" })] }), /address: .*host names are not taken/],
  ["octal-looking address", doc({ devices: [device("r1", { address: "010.0.0.1" })] }), /address: /],
  ["multicast address", doc({ devices: [device("r1", { address: "239.1.1.1" })] }), /cannot be a device's address/],
  ["unspecified address", doc({ devices: [device("r1", { address: "::" })] }), /cannot be a device's address/],
  ["zone in an address", doc({ devices: [device("r1", { address: "fe80::1%eth0" })] }), /names a zone/],
  [
    "unknown role",
    doc({ devices: [device("r1", { roles: ["acess"] })] }),
    /^devices\[0\]\.roles\[0\]: .*did you mean "access"\?/,
  ],
  ["no role", doc({ devices: [device("r1", { roles: [] })] }), /roles: names no role/],
  [
    "one service twice",
    doc({ devices: [device("r1", { snmp: { community: "c" } }), device("r2", { snmp: { community: "c" } })] }),
    /^devices\[1\]\.snmp: .*devices\[0\] already/,
  ],
  [
    "v3 fields in v2c",
    doc({ devices: [device("r1", { snmp: { version: "2c", community: "c", privProtocol: "aes" } })] }),
    /privProtocol: belongs to version "3"/,
  ],
  [
    "short pass-phrase",
    doc({ devices: [device("r1", { snmp: { user: "u", authProtocol: "sha", authPassword: "short" } })] }),
    /authPassword: must have at least 8/,
  ],
  [
    "auth without password",
    doc({ devices: [device("r1", { snmp: { user: "u", authProtocol: "sha" } })] }),
    /authProtocol: needs authPassword/,
  ],
  [
    "fingerprint without tls",
    doc({
      devices: [device("r1", { routeros: { user: "u", password: "p", fingerprint: Array(32).fill("aa").join(":") } })],
    }),
    /fingerprint: needs tls/,
  ],
  [
    "port 0",
    doc({ devices: [device("r1", { snmp: { community: "c", port: 0 } })] }),
    /port: must be from 1 to 65535, not 0/,
  ],
  [
    "poll interval of half a second",
    doc({ devices: [device("r1", { pollSeconds: 0.5 })] }),
    /pollSeconds: must be a whole number \(s\), not 0.5/,
  ],
  [
    "link to a stranger",
    doc({ links: [{ a: { device: "r1", interface: "e1" }, b: { device: "r9", interface: "e1" } }] }),
    /^links\[0\]\.b\.device: "r9" is unknown/,
  ],
  [
    "link with itself",
    doc({ links: [{ a: { device: "r1", interface: "e1" }, b: { device: "r1", interface: "e1" } }] }),
    /^links\[0\]: connects an interface with itself/,
  ],
  [
    "control character in a name",
    doc({ devices: [device("r1\n2026 root logged in")] }),
    /name: holds a control character/,
  ],
  ["NUL in a name", doc({ sites: [{ ...SITE, name: "a\0b" }] }), /name: holds a control character/],
  [
    "lone surrogate",
    doc({ sites: [{ ...SITE, name: "a\ud800" }] }),
    /name: holds a control character or broken Unicode/,
  ],
  ["missing list", { sites: [SITE], devices: [] }, /^links: is missing/],
  ["unknown top field", doc({ device: [] }), /^device: .*did you mean "devices"\?/],
]
for (const [name, document, expected] of MISTAKES)
  test(`named: ${name}`, () => {
    assert.match(only(document), expected)
  })

test("the same link twice is refused in either direction", () => {
  const a = { device: "r1", interface: "e1" }
  const b = { device: "r2", interface: "e1" }
  const errors = errorsOf(
    doc({
      links: [
        { a, b },
        { a: b, b: a },
      ],
    }),
  )
  assert.deepEqual(
    errors.map((error) => error.path),
    ["links[1].a", "links[1].b"],
  )
})

test("no secret is ever quoted in an error", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 6, maxLength: 7 }).filter((text) => /^[a-z0-9]+$/i.test(text)),
      (noise) => {
        const secret = `S3${noise}`.slice(0, 7)
        const errors = errorsOf(
          doc({
            devices: [
              device("r1", {
                snmp: {
                  user: "u",
                  authProtocol: "sha",
                  authPassword: secret,
                  privProtocol: "aes",
                  privPassword: `${secret}\u0001x`,
                },
              }),
              device("r2", {
                routeros: { user: "u", password: `${secret}\u0000` },
                snmp: { version: "3", community: secret },
              }),
            ],
          }),
        )
        assert.ok(errors.length >= 4)
        assert.ok(!JSON.stringify(errors).includes(secret))
      },
    ),
  )
})

test("[C10] ping and probes: what is taken, and its defaults", () => {
  const read = (more: object) => {
    const parsed = parseImport(JSON.stringify(doc({ devices: [device("r1", more)] })))
    assert.ok(parsed.ok, JSON.stringify(parsed))
    const { pingSeconds, probes } = parsed.document.devices[0]!
    return { pingSeconds, probes }
  }
  assert.deepEqual(read({}), { pingSeconds: undefined, probes: undefined })
  assert.deepEqual(read({ ping: true, probes: [] }), { pingSeconds: undefined, probes: undefined })
  assert.equal(read({ ping: false }).pingSeconds, 0)
  assert.equal(read({ ping: { intervalSeconds: 5 } }).pingSeconds, 5)
  const probes = [
    { kind: "tcp", port: 179 },
    { kind: "http", tls: true, path: "/status?x=1", host: "www.example.net" },
    { kind: "dns", name: "_sip.example.net.", type: "NS", intervalSeconds: 60 },
  ]
  assert.deepEqual(read({ probes }).probes, [
    { kind: "tcp", port: 179, intervalSeconds: 30 },
    {
      kind: "http",
      tls: true,
      port: 443,
      path: "/status?x=1",
      host: "www.example.net",
      status: null,
      intervalSeconds: 30,
    },
    { kind: "dns", port: 53, name: "_sip.example.net.", type: "NS", intervalSeconds: 60 },
  ])
})

test("mistakes in ping and probes are named; nothing in them can aim a probe elsewhere or break a request", () => {
  const mistake = (more: object): string => only(doc({ devices: [device("r1", more)] }))
  assert.match(mistake({ ping: 5 }), /ping: must be true, false or an object/)
  assert.match(mistake({ ping: { intervalSeconds: 0 } }), /ping.intervalSeconds: must be from 1 to 60/)
  assert.match(mistake({ ping: {} }), /ping.intervalSeconds: is missing/)
  assert.match(mistake({ probes: {} }), /probes: must be a list/)
  assert.match(mistake({ probes: ["tcp"] }), /probes\[0\]: must be an object/)
  assert.match(mistake({ probes: [{ kind: "htp" }] }), /did you mean "http"/)
  assert.match(mistake({ probes: [{ kind: "tcp" }] }), /port: is missing/)
  assert.match(mistake({ probes: [{ kind: "tcp", port: 1, address: "10.9.9.9" }] }), /address: is not a known field/)
  assert.match(mistake({ probes: [{ kind: "http", path: "http://10.9.9.9/" }] }), /path: must begin with \//)
  assert.match(mistake({ probes: [{ kind: "http", path: "/a b" }] }), /path: must begin with/)
  assert.match(mistake({ probes: [{ kind: "http", host: "a:80@b" }] }), /host: must be a host name/)
  assert.match(mistake({ probes: [{ kind: "dns", name: "-x" }] }), /name: must be a domain name/)
  assert.match(
    mistake({
      probes: [
        { kind: "tcp", port: 1 },
        { kind: "tcp", port: 2 },
      ],
    }),
    /probes\[1\]: a device has one tcp probe/,
  )
})

test("limits: too many bytes, not UTF-8, and a bounded list of mistakes with an honest count", () => {
  assert.match(only(" ".repeat(IMPORT_BYTES_MAX + 1)), /at most/)
  const bad = parseImport(new Uint8Array([0x7b, 0xff, 0x7d]))
  assert.ok(!bad.ok && bad.errors[0]?.message === "is not UTF-8 text")
  const parsed = parseImport(
    JSON.stringify(doc({ devices: Array.from({ length: 250 }, (_, index) => device(`r${index}`, { site: "x" })) })),
  )
  assert.ok(!parsed.ok)
  assert.equal(parsed.errors.length, MISTAKES_MAX)
  assert.equal(parsed.total, 250)
  assert.match(formatImportErrors("net.json", parsed).at(-1)!, /150 more/)
})

test("any JSON at all gives a document or located errors, never an exception", () => {
  const soup = fc.object({
    key: fc.constantFrom("sites", "devices", "links", "a", "b", "name", "id", "snmp", "roles", "address"),
    maxDepth: 5,
  })
  fc.assert(
    fc.property(soup, (value) => {
      const parsed = parseImport(JSON.stringify(value))
      if (parsed.ok) return
      for (const error of parsed.errors) assert.ok(error.line >= 1 && error.column >= 1 && error.message !== "")
    }),
  )
})

test("schema.json and the parser name the same fields and words", () => {
  const schema = JSON.parse(readFileSync(new URL("schema.json", import.meta.url), "utf8")) as {
    properties: object
    $defs: Record<string, { properties: Record<string, { enum?: string[]; items?: { enum?: string[] } }> }>
  }
  assert.deepEqual(Object.keys(schema.properties), IMPORT_FIELDS.document)
  for (const [name, definition] of Object.entries(schema.$defs))
    assert.deepEqual(Object.keys(definition.properties), IMPORT_FIELDS[name as keyof typeof IMPORT_FIELDS], name)
  assert.deepEqual(
    Object.keys(schema.$defs).toSorted(),
    Object.keys(IMPORT_FIELDS)
      .filter((name) => name !== "document")
      .toSorted(),
  )
  assert.deepEqual(schema.$defs["device"]?.properties["roles"]?.items?.enum, ROLES)
  assert.deepEqual(schema.$defs["dnsProbe"]?.properties["type"]?.enum, DNS_TYPES)
  assert.deepEqual(schema.$defs["snmp"]?.properties["authProtocol"]?.enum, AUTH_PROTOCOLS)
  assert.deepEqual(schema.$defs["snmp"]?.properties["privProtocol"]?.enum, PRIV_PROTOCOLS)
})

test("an agent that pads may be let in, by version 2c and 3 alike; the word takes only true and false", () => {
  const snmpOf = (snmp: object): unknown => {
    const parsed = parseImport(JSON.stringify(doc({ devices: [device("r1", { snmp })] })))
    return parsed.ok ? parsed.document.devices[0]?.snmp : parsed.errors[0]?.message
  }
  assert.deepEqual(snmpOf({ community: "c", lenient: true }), {
    version: "2c",
    port: 161,
    community: "c",
    lenient: true,
  })
  assert.deepEqual(snmpOf({ user: "u", lenient: false }), { version: "3", port: 161, user: "u", lenient: false })
  assert.match(String(snmpOf({ community: "c", lenient: "yes" })), /true or false/)
})

test("[C23] snmp may be a list, tried in its order; each entry is checked as one alone, and named by its place", () => {
  const read = (snmp: unknown) =>
    parseImport(
      JSON.stringify({
        sites: [{ id: "s", name: "s", latitude: 0, longitude: 0 }],
        devices: [{ name: "d", address: "10.0.0.1", site: "s", roles: ["core"], snmp }],
        links: [],
      }),
    )
  const two = read([{ user: "u", authProtocol: "sha", authPassword: "S3CRET-1234" }, { community: "S3CRET" }])
  assert.ok(two.ok)
  assert.deepEqual(two.document.devices[0]!.snmp, {
    version: "3",
    port: 161,
    user: "u",
    authProtocol: "sha",
    authPassword: "S3CRET-1234",
    others: [{ version: "2c", port: 161, community: "S3CRET" }],
  })
  const one = read([{ community: "S3CRET" }])
  assert.deepEqual(one, read({ community: "S3CRET" }), "a list of one is that one")
  const wrong = (snmp: unknown, path: RegExp) => {
    const parsed = read(snmp)
    assert.ok(!parsed.ok)
    assert.ok(
      parsed.errors.some((error) => path.test(`${error.path}: ${error.message}`)),
      JSON.stringify(parsed.errors),
    )
    assert.ok(!JSON.stringify(parsed.errors).includes("S3CRET"))
  }
  wrong([], /^devices\[0\]\.snmp: names no credential/)
  wrong([{ community: "S3CRET" }, { community: "S3CRET", user: "S3CRET" }], /^devices\[0\]\.snmp\[1\]/)
  wrong([{ community: "S3CRET", others: [] }], /snmp\[0\]\.others/)
  wrong(
    Array.from({ length: 9 }, () => ({ community: "S3CRET" })),
    /9 entries; at most 8/,
  )
})
