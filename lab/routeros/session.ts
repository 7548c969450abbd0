/**
 * One connection to a router's API: login, commands with tags, streams that go on until cancelled. The rules are those of
 * help.mikrotik.com, "API": replies carry the command's tag, an error is `!trap` then `!done`, an empty answer is `!empty`
 * from 7.18 on. Whoever is not logged in gets nothing done.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import type { NetworkEvent } from "#lab/isp/network.ts"
import type { Router } from "#lab/isp/model.ts"
import { MENUS, hasMenu, interfaceRow, logRow, monitorRow } from "#lab/routeros/menus.ts"
import type { Asked } from "#lab/routeros/menus.ts"
import { parseQuery } from "#lab/routeros/query.ts"
import type { ApiRow } from "#lab/routeros/query.ts"
import { atLeast } from "#lab/routeros/text.ts"
import type { LogLine } from "#lab/syslog/lines.ts"

/** Commands that run on one connection at the same time: streams, in fact. */
const STREAMS_MAX = 64
const MONITOR_INTERVAL_MS = 1000

interface Command {
  readonly path: string
  readonly attributes: ReadonlyMap<string, string>
  readonly queries: readonly string[]
  readonly tag: string | null
}

interface Stream {
  readonly tag: string | null
  readonly heard?: (event: NetworkEvent) => void
  readonly logged?: (line: LogLine) => void
  readonly stop: () => void
}

export class ApiSession {
  private readonly asked: Asked
  private readonly send: (words: readonly string[]) => void
  private readonly close: () => void
  private readonly streams = new Set<Stream>()
  private loggedIn = false
  private challenge: Buffer | null = null

  /** `close` ends the connection after what was sent. */
  constructor(asked: Asked, send: (words: readonly string[]) => void, close: () => void) {
    this.asked = asked
    this.send = send
    this.close = close
  }

  take(sentence: readonly string[]): void {
    const command = parseCommand(sentence)
    if (command.path === "/login") return this.login(command)
    if (!this.loggedIn) {
      this.send(["!fatal", "not logged in"])
      return this.close()
    }
    this.run(command)
  }

  heard(event: NetworkEvent): void {
    for (const stream of this.streams) stream.heard?.(event)
  }

  logged(line: LogLine): void {
    for (const stream of this.streams) stream.logged?.(line)
  }

  /** Stops all streams; the connection is gone. */
  end(): void {
    for (const stream of this.streams) stream.stop()
    this.streams.clear()
  }

  private get router(): Router {
    return this.asked.network.isp.routers[this.asked.router]!
  }

  /** Plain since 6.43; before that the answer to a challenge, which this router still hands out but does not accept. */
  private login(command: Command): void {
    const { user, password } = this.router.routeros!
    if (command.attributes.size === 0) {
      this.challenge = randomBytes(16)
      return this.reply(command, ["!done", `=ret=${this.challenge.toString("hex")}`])
    }
    const name = command.attributes.get("name") ?? ""
    const response = command.attributes.get("response")
    const modern = atLeast(this.router.osVersion, 6, 43)
    this.loggedIn =
      response === undefined
        ? same(`${name} ${command.attributes.get("password") ?? ""}`, `${user} ${password}`)
        : !modern &&
          this.challenge !== null &&
          name === user &&
          same(response, challengeResponse(this.challenge, password))
    if (this.loggedIn) return this.reply(command, ["!done"])
    this.trap(command, this.router.persona === "routeros7" ? "invalid user name or password (6)" : "cannot log in")
  }

  private run(command: Command): void {
    const slash = command.path.lastIndexOf("/")
    const [menu, verb] = [command.path.slice(0, slash), command.path.slice(slash + 1)]
    if (command.path === "/cancel") return this.cancel(command)
    if (command.path === "/quit") return this.close()
    if (command.path === "/interface/monitor-traffic") return this.monitorTraffic(command)
    if (command.path === "/interface/ethernet/monitor") return this.monitorEthernet(command)
    if (!hasMenu(this.asked, menu)) return this.trap(command, "no such command prefix")
    if (verb === "print" || verb === "getall") return this.print(command, menu)
    if (verb === "listen") return this.listen(command, menu)
    if (WRITE_VERBS.has(verb)) return this.trap(command, "not enough permissions (9)")
    this.trap(command, "no such command")
  }

  private print(command: Command, menu: string): void {
    if (menu === "/log" && command.attributes.has("follow-only")) return this.listen(command, menu)
    const matches = parseQuery(command.queries)
    if (matches === null) return this.trap(command, "invalid query")
    const rows = MENUS[menu]!(this.asked).filter(matches)
    if (command.attributes.has("count-only")) return this.reply(command, ["!done", `=ret=${rows.length}`])
    for (const row of rows) this.row(command, row)
    if (rows.length === 0 && atLeast(this.router.osVersion, 7, 18)) this.reply(command, ["!empty"])
    this.reply(command, ["!done"])
  }

