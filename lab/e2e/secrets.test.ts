/**
 * [S7] Canary secrets (notes/security.md row 27). An engine polls real sockets with known secrets, rightly and wrongly; people
 * and programs sign in, rightly and wrongly; documents and commands that hold secrets fail. Then everything that came out
 * (log, answers, frames, metrics, command lines) and everything that is kept (all tables, all files) is searched for them.
 * A planted word that is no secret proves that the search finds what is there.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { REPOSITORY } from "#lab/drive/child.ts"
import { choosePorts, PASSWORD, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startLab } from "#lab/drive/lab.ts"
import { filesOf, listen, searchTables } from "#lab/e2e/everywhere.fixture.ts"

const METRICS_TOKEN = "canary-metrics-token-5c1f0f2ab7"
/** Of the lab's routers (lab/isp/equip.ts): with these the polls succeed. Each begins with the community. */
const LAB_SECRETS = ["aurora-demo"]
/** With these they fail. */
const WRONG = {
  community: "canary-community-91be",
  auth: "canary-auth-password-77aa",
  priv: "canary-priv-password-03cd",
  api: "canary-routeros-password-6e2f",
  database: "canary-database-password-ab12",
  signIn: "canary-mistyped-password-4d9c",
  bearer: "hgk_canarybearer-8f3a",
}
/** No secret: the name of a device. */
const CONTROL = "controlword5173"

interface Device {
  readonly name: string
  readonly address: string
  readonly site: string
  readonly snmp: Readonly<Record<string, unknown>>
  readonly routeros?: Readonly<Record<string, unknown>>
}

const withWrongOnes = (document: Record<string, unknown>): Record<string, unknown> => {
  const devices = document["devices"] as readonly Device[]
  const [first] = devices
  const speaking = devices.find(({ routeros }) => routeros !== undefined)
  assert.ok(first !== undefined && speaking !== undefined)
  const base = { site: first.site, roles: ["core"], ping: false, pollSeconds: 1 }
  const { port } = first.snmp
  const v3 = { version: "3", user: "heliograph", port, authProtocol: "sha256", authPassword: WRONG.auth }
  return {
    ...document,
    devices: [
      ...devices.map((device) => ({ ...device, pollSeconds: 1 })),
      { ...base, name: CONTROL, address: "127.7.7.1", snmp: { community: WRONG.community } },
      {
        ...base,
        name: "wrong-v3",
        address: "127.7.7.2",
        snmp: { ...v3, privProtocol: "aes", privPassword: WRONG.priv },
      },
      { ...base, name: "wrong-api", address: "127.7.7.3", routeros: { ...speaking.routeros, password: WRONG.api } },
    ],
  }
}

/** Output of a command, both streams, whatever its exit code. */
const heliograph = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
  const child = spawn(process.execPath, ["engine/cli.ts", ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
  })
  let output = ""
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (output += chunk))
  await once(child, "close")
  return output
}

