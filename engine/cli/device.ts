/**
 * `heliograph device test ADDRESS`: whether this machine can read a device, by what, and everything it then sees.
 * `heliograph device scan RANGE`: which devices there are (device-scan.ts).
 */
import type { Command } from "#engine/cli/command.ts"
import { SCAN_OPTIONS, scanDevices } from "#engine/cli/device-scan.ts"
import { readCredentials, TEST_OPTIONS, WrongOptions } from "#engine/device-test/options.ts"
import type { Credentials } from "#engine/device-test/options.ts"

/** For the whole command, so that it has answered within ten seconds of being called. */
const DEADLINE_MS = 8_500
const LOOKUP_MS = 2_000

const HELP = `usage: heliograph device test ADDRESS | scan RANGE [options]

test: says within 10 seconds which of ping, SNMP, the RouterOS API and syslog work, why the others do not, and what the device is.
Needs no engine and stores nothing.
scan: which devices are in a range of at most a /22, and their vendor, model and version; adds nothing. Addresses of one
device are one line. Answers on 127/8 only with HELIOGRAPH_LOOPBACK_TARGETS=allow.
  --import-document             prints what SNMP told apart as a document for heliograph import, credentials included, with
      --site ID,LAT,LON[,NAME]  where the devices stand
  --api-port N                  look for the RouterOS API there; else on 8728 and 8729

  --snmp-v2c COMMUNITY          SNMP v2c, several times for several; better --snmp-v2c-env VARIABLE or --snmp-v2c-file FILE
  --snmp-v3 USER                SNMP v3, tried before communities, with
      --auth-protocol P         md5, sha, sha224, sha256, sha384, sha512
      --auth-password-file F    or --auth-password-env VARIABLE
      --priv-protocol P         des, aes, aes256b, aes256r
      --priv-password-file F    or --priv-password-env VARIABLE
  --snmp-port N                 161
  --routeros USER@              MikroTik API, with
      --password-file F         or --password-env VARIABLE
      --routeros-tls            api-ssl; --routeros-fingerprint SHA256 accepts that certificate only
      --routeros-port N         8728, with TLS 8729
      --routeros-legacy-login   also the login of RouterOS before 6.43
  --syslog-port N               listen there for a line of its syslog until the end (the engine must not)
  --json                        one JSON object; counters are decimal strings
  --help                        this text

Exit codes: 0 something answered, 1 nothing answered, 2 wrong words.`

export const deviceCommand: Command = {
  name: "device",
  summary: "test whether a device can be read and show what it says, or scan a range for devices",
  help: () => HELP,
  words: ["test|scan", "ADDRESS"],
  options: { ...TEST_OPTIONS, ...SCAN_OPTIONS },
  run: async ({ words, options }, io) => {
    const [verb, name = ""] = words
    const wrong = (why: string): number => {
      io.err(`heliograph device: ${why}`)
      return 2
    }
    if (verb !== "test" && verb !== "scan")
      return wrong(`there is no "device ${verb ?? ""}"; there are: device test ADDRESS, device scan RANGE`)
    let credentials: Credentials
    try {
      credentials = readCredentials(options, io.env)
    } catch (cause) {
      if (cause instanceof WrongOptions) return wrong(cause.message)
      throw cause
    }
    if (verb === "scan") return scanDevices(name, credentials, options, io)
    const { resolveAddress, testDevice } = await import("#engine/device-test/device-test.ts")
    const startedMs = performance.now()
    let address: string
    try {
      address = await resolveAddress(name, LOOKUP_MS)
    } catch (cause) {
      return wrong((cause as Error).message)
    }
    const deadlineMs = DEADLINE_MS - (performance.now() - startedMs)
    const report = await testDevice({ address, ...credentials, deadlineMs })
    if (options["json"] === true) io.out(JSON.stringify(report))
    else {
      const { describeReport } = await import("#engine/device-test/words.ts")
      for (const line of describeReport(report)) io.out(line)
    }
    return Object.values(report.reachable).includes(true) ? 0 : 1
  },
}
