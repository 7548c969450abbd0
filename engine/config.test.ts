/** [O2] Settings: unknown or bad ones stop the start and are named, all at once; secrets never show. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describeConfig, formatConfigErrors, loadConfig, SETTINGS, settingsHelp } from "#engine/config.ts"
import type { ConfigInput, LoadedConfig } from "#engine/config.ts"

const good = (input: ConfigInput): LoadedConfig => {
  const loaded = loadConfig(input)
  assert.equal(loaded._tag, "Config", JSON.stringify(loaded))
  return loaded as LoadedConfig
}
const errors = (input: ConfigInput): readonly string[] => {
  const loaded = loadConfig(input)
  assert.equal(loaded._tag, "ConfigErrors")
  return loaded._tag === "ConfigErrors" ? loaded.errors : []
}
const files =
  (contents: Record<string, string>) =>
  (path: string): string => {
    const found = contents[path]
    if (found === undefined) throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" })
    return found
  }

test("with nothing set, every setting has its default", () => {
  const { config, sources } = good({ env: { PATH: "/bin", HOME: "/root" } })
  assert.deepEqual([config.port, config.host, config.dataDir, config.pollSeconds], [8080, "127.0.0.1", "./data", 10])
  assert.deepEqual(
    [config.trapPort, config.syslogPort, config.adminUser, config.databaseUrl],
    [10162, 10514, "admin", null],
  )
  assert.ok(Object.values(sources).every((source) => source === "default"))
})

test("[O2] all mistakes are named at once, with a near name", () => {
  const found = errors({
    env: {
      HELIOGRAPH_PROT: "1",
      HELIOGRAPH_POLL_SECONDS: "0",
      HELIOGRAPH_LOG_LEVEL: "loud",
      HELIOGRAPH_HOST: "noc.example",
      DATABASE_URL: "mysql://x",
    },
  })
  assert.equal(found.length, 5)
  const all = found.join("\n")
  assert.match(all, /HELIOGRAPH_PROT is not a setting; did you mean HELIOGRAPH_PORT\?/)
  assert.match(all, /HELIOGRAPH_POLL_SECONDS must be a whole number, 1 to 3600, not "0" \(from environment\)/)
  assert.match(all, /HELIOGRAPH_LOG_LEVEL must be one of debug, info, warn, error, not "loud"/)
  assert.match(all, /HELIOGRAPH_HOST must be an IPv4/)
  assert.match(all, /DATABASE_URL must be a postgres:\/\/ URL \(its value is not shown\)/)
})

test("the bounds of every number hold at N and N+1", () => {
  for (const setting of Object.values(SETTINGS)) {
    const bounds = /(-?\d+) to (\d+)$/.exec(setting.bounds)
    if (bounds === null || !setting.bounds.startsWith("whole number")) continue
    const [low, high] = [Number(bounds[1]), Number(bounds[2])]
    for (const value of [low, high]) good({ env: { [setting.name]: String(value) } })
    for (const value of [low - 1, high + 1, `${low}.5`, "1e3", " 5", "0x10"]) {
      const found = errors({ env: { [setting.name]: String(value) } })
      assert.ok(found.length === 1 && found[0]!.startsWith(setting.name), `${setting.name}=${value}`)
    }
  }
})

test("the environment wins over the file, the file over the default", () => {
  const readFile = files({ "/etc/h.json": '{"HELIOGRAPH_PORT": 9000, "HELIOGRAPH_POLL_SECONDS": "30"}' })
  const { config, sources } = good({ env: { HELIOGRAPH_CONFIG: "/etc/h.json", HELIOGRAPH_PORT: "9100" }, readFile })
  assert.deepEqual([config.port, config.pollSeconds], [9100, 30])
  assert.deepEqual([sources.port, sources.pollSeconds, sources.host], ["environment", "/etc/h.json", "default"])
  assert.match(
    errors({ env: {}, file: "/etc/h.json", readFile: files({ "/etc/h.json": '{"HELIOGRAPH_PORTS": 1}' }) })[0]!,
    /did you mean HELIOGRAPH_PORT\?.*\/etc\/h.json/,
  )
  assert.match(errors({ env: {}, file: "/none", readFile })[0]!, /HELIOGRAPH_CONFIG: "\/none" cannot be read/)
  for (const text of ["[]", "nonsense", "null"])
    assert.equal(errors({ env: {}, file: "/x", readFile: files({ "/x": text }) }).length, 1)
})

test("a secret may stand in a file of its own, but not in two places", () => {
  const readFile = files({ "/run/secrets/pw": "correct horse\n" })
  const { config, sources } = good({ env: { HELIOGRAPH_ADMIN_PASSWORD_FILE: "/run/secrets/pw" }, readFile })
  assert.equal(Redacted.value(config.adminPassword!), "correct horse")
  assert.equal(sources.adminPassword, "/run/secrets/pw")
  const both = { HELIOGRAPH_ADMIN_PASSWORD_FILE: "/run/secrets/pw", HELIOGRAPH_ADMIN_PASSWORD: "another one" }
  assert.match(errors({ env: both, readFile })[0]!, /are both set/)
  assert.match(
    errors({ env: { HELIOGRAPH_METRICS_TOKEN_FILE: "/none" }, readFile })[0]!,
    /METRICS_TOKEN_FILE.*cannot be read/,
  )
})

test("[S7] every secret setting may stand in a file: a secret without its NAME_FILE fails here", () => {
  const values: Readonly<Record<string, string>> = { DATABASE_URL: "postgres://u:pw@h/d" }
  const secrets = Object.entries(SETTINGS).filter(([, setting]) => setting.secret)
  assert.ok(secrets.length >= 3)
  for (const [key, setting] of secrets) {
    const value = values[setting.name] ?? "a-secret-that-is-long-enough-for-every-rule-0"
    const readFile = files({ "/run/secrets/one": `${value}\n` })
    const loaded = good({ env: { [`${setting.name}_FILE`]: "/run/secrets/one" }, readFile })
    const got = loaded.config[key as keyof typeof loaded.config]
    assert.ok(Redacted.isRedacted(got), setting.name)
    assert.equal(Redacted.value(got), value, setting.name)
    assert.ok(settingsHelp().includes(`${setting.name}_FILE`))
  }
  // What sounds like a secret is declared as one, or is the path of a file.
  for (const { name, secret } of Object.values(SETTINGS))
    if (/SECRET|PASSWORD|TOKEN|_KEY/.test(name)) assert.ok(secret || name.endsWith("_FILE"), name)
})

test("[S8] certificate and key come together, and browsers then say https", () => {
  const [cert, key] = ["HELIOGRAPH_TLS_CERT_FILE", "HELIOGRAPH_TLS_KEY_FILE"]
  assert.match(errors({ env: { [cert]: "/c" } })[0]!, /HELIOGRAPH_TLS_KEY_FILE is missing/)
  assert.match(errors({ env: { [key]: "/k" } })[0]!, /HELIOGRAPH_TLS_CERT_FILE is missing/)
  good({ env: { [cert]: "/c", [key]: "/k" } })
  good({ env: { [cert]: "/c", [key]: "/k", HELIOGRAPH_PUBLIC_URL: "https://noc.example" } })
  assert.match(errors({ env: { [cert]: "/c", [key]: "/k", HELIOGRAPH_PUBLIC_URL: "http://noc.example" } })[0]!, /https/)
})

test("[27] no secret is printed: not in the list, not in errors, not by inspection", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]{12,40}$/), (noise) => {
      const secret = `Zz9${noise}`
      const loaded = good({
        env: {
          HELIOGRAPH_ADMIN_PASSWORD: secret,
          HELIOGRAPH_METRICS_TOKEN: `${secret}0000`,
          DATABASE_URL: `postgres://u:${secret}@h/d`,
        },
      })
      const shown = [
        describeConfig(loaded).join("\n"),
        inspect(loaded, { depth: 9, showHidden: true }),
        JSON.stringify(loaded),
        String(loaded.config.databaseUrl),
      ]
      for (const text of shown) assert.ok(!text.includes(secret), text)
      const bad = loadConfig({
        env: {
          HELIOGRAPH_METRICS_TOKEN: `Zz9${noise.slice(0, 8)}`,
          DATABASE_URL: `oracle://u:${secret}@h`,
          HELIOGRAPH_PUBLIC_URL: `https://u:${secret}@h`,
          HELIOGRAPH_CONFIG: "/c",
        },
        readFile: files({ "/c": `{"HELIOGRAPH_ADMIN_PASSWORD": "${secret}" oops}` }),
      })
      assert.ok(bad._tag === "ConfigErrors" && bad.errors.length === 4, JSON.stringify(bad))
      assert.ok(!formatConfigErrors(bad).includes(noise.slice(0, 8)), formatConfigErrors(bad))
    }),
    { numRuns: 50 },
  )
})

test("variables of another program of this house can be declared, others stay unknown", () => {
  good({ env: { HELIOGRAPH_LAB_SEED: "1" }, foreign: ["HELIOGRAPH_LAB_SEED"] })
  assert.equal(errors({ env: { HELIOGRAPH_LAB_SEED: "1" } }).length, 1)
})

test("a name with control characters cannot write to the terminal", () => {
  const [message] = errors({ env: { "HELIOGRAPH_\u001b[2J\n": "1" } })
  assert.ok(message !== undefined && !/\p{Cc}/u.test(message), JSON.stringify(message))
})

test("--help names every setting with default, bounds and unit", () => {
  const help = settingsHelp()
  for (const setting of Object.values(SETTINGS)) {
    assert.ok(help.includes(`  ${setting.name}\n      ${setting.doc}`))
    assert.ok(help.includes(setting.bounds))
  }
  assert.match(help, /HELIOGRAPH_POLL_SECONDS\n.*\n.*1 to 3600; unit s; default 10/)
})

test("syslog over TLS needs the engine's certificate, and a port that is one", () => {
  const tls = { HELIOGRAPH_TLS_CERT_FILE: "/c.pem", HELIOGRAPH_TLS_KEY_FILE: "/k.pem" }
  assert.equal(good({ env: { ...tls, HELIOGRAPH_SYSLOG_TLS_PORT: "6514" } }).config.syslogTlsPort, "6514")
  assert.equal(good({ env: tls }).config.syslogTlsPort, null)
  assert.deepEqual(errors({ env: { HELIOGRAPH_SYSLOG_TLS_PORT: "6514" } }), [
    "HELIOGRAPH_SYSLOG_TLS_PORT needs a certificate: set HELIOGRAPH_TLS_CERT_FILE and HELIOGRAPH_TLS_KEY_FILE",
  ])
  for (const port of ["65536", "-1", "06514", "syslog"])
    assert.equal(errors({ env: { ...tls, HELIOGRAPH_SYSLOG_TLS_PORT: port } }).length, 1, port)
})
