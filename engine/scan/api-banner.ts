/**
 * Whether a port speaks the RouterOS API: one `/quit` without a login, which every version answers with a sentence of its
 * own (`!fatal`, `!trap`, `!done`) or by hanging up. No user is named, so that nothing is refused or logged as a failed login.
 */
import { connect } from "node:net"
import { encodeSentence, makeSentenceDecoder } from "#engine/collectors/routeros/words.ts"

/** `speaks` = it answered as a RouterOS API does; `open` = it took the connection and said nothing of the kind. */
export type ApiPort = "speaks" | "open" | "closed"

const REPLY = /^!(done|trap|fatal|re|empty)$/

/** Ends within `deadlineMs`; never rejects. `address` is an IP literal. */
export const askApiPort = (address: string, port: number, deadlineMs: number): Promise<ApiPort> =>
  new Promise((settle) => {
    let found: ApiPort = "closed"
    const socket = connect({ host: address, port, noDelay: true })
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      settle(found)
    }
    const timer = setTimeout(end, deadlineMs)
    const decoder = makeSentenceDecoder()
    socket.once("connect", () => {
      found = "open"
      socket.write(encodeSentence(["/quit"]))
    })
    socket.on("data", (chunk: Buffer) => {
      const fault = decoder.push(chunk, ([word = ""]) => {
        if (REPLY.test(word)) found = "speaks"
      })
      if (fault !== null || found === "speaks") end()
    })
    socket.once("close", end)
    socket.on("error", end)
  })
