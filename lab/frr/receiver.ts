/** Where the real routers send traps and syslog: a port of this machine's own address in the lab, nowhere else. */
import { MANAGEMENT } from "#lab/frr/isp.ts"

/** The port of `172.30.0.1:PORT`; null for anything else. */
export const parseReceiver = (text: string): number | null => {
  const [address, port = ""] = text.split(":", 2)
  const number = Number(port)
  return address === MANAGEMENT.host && /^\d{1,5}$/.test(port) && number > 0 && number < 65536 ? number : null
}