  /** Interfaces and log lines change here; the other menus of a listener stay silent. */
  private listen(command: Command, menu: string): void {
    const { isp } = this.asked.network
    let nth = this.asked.log.length
    this.open(command, {
      heard: (event) => {
        if (menu !== "/interface" || event.kind !== "port") return
        const port = isp.ports[event.port]!
        if (port.router === this.asked.router) this.row(command, interfaceRow(this.asked, port))
      },
      logged: (line) => {
        if (menu === "/log") this.row(command, logRow(this.asked, line, nth++))
      },
    })
  }

  private monitorTraffic(command: Command): void {
    const names = (command.attributes.get("interface") ?? "").split(",")
    const show = (): void => {
      for (const name of names) {
        const port = this.portNamed(name)
        if (port === null) continue
        const { network } = this.asked
        this.row(command, {
          name,
          "rx-bits-per-second": String(Math.floor(network.inBps(port))),
          "tx-bits-per-second": String(Math.floor(network.outBps(port))),
        })
      }
    }
    if (!names.every((name) => this.portNamed(name) !== null))
      return this.trap(command, "input does not match any value of interface")
    show()
    if (command.attributes.has("once")) return this.reply(command, ["!done"])
    const timer = setInterval(show, MONITOR_INTERVAL_MS)
    if (!this.open(command, {}, () => clearInterval(timer))) clearInterval(timer)
  }

  private monitorEthernet(command: Command): void {
    const names = (command.attributes.get("numbers") ?? command.attributes.get(".id") ?? "").split(",")
    const ports = names.map((name) => this.portNamed(name))
    if (ports.includes(null)) return this.trap(command, "no such item (4)")
    for (const port of ports) this.row(command, monitorRow(this.asked, this.asked.network.isp.ports[port!]!))
    if (command.attributes.has("once")) return this.reply(command, ["!done"])
    this.open(command, {})
  }

  private portNamed(name: string): number | null {
    const { ports } = this.asked.network.isp
    return (
      this.router.ports.find(
        (port) => ports[port]!.name === name || `*${ports[port]!.ifIndex.toString(16).toUpperCase()}` === name,
      ) ?? null
    )
  }

  private open(command: Command, hooks: Pick<Stream, "heard" | "logged">, stop: () => void = () => {}): boolean {
    if (this.streams.size >= STREAMS_MAX) {
      this.trap(command, "too many commands before command reply")
      return false
    }
    this.streams.add({ tag: command.tag, ...hooks, stop })
    return true
  }

  private cancel(command: Command): void {
    const wanted = command.attributes.get("tag") ?? null
    for (const stream of this.streams) {
      if (wanted !== null && stream.tag !== wanted) continue
      stream.stop()
      this.streams.delete(stream)
      this.reply(stream, ["!trap", "=category=2", "=message=interrupted"])
      this.reply(stream, ["!done"])
    }
    this.reply(command, ["!done"])
  }

  private row(command: Command, row: ApiRow): void {
    const wanted = command.attributes.get(".proplist")?.split(",")
    const words = ["!re"]
    for (const key of wanted ?? Object.keys(row)) if (Object.hasOwn(row, key)) words.push(`=${key}=${row[key]}`)
    this.reply(command, words)
  }

  private trap(command: Command, message: string): void {
    this.reply(command, ["!trap", `=message=${message}`])
    this.reply(command, ["!done"])
  }

  private reply({ tag }: { readonly tag: string | null }, words: readonly string[]): void {
    this.send(tag === null ? words : [...words, `.tag=${tag}`])
  }
}

/** The account that the lab hands out may read and nothing else, as the handbook recommends. */
const WRITE_VERBS = new Set(["add", "set", "remove", "enable", "disable", "move", "unset", "reset-counters", "reboot"])

const parseCommand = (sentence: readonly string[]): Command => {
  const attributes = new Map<string, string>()
  const queries: string[] = []
  let tag: string | null = null
  for (const word of sentence.slice(1)) {
    if (word.startsWith(".tag=")) tag = word.slice(5)
    else if (word.startsWith("?")) queries.push(word)
    else if (word.startsWith("=")) {
      const equals = word.indexOf("=", 1)
      attributes.set(word.slice(1, equals < 0 ? undefined : equals), equals < 0 ? "" : word.slice(equals + 1))
    }
  }
  return { path: sentence[0]!, attributes, queries, tag }
}

/** RouterOS before 6.43: `00` and MD5 of a zero octet, the password and the challenge. */
const challengeResponse = (challenge: Buffer, password: string): string =>
  `00${createHash("md5")
    .update(Buffer.from([0]))
    .update(password)
    .update(challenge)
    .digest("hex")}`

const same = (x: string, y: string): boolean => {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(x), digest(y))
}
