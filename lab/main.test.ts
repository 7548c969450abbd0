import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { test } from "node:test"
import { ADDRESS_TAKEN } from "#lab/bind.ts"
import { parseReceiver } from "#lab/control.ts"
import { readOptions } from "#lab/main.ts"

interface Running {
  readonly child: ChildProcess
  readonly dir: string
  readonly ready: {
    readonly ready: boolean
    readonly controlUrl: string
    readonly token: string
    readonly routers: number
    readonly links: number
  }
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ) => Promise<{ status: number; body: Record<string, never> }>
  readonly cli: (...args: string[]) => Promise<{ code: number; out: string; err: string }>
}

const node = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } })

const text = async (stream: NodeJS.ReadableStream): Promise<string> => {
  let all = ""
  for await (const chunk of stream) all += String(chunk)
  return all
}

/** A lab in a process of its own on free ports, gone afterwards whatever happens. */
const withLab = async (use: (lab: Running) => Promise<void>, extra: readonly string[] = []): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-lab-"))
  const options = [
    "--routers",
    "16",
    "--net",
    "127.19",
    "--snmp-port",
    "0",
    "--api-port",
    "0",
    "--state",
    join(dir, "lab.json"),
  ]
  const child = node([join(import.meta.dirname, "main.ts"), ...options, ...extra])
  const errors = text(child.stderr!)
  const lines = createInterface({ input: child.stdout! })
  try {
    const first = await Promise.race([
      once(lines, "line"),
      once(child, "exit").then(async () => assert.fail(await errors)),
    ])
    const ready = JSON.parse(first[0] as string) as Running["ready"]
    const call: Running["call"] = async (method, path, body, token = ready.token) => {
      const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }
      const response = await fetch(new URL(path, ready.controlUrl), {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...init,
      })
      return { status: response.status, body: (await response.json()) as Record<string, never> }
    }
    const cli: Running["cli"] = async (...args) => {
      const run = node([join(import.meta.dirname, "cli.ts"), ...args], { HELIOGRAPH_DATA_DIR: dir })
      const [out, err, [code]] = await Promise.all([text(run.stdout!), text(run.stderr!), once(run, "exit")])
      return { code: code as number, out, err }
    }
    await use({ child, dir, ready, call, cli })
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL")
      await once(child, "exit")
    }
    rmSync(dir, { recursive: true, force: true })
  }
}

test("the process says one JSON line when ready, serves the inventory and the truth, and takes faults", async () => {
  await withLab(async ({ ready, call }) => {
    assert.deepEqual([ready.ready, ready.routers], [true, 16])
    const document = (await call("GET", "/import.json")).body as unknown as {
      sites: unknown[]
      devices: Array<{ name: string; address: string; snmp: { port: number } }>
      links: unknown[]
    }
    assert.deepEqual([document.devices.length, document.links.length], [16, ready.links])
    assert.ok(document.devices.every(({ address, snmp }) => address.startsWith("127.") && snmp.port > 0))
    const truth = (await call("GET", "/truth")).body as unknown as {
      links: Array<{ a: string; b: string; up: boolean }>
    }
    const { a, b } = truth.links[0]!
    const before = Date.now()
    const struck = await call("POST", "/fault", { kind: "cut", args: [a, b] })
    const after = Date.now()
    assert.equal(struck.status, 200)
    const { ok, atMs } = struck.body as unknown as { ok: boolean; atMs: number }
    assert.ok(ok && atMs >= before && atMs <= after)
    const now = (await call("GET", "/truth")).body as unknown as { links: Array<{ up: boolean }> }
    assert.deepEqual(
      now.links.map((link) => link.up),
      truth.links.map((link) => !(link.a === a && link.b === b)),
    )
    assert.equal(((await call("GET", "/faults")).body as unknown as { faults: unknown[] }).faults.length, 1)
  })
})

test("nothing is served without the token, and what is wrong with a request is said", async () => {
  await withLab(async ({ call }) => {
    for (const path of ["/import.json", "/truth", "/faults", "/nowhere"])
      assert.equal((await call("GET", path, undefined, "guess")).status, 401)
    assert.equal((await call("POST", "/fault", { kind: "restore", args: [] }, "")).status, 401)
    const bad: ReadonlyArray<readonly [string, string, unknown, number, RegExp]> = [
      ["GET", "/nowhere", undefined, 404, /there is no GET \/nowhere/],
      ["POST", "/fault", "not json", 400, /not JSON/],
      ["POST", "/fault", { kind: 7 }, 400, /a fault is/],
      ["POST", "/fault", { kind: "cut", args: ["x", "y"] }, 400, /no router is called "x"/],
      ["PUT", "/target", { trap: "192.0.2.1:162" }, 400, /trap must be "ADDRESS:PORT" or null/],
      ["POST", "/fault", "x".repeat(70_000), 413, /at most 65536 octets/],
    ]
    for (const [method, path, body, status, words] of bad) {
      const answer = await call(method, path, body)
      assert.equal(answer.status, status)
      assert.match(String(answer.body["error"]), words)
    }
  })
})

