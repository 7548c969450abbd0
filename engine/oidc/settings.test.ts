/** [O2] [S5] The OIDC settings: what does not fit together stops the start and is named; the role map is data. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { loadConfig } from "#engine/config.ts"
import { identityOf } from "#engine/oidc/claims.ts"
import { isSafeUrl, oidcSettings, readRoleMap } from "#engine/oidc/settings.ts"

const GOOD: Record<string, string> = {
  HELIOGRAPH_AUTH_MODE: "oidc",
  HELIOGRAPH_PUBLIC_URL: "https://noc.example/",
  HELIOGRAPH_OIDC_ISSUER: "https://id.example/realms/isp",
  HELIOGRAPH_OIDC_CLIENT_ID: "heliograph",
  HELIOGRAPH_OIDC_ROLE_CLAIM: "groups",
  HELIOGRAPH_OIDC_ROLE_MAP: '{"noc-team": "noc", "boss": ["manager", "auditor"]}',
  HELIOGRAPH_OIDC_TENANT: "norte",
}
const load = (env: Record<string, string>) => {
  const loaded = loadConfig({ env })
  return loaded._tag === "Config" ? oidcSettings(loaded.config) : loaded.errors
}

test("[S5] AUTH_MODE=local is no OIDC, whatever else is set; oidc needs all of its settings, named at once", () => {
  assert.equal(load({}), null)
  assert.equal(load({ ...GOOD, HELIOGRAPH_AUTH_MODE: "local" }), null)
  assert.deepEqual(load({ HELIOGRAPH_AUTH_MODE: "oidc" }), [
    "HELIOGRAPH_AUTH_MODE=oidc needs HELIOGRAPH_OIDC_ISSUER",
    "HELIOGRAPH_AUTH_MODE=oidc needs HELIOGRAPH_OIDC_CLIENT_ID",
    "HELIOGRAPH_AUTH_MODE=oidc needs HELIOGRAPH_OIDC_ROLE_CLAIM",
    "HELIOGRAPH_AUTH_MODE=oidc needs HELIOGRAPH_OIDC_ROLE_MAP",
    "HELIOGRAPH_AUTH_MODE=oidc needs HELIOGRAPH_PUBLIC_URL",
    "HELIOGRAPH_AUTH_MODE=oidc needs either HELIOGRAPH_OIDC_TENANT or HELIOGRAPH_OIDC_TENANT_CLAIM",
  ])
  const both = load({ ...GOOD, HELIOGRAPH_OIDC_TENANT_CLAIM: "isp" })
  assert.match(String(both), /needs either/)
})

test("[S5] the settings as the relying party gets them", () => {
  const settings = load({ ...GOOD, HELIOGRAPH_OIDC_CLIENT_SECRET: "hush-hush-hush", HELIOGRAPH_OIDC_NAME: "ISP login" })
  assert.ok(settings !== null && !Array.isArray(settings) && "issuer" in settings)
  const { clientSecret, roleMap, ...rest } = settings
  assert.deepEqual(rest, {
    issuer: "https://id.example/realms/isp",
    name: "ISP login",
    clientId: "heliograph",
    redirectUri: "https://noc.example/oidc/callback",
    roleClaim: "groups",
    tenant: { slug: "norte" },
  })
  assert.equal(Redacted.value(clientSecret!), "hush-hush-hush")
  assert.ok(!JSON.stringify(settings).includes("hush"))
  assert.deepEqual(
    [...roleMap],
    [
      ["noc-team", ["noc"]],
      ["boss", ["manager", "auditor"]],
    ],
  )
})

test("[S7] the client secret may stand in a file", () => {
  const loaded = loadConfig({
    env: { ...GOOD, HELIOGRAPH_OIDC_CLIENT_SECRET_FILE: "/run/secrets/oidc" },
    readFile: (path) => (path === "/run/secrets/oidc" ? "out of a file\n" : ""),
  })
  assert.ok(loaded._tag === "Config")
  assert.equal(Redacted.value(loaded.config.oidcClientSecret!), "out of a file")
})

test("[S5] an issuer over plain http is taken on 127.0.0.1 alone", () => {
  for (const url of ["https://id.example", "http://127.0.0.1:9000", "http://127.0.0.1/realm"])
    assert.ok(isSafeUrl(url), url)
  for (const url of [
    "http://id.example",
    "http://localhost",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.2",
    "http://[::1]",
    "http://0.0.0.0",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "",
    "https",
  ])
    assert.ok(!isSafeUrl(url), url)
  assert.match(String(load({ ...GOOD, HELIOGRAPH_OIDC_ISSUER: "http://id.example" })), /ISSUER must be https/)
})

test("[S5] the role map is a JSON object of texts and roles, and nothing else", () => {
  for (const text of [
    "",
    "{}",
    "[]",
    "null",
    '"noc"',
    '{"a": 1}',
    '{"a": []}',
    '{"a": ["noc", 1]}',
    '{"": "noc"}',
    '{"a": "NOC"}',
    '{"a": "-"}',
    "{'a': 'noc'}",
    JSON.stringify(Object.fromEntries(Array.from({ length: 201 }, (_, nth) => [`g${nth}`, "noc"]))),
  ]) {
    assert.equal(readRoleMap(text), null, text.slice(0, 40))
    if (text !== "")
      assert.match(String(load({ ...GOOD, HELIOGRAPH_OIDC_ROLE_MAP: text })), /ROLE_MAP must be a JSON object/)
  }
})

test("[S5] property: roles come only from values that the map names, whatever a claim looks like", () => {
  const map = readRoleMap('{"noc-team": "noc", "boss": ["manager", "auditor"], "__proto__x": "viewer"}')!
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.array(fc.oneof(fc.constantFrom("noc-team", "boss", "toString"), fc.anything()))),
      (claim) => {
        const found = identityOf(
          { iss: "https://id.example", sub: "s", groups: claim },
          { roleClaim: "groups", roleMap: map, tenant: { slug: "norte" } },
        )
        const values = (Array.isArray(claim) ? claim : [claim]) as unknown[]
        const expected = [
          ...(values.includes("boss") ? ["auditor", "manager"] : []),
          ...(values.includes("noc-team") ? ["noc"] : []),
        ]
        assert.deepEqual("refused" in found ? [] : found.roles, expected)
      },
    ),
  )
  const inherited = identityOf(
    { iss: "i", sub: "s" },
    { roleClaim: "constructor", roleMap: map, tenant: { claim: "toString" } },
  )
  assert.deepEqual("refused" in inherited && inherited.refused, "no-tenant")
})
