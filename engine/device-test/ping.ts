/**
 * One echo by the system's own ping, which may open the raw socket that Node has not. The program is started with an IP
 * literal as its last word and without a shell: nothing of the address can become an option or a command.
 */
import { execFile } from "node:child_process"
import process from "node:process"

export interface Pinged {
  /** Null = there is no ping program here. */
  readonly answered: boolean | null
  readonly detail: string
}

/** `address` is an IP literal. Linux' ping repeats each second until the first answer or `seconds` are over. */
export const ping = (address: string, seconds: number): Promise<Pinged> => {
  const words =
    process.platform === "linux" ? ["-n", "-c", "1", "-w", String(seconds), address] : ["-n", "-c", "1", address]
  return new Promise((settle) => {
    const options = { timeout: seconds * 1_000 + 500, killSignal: "SIGKILL", maxBuffer: 65_536 } as const
    execFile("ping", words, options, (error, stdout, stderr) => {
      if (error === null) return settle({ answered: true, detail: `answers${roundTrip(stdout)}` })
      if (error.code === "ENOENT") return settle({ answered: null, detail: "not tried: there is no ping program here" })
      const refused = /permitted|permission/i.test(stderr)
      if (refused) return settle({ answered: null, detail: "not tried: ping may not open its socket here" })
      settle({
        answered: false,
        detail: `no answer in ${seconds} s (many networks drop ICMP; this alone proves nothing)`,
      })
    })
  })
}

const roundTrip = (stdout: string): string => {
  const time = /time[=<]([\d.]{1,12}) ?ms/.exec(stdout)?.[1]
  return time === undefined ? "" : ` in ${time} ms`
}
