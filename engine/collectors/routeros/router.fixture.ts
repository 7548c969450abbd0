/**
 * A RouterOS API server for tests, small and willing to misbehave: a handler sees each sentence and writes whatever
 * bytes it likes. Its encoder and decoder are its own, so that a mistake in ours does not cancel out.
 */
import * as net from "node:net"
import * as tls from "node:tls"
import type { TestCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"

export interface Peer {
  readonly socket: net.Socket
  /** Sends one sentence with the tag of the one being answered. */
  readonly reply: (...words: string[]) => void
  /** `!done`, with attributes. */
  readonly done: (...words: string[]) => void
  readonly raw: (bytes: Buffer) => void
  readonly tag: string | null
}
/** Called for each sentence, without its tag; true = answered. What nobody answers gets an empty `!done`. */
export type Handler = (words: readonly string[], peer: Peer) => boolean

export interface TestRouter {
  readonly port: number
  /** Sentences seen so far, without tags. */
  readonly seen: Array<readonly string[]>
  readonly connections: () => number
  readonly open: () => number
  /** Resets every connection, as a router that lost power and came back does. */
  readonly resetAll: () => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export const startRouter = async (handler: Handler, certificate?: TestCertificate, port = 0): Promise<TestRouter> => {
  const sockets = new Set<net.Socket>()
  const seen: Array<readonly string[]> = []
  let connections = 0
  const serve = (socket: net.Socket): void => {
    connections++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => undefined)
    let buffered = Buffer.alloc(0)
    socket.on("data", (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk])
      for (;;) {
        const parsed = parse(buffered)
        if (parsed === null) return
        buffered = buffered.subarray(parsed.bytes)
        const tag = parsed.words.find((word) => word.startsWith(".tag="))?.slice(5) ?? null
        const words = parsed.words.filter((word) => !word.startsWith(".tag="))
        seen.push(words)
        const raw = (bytes: Buffer): void => void (socket.destroyed || socket.write(bytes))
        const reply = (...out: string[]): void => raw(encode(tag === null ? out : [...out, `.tag=${tag}`]))
        const done = (...out: string[]): void => reply("!done", ...out)
        if (!handler(words, { socket, reply, done, raw, tag })) done()
      }
    })
  }
  const server = certificate === undefined ? net.createServer(serve) : tls.createServer({ ...certificate }, serve)
  server.on("tlsClientError", () => undefined)
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    seen,
    connections: () => connections,
    open: () => sockets.size,
    resetAll: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Answers tables by path; a string is a `!trap` with that message. */
export const tables =
  (byPath: Readonly<Record<string, ReadonlyArray<Readonly<Record<string, string>>> | string>>): Handler =>
  (words, peer) => {
    const table = byPath[words[0] ?? ""]
    if (table === undefined) return false
    if (typeof table === "string") peer.reply("!trap", `=message=${table}`)
    else if (words.includes("=count-only=")) return (peer.done(`=ret=${table.length}`), true)
    else for (const row of table) peer.reply("!re", ...Object.entries(row).map(([name, value]) => `=${name}=${value}`))
    if (typeof table !== "string" && table.length === 0) peer.reply("!empty")
    peer.done()
    return true
  }

/** The first handler that answers. */
export const firstOf =
  (...handlers: Handler[]): Handler =>
  (words, peer) =>
    handlers.some((handler) => handler(words, peer))

export const encode = (words: readonly string[]): Buffer =>
  Buffer.concat([...words.map((word) => encodeWord(Buffer.from(word))), Buffer.of(0)])

const encodeWord = (word: Buffer): Buffer => {
  if (word.length < 0x80) return Buffer.concat([Buffer.of(word.length), word])
  const head = Buffer.alloc(4)
  if (word.length < 0x4000) {
    head.writeUInt16BE(word.length + 0x8000)
    return Buffer.concat([head.subarray(0, 2), word])
  }
  head.writeUInt32BE(word.length + 0xe000_0000)
  return Buffer.concat([head, word])
}

/** One whole sentence at the front of the bytes, or null. Lengths of up to two bytes: clients send no longer words. */
const parse = (bytes: Buffer): { readonly words: readonly string[]; readonly bytes: number } | null => {
  const words: string[] = []
  for (let at = 0; ;) {
    const first = bytes[at]
    if (first === undefined) return null
    const short = first < 0x80
    if (!short && at + 1 >= bytes.length) return null
    const length = short ? first : bytes.readUInt16BE(at) - 0x8000
    at += short ? 1 : 2
    if (length === 0) return { words, bytes: at }
    if (at + length > bytes.length) return null
    words.push(bytes.toString("utf8", at, at + length))
    at += length
  }
}
