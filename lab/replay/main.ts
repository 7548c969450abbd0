/**
 * `npm run lab -- replay FILE.snmprec --listen ADDRESS:PORT`: serves a recording over UDP until it is told to end. One
 * line says when it is ready, on which port (0 lets the system choose) and what of the file could not be served.
 */
import { createSocket } from "node:dgram"
import type { Socket } from "node:dgram"
import { once } from "node:events"
import { fstatSync, readFileSync } from "node:fs"
import { isIPv6 } from "node:net"
import process from "node:process"
import { parseArgs } from "node:util"
import { bindAdvice } from "#lab/bind.ts"
import { ReplayAgent } from "#lab/replay/agent.ts"
import { parseRecording } from "#lab/replay/recording.ts"
import type { Recording } from "#lab/replay/recording.ts"

export const REPLAY_USAGE = "replay FILE.snmprec --listen ADDRESS:PORT [--community NAME]"
/** Largest file that is read whole. */
const FILE_MAX = 256 * 2 ** 20

interface ReplayOptions {
  readonly file: string
  readonly address: string
  readonly port: number
  readonly community: string
}

/** Serves until SIGINT, SIGTERM or the end of a piped stdin. Rejects with a message for a person. */
export const replay = async (args: readonly string[], say: (line: string) => void): Promise<void> => {
  const options = readReplayOptions(args)
  const recording = load(options.file)
  const agent = new ReplayAgent(recording.values, options.community)
  const socket = await listen(options.address, options.port)
  socket.on("message", (datagram, from) => {
    const answer = agent.answer(datagram)
    // Copied: the socket may send later than the next request is answered. Port 0 cannot be answered.
    if (answer !== null && from.port > 0) socket.send(Buffer.from(answer), from.port, from.address)
  })
  // Answers that cannot be delivered are the asker's business.
  socket.on("error", () => {})
  // Listened for before anybody is told: whoever reads the line may end this at once.
  const ended = theEnd()
  say(readyLine(options.file, recording, socket))
  await ended
  socket.close()
  console.error(`${agent.answered} requests answered, ${agent.dropped} datagrams dropped`)
}

/** Throws with a message for a person. */
export const readReplayOptions = (args: readonly string[]): ReplayOptions => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { listen: { type: "string" }, community: { type: "string", default: "public" } },
    allowPositionals: true,
  })
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0 || values.listen === undefined)
    throw new Error(`usage: npm run lab -- ${REPLAY_USAGE}`)
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(values.listen) ?? []
  const address = bracketed ?? plain
  if (address === undefined || Number(digits) > 65_535)
    throw new Error(`--listen takes ADDRESS:PORT, such as 127.0.0.1:16100 or [::1]:16100, not ${values.listen}`)
  if (Buffer.byteLength(values.community) > 255) throw new Error("--community takes at most 255 octets")
  return { file, address, port: Number(digits), community: values.community }
}

const load = (file: string): Recording => {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (bytes.length > FILE_MAX) throw new Error(`${file} is larger than ${FILE_MAX / 2 ** 20} MiB`)
  const recording = parseRecording(bytes)
  if (recording.values.length === 0) throw new Error(`${file} holds no recorded value: is it an .snmprec file?`)
  return recording
}

const listen = async (address: string, port: number): Promise<Socket> => {
  const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", recvBufferSize: 2 ** 20 })
  socket.bind({ address, port, exclusive: true })
  try {
    await once(socket, "listening")
  } catch (cause) {
    throw new Error(bindAdvice(cause as NodeJS.ErrnoException, address, port), { cause })
  }
  return socket
}

const readyLine = (file: string, recording: Recording, socket: Socket): string => {
  const { address, port } = socket.address()
  const { values, unreadable, unreadableLines, repeated } = recording
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
  const lines =
    unreadable === 0 ? "" : ` (line ${unreadableLines.join(", ")}${unreadable > unreadableLines.length ? ", ..." : ""})`
  return `listening on ${where}: ${values.length} values of ${file}; ${unreadable} lines not understood${lines}, ${repeated} repeated`
}

/** A pipe that closes means that whoever started this is gone; a terminal or /dev/null says nothing. */
const theEnd = (): Promise<void> =>
  new Promise((ended) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ended())
    const kind = fstatSync(0)
    if (!kind.isFIFO() && !kind.isSocket()) return
    process.stdin.once("end", () => ended()).once("close", () => ended())
    process.stdin.resume()
  })
