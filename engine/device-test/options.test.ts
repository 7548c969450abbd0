/** Credentials of a connection test: what is accepted, what is refused, and that no refusal repeats a secret. */
import assert from "node:assert/strict"
import test from "node:test"
import { asOne, inOrder } from "#engine/collectors/target.ts"
import { readCredentials, WrongOptions } from "#engine/device-test/options.ts"
import { fingerprint, GENERIC } from "#engine/collectors/snmp/vendors.ts"

const wrong = (options: Record<string, string | boolean>, env: Record<string, string> = {}): string => {
  try {
    readCredentials(options, env)
  } catch (cause) {
    assert.ok(cause instanceof WrongOptions)
    assert.ok(!cause.message.includes("S3CRET"), cause.message)
    return cause.message
  }
  return "accepted"
}

test("[S7] a community on the command line is used and warned about, one from the environment is not", () => {
  const spoken = readCredentials({ "snmp-v2c": "S3CRET" }, {})
  assert.deepEqual(spoken.snmp, { version: "2c", port: 161, community: "S3CRET" })
  assert.match(spoken.warnings.join(), /command line/)
  assert.ok(!spoken.warnings.join().includes("S3CRET"))
  const kept = readCredentials({ "snmp-v2c-env": "C", "snmp-port": "1161" }, { C: "S3CRET" })
  assert.deepEqual(kept.snmp, { version: "2c", port: 1161, community: "S3CRET" })
  assert.ok(!kept.warnings.join().includes("command line"))
})

test("v3 needs what its level needs, and nothing that cannot be", () => {
  const env = { A: "auth-S3CRET", P: "priv-S3CRET", SHORT: "S3CRET" }
  const auth = { "snmp-v3": "u", "auth-protocol": "SHA256", "auth-password-env": "A" }
  assert.deepEqual(readCredentials(auth, env).snmp, {
    version: "3",
    port: 161,
    user: "u",
    authProtocol: "sha256",
    authPassword: "auth-S3CRET",
  })
  assert.match(wrong({ ...auth, "priv-protocol": "aes" }, env), /needs --priv-password-file/)
  assert.match(wrong({ "snmp-v3": "u", "priv-protocol": "aes", "priv-password-env": "P" }, env), /no privacy without/)
  assert.match(wrong({ ...auth, "auth-password-env": "SHORT" }, env), /shorter than 8/)
  assert.match(wrong({ ...auth, "auth-protocol": "S3CRET" }, env), /takes one of md5/)
  assert.match(wrong({ "auth-protocol": "md5" }, env), /belong to --snmp-v3/)
})

test("[C23] several credentials: v3 first, then communities as they were given; no more than eight", () => {
  const env = { A: "auth-S3CRET", C: "third" }
  const given = {
    "snmp-v3": "u",
    "auth-protocol": "sha256",
    "auth-password-env": "A",
    "snmp-v2c": ["first", "second"],
    "snmp-v2c-env": ["C"],
  }
  const { snmp } = readCredentials(given as never, env)
  assert.deepEqual(
    inOrder(snmp).map((one) => (one.version === "3" ? one.user : one.community)),
    ["u", "first", "second", "third"],
  )
  assert.deepEqual(asOne(inOrder(snmp)), snmp)
  assert.match(wrong({ "snmp-v2c": Array.from({ length: 9 }, () => "S3CRET") } as never), /at most 8/)
  assert.match(wrong({ "snmp-v2c": ["a", ""] } as never), /1 to 255/)
})

test("the API's password is never a command-line word", () => {
  assert.match(wrong({ routeros: "u:S3CRET@" }), /USER@ alone/)
  assert.match(wrong({ routeros: "u@" }), /needs --password-file/)
  assert.match(wrong({ routeros: "u@", "password-env": "NONE" }), /no environment variable/)
  assert.match(wrong({ routeros: "u@", "password-file": "/nonexistent/S" }), /cannot be read \(ENOENT\)/)
  const env = { P: "S3CRET" }
  const { routeros } = readCredentials({ routeros: "u@", "password-env": "P", "routeros-tls": true }, env)
  assert.deepEqual(routeros, { port: 8729, user: "u", password: "S3CRET", tls: true })
  assert.match(wrong({ routeros: "u@", "password-env": "P", "routeros-port": "0" }, env), /takes a port/)
})

test("vendors by enterprise number, versions and models by sysDescr; hostile text is only text", () => {
  const of = (objectId: string, descr: string) => Object.values(fingerprint(`1.3.6.1.4.1.${objectId}`, descr))
  assert.deepEqual(of("14988.2", "CSS106-1G-4P-1S SwOS v2.11"), ["MikroTik", "CSS106-1G-4P-1S", "SwOS 2.11"])
  assert.deepEqual(of("9.1.1", "Cisco IOS XR Software (Cisco ASR9K Series),  Version 5.3.4[Default]"), [
    "Cisco",
    "ASR9K Series",
    "IOS XR 5.3.4",
  ])
  assert.deepEqual(of("2636.1", "Juniper Networks, Inc. mx5-t internet router, kernel JUNOS 19.4R3.11, Build"), [
    "Juniper",
    "mx5-t",
    "Junos 19.4R3.11",
  ])
  assert.deepEqual(of("41112.1.5", "EdgeOS v1.8.0.4853089.160219.1607"), ["Ubiquiti", null, "EdgeOS 1.8.0"])
  assert.deepEqual(of("6527.1", "TiMOS-B-9.0.R11 both/hops Nokia 7705 SAR Copyright"), [
    "Nokia",
    "7705 SAR",
    "TiMOS 9.0.R11",
  ])
  assert.deepEqual(of("8072.3.2.10", "Linux r1 6.1.0-18-amd64 #1 SMP"), ["net-snmp", null, "Linux 6.1.0-18-amd64"])
  assert.equal(fingerprint(null, "Version ".repeat(100_000)).vendor, GENERIC)
  assert.equal(fingerprint("1.3.6.1.4.1.9", "Version ".repeat(100_000)).vendor, "Cisco")
  assert.equal(fingerprint("1.3.6.1.4.1.", null).vendor, GENERIC)
})