test(
  "[S7] no secret gets out or is kept in clear: log, API, frames, metrics, command line, tables, files",
  { skip: NO_POSTGRES },
  async (t) => {
    const data = await temporaryDataDir()
    const ports = await choosePorts()
    const dataDir = join(data.path, "engine")
    mkdirSync(dataDir)
    const tokenFile = join(data.path, "metrics-token")
    writeFileSync(tokenFile, `${METRICS_TOKEN}\n`, { mode: 0o600 })
    const [trap, syslog] = [`127.0.0.1:${ports.trap}`, `127.0.0.1:${ports.syslog}`]
    const lab = await startLab({ routers: 14, seed: 5, trap, syslog, stateFile: join(data.path, "lab.json") })
    const env = {
      HELIOGRAPH_METRICS_TOKEN_FILE: tokenFile,
      HELIOGRAPH_LOG_LEVEL: "debug",
      HELIOGRAPH_POLL_SECONDS: "1",
    }
    let engine: Engine | undefined
    try {
      engine = await startEngine({ dataDir, ports, env })
      const document = withWrongOnes(await lab.importDocument())
      const outputs: string[] = [await engine.importDocument(document)]
      const cookie = await engine.signIn()
      const stream = await listen(engine.url, cookie)
      const secrets = [...LAB_SECRETS, METRICS_TOKEN, PASSWORD, cookie.split("=")[1]!, ...Object.values(WRONG)]

      const { shown, texts } = await talk(engine, cookie, document)
      secrets.push(...shown)
      outputs.push(...texts)
      const failures = async (): Promise<number> =>
        [...(await engine!.metrics(cookie))]
          .filter(([name]) => name.startsWith("heliograph_polls_failed_total"))
          .reduce((sum, [, value]) => sum + value, 0)
      await eventually(async () => (await failures()) >= 4)
      await eventually(() => Promise.resolve(stream.frames.length > 10))
      outputs.push(...(await commands(document, data.path, dataDir, env)))
      await stream.close()

      const found: string[] = []
      let searched = 0
      const search = (where: string, bytes: Buffer): boolean => {
        searched += 1
        for (const secret of secrets)
          if (bytes.includes(secret) || bytes.includes(hexOf(secret))) found.push(`${secret} in ${where}`)
        return bytes.includes(CONTROL)
      }
      let control = 0
      for (const [index, text] of outputs.entries()) if (search(`output ${index}`, Buffer.from(text))) control += 1
      for (const frame of stream.frames) search("a frame of the stream", frame)
      for (const line of [...engine.child.lines, ...engine.child.errors]) search("the log", Buffer.from(line))
      assert.ok(engine.child.errors.length > 5, "the log was searched")
      const { rows, hits } = await searchTables(dataDir, search)
      // What the drive itself wrote for the command line is its user's file, not ours.
      const files = filesOf(dataDir).filter((file) => !file.endsWith("drive-import.json"))
      for (const file of files) search(file, readFileSync(file))
      t.diagnostic(`${secrets.length} secrets, ${searched} outputs, ${rows} rows and ${files.length} files searched`)
      assert.ok(control > 0 && hits > 0, "the search finds the word that is no secret")
      assert.ok(rows > 100)
      assert.deepEqual([...new Set(found)], [])
    } finally {
      await engine?.child.stop()
      await lab.stop()
      await data.remove()
    }
  },
)

const hexOf = (text: string): string => Buffer.from(text).toString("hex")

