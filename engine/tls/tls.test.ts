/** [S8] The engine's own TLS over real sockets: which versions get in, what a new certificate does to open connections. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { Agent, request as httpsRequest } from "node:https"
import type { IncomingMessage } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { connect as tlsConnect } from "node:tls"
import type { TLSSocket } from "node:tls"
import { generateKeyPairSync } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import fc from "fast-check"
import { WebSocket } from "ws"
import { makeDoors } from "#engine/access/doors.ts"
import { memoryAccounts, memoryEvents, memoryHistory, PASSWORD } from "#engine/api/accounts.fixture.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { makeLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { makeStream } from "#engine/stream/stream.ts"
import { CertificateUnusable, readCertificate } from "#engine/tls/certificate.ts"
import { dueWarning, WARN_DAYS } from "#engine/tls/expiry.ts"
import type { Told } from "#engine/tls/expiry.ts"
import { keepCertificate } from "#engine/tls/keeper.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"

const DAY = 86_400_000
const NOW = Date.now()
const directory = mkdtempSync(join(tmpdir(), "heliograph-tls-"))
after(() => rmSync(directory, { recursive: true }))
const certFile = join(directory, "cert.pem")
const keyFile = join(directory, "key.pem")
const write = (name: string, validToMs = NOW + 400 * DAY): void => {
  const pair = makeCertificate(name, validToMs)
  writeFileSync(keyFile, pair.key, { mode: 0o600 })
  writeFileSync(certFile, pair.cert)
}

describe("the pair on disk", () => {
  const fault = (nowMs = NOW): CertificateUnusable => {
    try {
      readCertificate({ certFile, keyFile }, nowMs)
    } catch (cause) {
      assert.ok(cause instanceof CertificateUnusable)
      assert.ok(!cause.message.includes("PRIVATE") && cause.message.length < 300)
      return cause
    }
    return assert.fail("the pair was taken")
  }

  test("[S8] a good pair is read; mismatch, expiry, early, open key, damage and absence are told in words", () => {
    write("noc.example.net")
    assert.match(readCertificate({ certFile, keyFile }, NOW).names, /noc\.example\.net/)
    assert.match(fault(NOW + 401 * DAY).message, /expired on \d{4}-\d\d-\d\d/)
    assert.equal(fault(Date.UTC(2024, 0, 1)).reason, "not-yet-valid")
    chmodSync(keyFile, 0o640)
    assert.match(fault().message, /mode 640\): chmod 600/)
    chmodSync(keyFile, 0o600)
    writeFileSync(certFile, makeCertificate("other").cert)
    assert.equal(fault().reason, "mismatch")
    writeFileSync(certFile, "nothing of the kind")
    assert.equal(fault().reason, "malformed")
    write("noc.example.net")
    writeFileSync(keyFile, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    assert.match(fault().message, /passphrase/)
    rmSync(certFile)
    assert.match(fault().message, /HELIOGRAPH_TLS_CERT_FILE: .*ENOENT/)
  })

  test("[S8] a key that is too short is refused by its size", () => {
    write("noc.example.net")
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 })
    writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }))
    // The certificate is of another key: a mismatch is told first, and the short key is never served either way.
    assert.ok(["mismatch", "weak-key"].includes(fault().reason))
  })
})

describe("its end", () => {
  const at = (leftMs: number): { fingerprint: string; validToMs: number } => ({ fingerprint: "a", validToMs: leftMs })

  test("[S8] 30, 7 and 1 days before are told once each, the end once, and a renewed certificate starts anew", () => {
    let told: Told | null = null
    const heard: Array<[daysLeft: number, tell: number]> = []
    for (let hours = 40 * 24; hours >= -48; hours--) {
      const due = dueWarning(told, at(0), -hours * 3_600_000)
      told = due.told
      if (due.tell !== null) heard.push([hours / 24, due.tell])
    }
    assert.deepEqual(heard, [
      [30, 30],
      [7, 7],
      [1, 1],
      [0, 0],
    ])
    assert.equal(dueWarning(told, { fingerprint: "b", validToMs: 90 * DAY }, 0).tell, null)
    assert.equal(dueWarning(told, { fingerprint: "b", validToMs: 6 * DAY }, 0).tell, 7, "the nearest only")
  })

  test("[S8] however often and whenever it is asked, no threshold is told twice and they come from far to near", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 * 24 }), { maxLength: 80 }), (steps) => {
        let told: Told | null = null
        const heard: number[] = []
        for (const hours of steps.toSorted((a, b) => b - a)) {
          const due = dueWarning(told, at(0), -hours * 3_600_000)
          told = due.told
          if (due.tell !== null) heard.push(due.tell)
        }
        assert.deepEqual(
          heard,
          [...new Set(heard)].toSorted((a, b) => b - a),
        )
        assert.ok(heard.every((days) => days === 0 || (WARN_DAYS as readonly number[]).includes(days)))
      }),
    )
  })
})

test("[S8] whoever listens late still hears of the threshold, and a renewed certificate of none", async () => {
  write("noc.example.net", NOW + 5 * DAY)
  const scope = await Effect.runPromise(Scope.make())
  const log = makeLog({ level: "info", format: "json", write: () => undefined })
  const options = { certFile, keyFile, log, metrics: makeMetrics(), nowMs: () => NOW, lookEveryMs: 3_600_000 }
  const keeper = await Effect.runPromise(Scope.provide(keepCertificate(options), scope))
  const heard: number[] = []
  keeper.onExpiring(({ days, names }) => {
    assert.match(names, /noc\.example\.net/)
    heard.push(days)
  })
  assert.deepEqual(heard, [7])
  write("noc.example.net")
  assert.ok(keeper.reload())
  keeper.onExpiring(({ days }) => heard.push(-days))
  assert.deepEqual(heard, [7], "nothing ends soon")
  write("noc.example.net", NOW + DAY / 2)
  assert.ok(keeper.reload())
  assert.deepEqual(heard, [7, 1, -1])
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

describe("the server", () => {
  const twin = makeFakeTwin("a", 5, 3)
  const accounts = memoryAccounts([{ id: "u1", name: "ana", tenant: twin.tenant.id }])
  const doors = makeDoors(accounts.resolve, Date.now)
  const lines: string[] = []
  const log = makeLog({ level: "info", format: "json", write: (line) => lines.push(line) })
  const metrics = makeMetrics()
  let keeper: CertificateKeeper
  let port: number
  let scope: Scope.Closeable

  before(async () => {
    write("first.example.net", NOW + 20 * DAY)
    scope = await Effect.runPromise(Scope.make())
    const twins = { byTenant: () => twin, all: () => [twin] }
    const program = Effect.gen(function* () {
      keeper = yield* keepCertificate({ certFile, keyFile, log, metrics, nowMs: () => NOW, lookEveryMs: 50 })
      const common = { doors, twins, metrics, log, publicUrl: null, tls: true, nowMs: Date.now }
      const stream = yield* makeStream({ ...common, viewersMax: 10 })
      const api = testDeps({ ...common, accounts, history: memoryHistory(), events: memoryEvents([]) })
      const http = yield* makeHttp({
        host: "127.0.0.1",
        port: 0,
        api,
        tls: keeper,
        metrics,
        metricsToken: null,
        staticDir: null,
        basemapPath: () => null,
        stream,
        ready: () => true,
      })
      assert.match(http.url, /^https:\/\/127\.0\.0\.1:\d+$/)
      port = http.port
    })
    await Effect.runPromise(Scope.provide(program, scope))
  })
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const handshake = (options: object): Promise<TLSSocket> =>
    new Promise((settle, reject) => {
      const socket = tlsConnect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () =>
        settle(socket),
      )
      socket.once("error", reject)
    })
  const ask = (
    path: string,
    options: { method?: string; headers?: Record<string, string>; agent?: Agent; body?: string } = {},
  ): Promise<IncomingMessage> =>
    new Promise((settle, reject) => {
      const { body, ...rest } = options
      const base = { host: "127.0.0.1", port, path, rejectUnauthorized: false, ...rest }
      httpsRequest(base, (response) => settle(response.resume()))
        .once("error", reject)
        .end(body)
    })
  const signIn = (origin: string): Promise<IncomingMessage> => {
    const body = JSON.stringify({ user: "ana", password: PASSWORD })
    const headers = { "content-type": "application/json", "content-length": String(body.length), origin }
    return ask("/api/v1/session", { method: "POST", headers, body })
  }
  const subject = async (): Promise<string> => {
    const socket = await handshake({})
    const { subject: found } = socket.getPeerCertificate()
    socket.destroy()
    return String(found.CN)
  }

  test("[S8] TLS 1.0 and 1.1 and old ciphers are refused, 1.2 and 1.3 get in", async () => {
    for (const version of ["TLSv1", "TLSv1.1"])
      await assert.rejects(
        handshake({ minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" }),
        version,
      )
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const socket = await handshake({ minVersion: version, maxVersion: version })
      assert.equal(socket.getProtocol(), version)
      assert.match(socket.getCipher().name, /GCM|CHACHA20/)
      socket.destroy()
    }
    for (const ciphers of ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES256-SHA"])
      await assert.rejects(handshake({ maxVersion: "TLSv1.2", ciphers }), ciphers)
  })

  test("[S8] HSTS and a Secure __Host- cookie without a word of configuration; only our https origin may change things", async () => {
    const good = await signIn(`https://127.0.0.1:${port}`)
    assert.equal(good.statusCode, 204)
    assert.match(good.headers["set-cookie"]![0]!, /^__Host-heliograph_session=.*; Secure$/)
    assert.match(good.headers["strict-transport-security"]!, /max-age=31536000/)
    assert.equal((await signIn(`http://127.0.0.1:${port}`)).statusCode, 403, "the same host over plain http is foreign")
  })

  test("[S8] a new pair is served to new handshakes while open requests and a wss stream go on", async () => {
    const cookie = (await signIn(`https://127.0.0.1:${port}`)).headers["set-cookie"]![0]!.split(";")[0]!
    const viewer = new WebSocket(`wss://127.0.0.1:${port}/stream`, {
      rejectUnauthorized: false,
      headers: { cookie, origin: `https://127.0.0.1:${port}` },
    })
    await new Promise((settle, reject) => viewer.once("open", settle).once("error", reject))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    assert.equal((await ask("/healthz", { agent })).statusCode, 200)
    assert.equal(await subject(), "first.example.net")

    writeFileSync(certFile, "half written")
    assert.equal(keeper.reload(), false)
    assert.equal(await subject(), "first.example.net", "a bad pair changes nothing")
    assert.ok(lines.some((line) => line.includes("the old one stays")))

    write("second.example.net", NOW + 5 * DAY)
    // Either the watcher or this call has read it: both end with the second.
    keeper.reload()
    assert.equal(await subject(), "second.example.net")
    assert.equal((await ask("/healthz", { agent })).statusCode, 200, "the open connection goes on")
    const ponged = new Promise((settle) => viewer.once("pong", settle))
    viewer.ping()
    await ponged
    assert.equal(viewer.readyState, WebSocket.OPEN)
    viewer.terminate()
    agent.destroy()
  })

  test("[S8] changed files are found without a signal, and SIGHUP reads them at once", async () => {
    const seen = new Promise<void>((settle) => keeper.follow(() => settle()))
    write("third.example.net")
    await seen
    // A look between the two writes finds a mismatch and leaves it to the next one.
    while ((await subject()) !== "third.example.net") await new Promise((settle) => keeper.follow(settle))
    writeFileSync(keyFile, makeCertificate("x").key)
    write("fourth.example.net")
    process.emit("SIGHUP")
    assert.equal(await subject(), "fourth.example.net")
  })

  test("[S8] its end is a metric, and was told in the log for each certificate", () => {
    const text = metrics.render()
    const left = Number(/^heliograph_tls_certificate_expires_seconds (-?\d+)$/m.exec(text)?.[1])
    assert.ok(Math.abs(left - (400 * DAY) / 1000) < 2, String(left))
    const told = lines.filter((line) => line.includes("expires within")).map((line) => /within (\d+)/.exec(line)![1])
    assert.deepEqual(told, ["30", "7"])
  })
})