test("traps go where PUT /target says, from then on", async () => {
  await withLab(async ({ call }) => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1")
    await once(socket, "listening")
    try {
      const target = `127.0.0.1:${socket.address().port}`
      assert.equal((await call("PUT", "/target", { trap: target, syslog: null })).status, 200)
      const truth = (await call("GET", "/truth")).body as unknown as { links: Array<{ a: string; b: string }> }
      const arrived = once(socket, "message")
      await call("POST", "/fault", { kind: "cut", args: [truth.links[0]!.a, truth.links[0]!.b] })
      const [datagram, from] = (await arrived) as [Buffer, { address: string }]
      assert.equal(datagram[0], 0x30)
      assert.match(from.address, /^127\./)
    } finally {
      socket.close()
    }
  })
})

test("the state file is for its owner alone and goes with the lab, which ends when its standard input closes", async () => {
  await withLab(async ({ child, dir, ready }) => {
    const file = join(dir, "lab.json")
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const state = JSON.parse(readFileSync(file, "utf8")) as { controlUrl: string; token: string }
    assert.deepEqual([state.controlUrl, state.token], [ready.controlUrl, ready.token])
    const exit = once(child, "exit")
    child.stdin!.end()
    assert.deepEqual((await exit)[0], 0)
    assert.equal(existsSync(file), false)
  })
})

test("a taken address ends the lab, with what to do", async () => {
  const taken = createSocket("udp4").bind({ address: "127.19.0.1", port: 0, exclusive: true })
  await once(taken, "listening")
  const port = String(taken.address().port)
  const dir = mkdtempSync(join(tmpdir(), "heliograph-lab-"))
  const where = ["--net", "127.19", "--snmp-port", port, "--api-port", "0", "--state", join(dir, "lab.json")]
  const child = node([join(import.meta.dirname, "main.ts"), "--routers", "16", ...where])
  try {
    const [errors, [code]] = await Promise.all([text(child.stderr!), once(child, "exit")])
    assert.equal(code, ADDRESS_TAKEN)
    assert.match(errors, /127\.19\.0\.1:\d+ is taken, perhaps by another lab/)
  } finally {
    child.kill("SIGKILL")
    taken.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

test("SIGTERM ends the lab cleanly", async () => {
  await withLab(async ({ child, dir }) => {
    const exit = once(child, "exit")
    child.kill("SIGTERM")
    assert.equal((await exit)[0], 0)
    assert.equal(existsSync(join(dir, "lab.json")), false)
  })
})

test("the command line finds the running lab, lists it, breaks it and mends it", async () => {
  await withLab(async ({ cli }) => {
    const [a, , b] = (await cli("list", "links")).out.trim().split("\n")[0]!.split(/\s+/) as [string, string, string]
    assert.equal((await cli("faults")).out, "nothing is broken\n")
    assert.match((await cli("fault", "cut", a, b)).out, /^cut: /)
    assert.match((await cli("faults")).out, new RegExp(`^cut +${a} .* - ${b} `))
    const status = await cli("status")
    assert.match(status.out, /demo/)
    assert.match(status.out, /links +(\d+) of/)
    assert.equal((await cli("fault", "mend", a, b)).code, 0)
    const wrong = await cli("fault", "cut", `${a}9`, b)
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, new RegExp(`no router is called "${a}9"; did you mean ${a}`))
  })
})

test("without a lab the command line says what to do; help and unknown commands are answered", async () => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-lab-"))
  try {
    const cli = async (...args: string[]) => {
      const run = node([join(import.meta.dirname, "cli.ts"), ...args], { HELIOGRAPH_DATA_DIR: dir })
      const [out, err, [code]] = await Promise.all([text(run.stdout!), text(run.stderr!), once(run, "exit")])
      return { code, out, err }
    }
    const none = await cli("status")
    assert.equal(none.code, 1)
    assert.match(none.err, /no lab runs here: .*lab\.json is not there\. Start one with npm start/)
    const help = await cli("--help")
    assert.equal(help.code, 0)
    for (const word of ["cut A B", "drop-pppoe", "restore", "--trap-target"]) assert.ok(help.out.includes(word), word)
    const typo = await cli("falt")
    assert.equal(typo.code, 2)
    assert.match(typo.err, /no command "falt"; did you mean fault/)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test("options are read with their bounds, and a bad one is named", () => {
  const good = readOptions(["--routers", "40", "--seed", "7", "--trap-target", "127.0.0.1:10162", "--net", "127.20"])
  assert.ok(typeof good !== "string")
  assert.deepEqual(
    [good.routers, good.seed, good.net, good.trapTarget],
    [40, 7, "127.20", { address: "127.0.0.1", port: 10162 }],
  )
  for (const [args, words] of [
    [["--routers", "5"], /--routers must be a whole number from 12 to 10000, not "5"/],
    [["--net", "10.0"], /--net must be two octets in 127\/8/],
    [["--syslog-target", "8.8.8.8:514"], /--syslog-target must be an address of this machine/],
    [["--seed"], /--seed needs a value/],
    [["--bogus", "1"], /there is no option --bogus/],
    [["--constructor", "1"], /there is no option --constructor/],
  ] as const)
    assert.match(String(readOptions(args)), words)
  assert.equal(parseReceiver("127.0.0.1:0"), null)
  assert.equal(parseReceiver("127.0.0.1:99999"), null)
})