/** Answers of the API, good and bad; `shown` = secrets that it makes and shows once, whose own answers are left out. */
const talk = async (
  engine: Engine,
  cookie: string,
  document: Record<string, unknown>,
): Promise<{ readonly shown: readonly string[]; readonly texts: readonly string[] }> => {
  const texts: string[] = []
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    const response = await fetch(new URL(path, engine.url), {
      method,
      headers: { cookie, origin: engine.url, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    texts.push([...response.headers].filter(([name]) => name !== "set-cookie").join("\n"))
    return response
  }
  const tell = async (...args: Parameters<typeof ask>): Promise<string> => {
    const text = await (await ask(...args)).text()
    texts.push(text)
    return text
  }
  const made = await ask("POST", "/api/v1/keys", { name: "canary", scope: ["network.read"], days: 1 })
  assert.equal(made.status, 200)
  const { secret } = (await made.json()) as { secret: string }
  const devices = JSON.parse(await tell("GET", "/api/v1/devices?limit=1000")) as {
    items: ReadonlyArray<{ id: string }>
  }
  assert.ok(devices.items.length > 14)
  for (const path of "keys session users links sites interfaces adjacencies topology status events audit export tenants settings quotas".split(
    " ",
  ))
    await tell("GET", `/api/v1/${path}`)
  for (const { id } of devices.items) {
    await tell("GET", `/api/v1/devices/${id}`)
    await tell("GET", `/api/v1/devices/${id}/declared`)
  }
  for (const path of ["/metrics", "/healthz", "/openapi.json"]) await tell("GET", path)
  await tell("GET", "/metrics", undefined, { cookie: "", authorization: `Bearer ${METRICS_TOKEN}` })
  await tell("GET", "/api/v1/devices", undefined, { cookie: "", authorization: `Bearer ${secret}` })
  await tell("GET", "/api/v1/devices", undefined, { cookie: "", authorization: `Bearer ${WRONG.bearer}` })
  await tell("POST", "/api/v1/session", { user: "admin", password: WRONG.signIn })
  await tell("POST", "/api/v1/session", { user: "admin", pasword: WRONG.signIn, password: 7 })
  const id = devices.items[0]!.id
  for (const credential of [
    { community: WRONG.community, comunity: WRONG.community },
    { version: "3", user: "u", authProtocol: "sha999", authPassword: WRONG.auth },
    { version: WRONG.auth },
    { community: { nested: WRONG.community } },
  ])
    await tell("PUT", `/api/v1/devices/${id}/credentials/snmp`, credential)
  await tell("PUT", `/api/v1/devices/${id}/credentials/routeros`, { user: "u", password: [WRONG.api] })
  await tell("PUT", `/api/v1/devices/00000000-0000-7000-8000-000000000000/credentials/snmp`, {
    community: WRONG.community,
  })
  for (const broken of broke(document)) {
    await tell("POST", "/api/v1/imports", { document: broken })
    await tell("POST", "/api/v1/imports?dryRun=true&format=csv", { document: `name,address\n"${WRONG.community}` })
  }
  await tell("POST", "/api/v1/imports", `{"document": "${WRONG.community}`)
  return { shown: [secret, secret.split(".")[1] ?? secret], texts }
}

/** Import documents with secrets in them that are wrong in some place. */
const broke = (document: Record<string, unknown>): readonly string[] => {
  const text = JSON.stringify(document)
  return [
    text.slice(0, text.indexOf(WRONG.community) + 8),
    text.replace(`"community":"${WRONG.community}"`, `"community":["${WRONG.community}"]`),
    text.replace(`"community":"${WRONG.community}"`, `"comunity":"${WRONG.community}"`),
    text.replace(`"authPassword":"${WRONG.auth}"`, `"authPassword":"${WRONG.auth}","authProtocol":"${WRONG.priv}"`),
    text.replace(`"password":"${WRONG.api}"`, `"password":{"x":"${WRONG.api}"}`),
  ]
}

/** Commands that know secrets, and fail or not. */
const commands = async (
  document: Record<string, unknown>,
  directory: string,
  dataDir: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> => {
  const file = join(directory, "broken.json")
  const here = { ...env, HELIOGRAPH_DATA_DIR: dataDir, HELIOGRAPH_ADMIN_PASSWORD: PASSWORD }
  const outputs: string[] = []
  for (const broken of broke(document)) {
    writeFileSync(file, broken, { mode: 0o600 })
    outputs.push(await heliograph(["import", file], here))
  }
  outputs.push(await heliograph(["config"], here))
  outputs.push(await heliograph(["status"], here))
  outputs.push(await heliograph(["vault", "status"], here))
  const away = `postgres://heliograph:${WRONG.database}@127.0.0.1:9/none`
  for (const args of [["config"], ["audit-rls"], ["start"]])
    outputs.push(
      await heliograph(args, {
        HELIOGRAPH_DATA_DIR: join(directory, "other"),
        DATABASE_URL: away,
        HELIOGRAPH_PORT: "0",
      }),
    )
  outputs.push(
    await heliograph(["config"], {
      DATABASE_URL: `oracle://u:${WRONG.database}@h`,
      HELIOGRAPH_METRICS_TOKEN: "canary-short",
    }),
  )
  outputs.push(
    await heliograph(["device", "test", "127.7.7.1", "--snmp-v2c-env", "WORD", "--json"], {
      ...here,
      WORD: WRONG.community,
    }),
  )
  return outputs
}

const eventually = async (accept: () => Promise<boolean>): Promise<void> => {
  const giveUpMs = Date.now() + 60_000
  while (!(await accept())) {
    assert.ok(Date.now() < giveUpMs, "it did not happen within a minute")
    await new Promise((wake) => setTimeout(wake, 100))
  }
}

test("[S7] collectors and probes get the credentials of their device and cannot open the vault or the database", () => {
  const files = globSync("engine/{collectors,probes,device-test}/**/*.ts", { cwd: REPOSITORY }).filter(
    (file) => !/\.(test|fixture)\.ts$/.test(file),
  )
  assert.ok(files.length > 50)
  const wrong = files.filter((file) =>
    /from "(#engine\/(storage|people|programs|oidc)\/|pg")/.test(readFileSync(join(REPOSITORY, file), "utf8")),
  )
  assert.deepEqual(wrong, [])
  const target = readFileSync(join(REPOSITORY, "engine/collectors/target.ts"), "utf8")
  assert.ok(!/tenantKey|Vault|masterKey/.test(target))
})
