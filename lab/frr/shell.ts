/** Runs the machine's own tools (ip, nft, tc, vtysh) with arguments as lists, never through a shell, each with a deadline. */
import { execFile } from "node:child_process"
import { accessSync, constants, globSync } from "node:fs"
import process from "node:process"

/** No tool that we call takes seconds; one that hangs is an error. */
const DEADLINE_MS = 20_000
const OUTPUT_MAX_BYTES = 8 << 20

/** Standard output. Rejects with what the tool said on standard error. */
export const run = (file: string, args: readonly string[], input = ""): Promise<string> =>
  new Promise((settle, reject) => {
    const options = { timeout: DEADLINE_MS, maxBuffer: OUTPUT_MAX_BYTES, killSignal: "SIGKILL" } as const
    const child = execFile(file, args, options, (error, stdout, stderr) =>
      error === null
        ? settle(stdout)
        : reject(new Error(`${file} ${args.join(" ")}: ${stderr.trim() || error.message}`, { cause: error })),
    )
    // A tool that ended before it read everything says so by its exit code.
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(input)
  })

/** `ip -batch`: all lines or an error that names the line. `namespace` null = the host's own. */
export const ip = (namespace: string | null, lines: readonly string[]): Promise<string> =>
  run("ip", [...(namespace === null ? [] : ["-n", namespace]), "-batch", "-"], `${lines.join("\n")}\n`)

/** True when it ended well. */
export const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  )

/** What the lab needs, with the Debian package that has it. */
const PROGRAMS: ReadonlyArray<readonly [string, string]> = [
  ["/usr/lib/frr/zebra", "frr"],
  ["/usr/lib/frr/ospfd", "frr"],
  ["/usr/lib/frr/bgpd", "frr"],
  ["/usr/bin/vtysh", "frr"],
  ["/usr/sbin/snmpd", "snmpd"],
  ["/usr/sbin/lldpd", "lldpd"],
  ["/usr/bin/socat", "socat"],
  ["/usr/sbin/nft", "nftables"],
  ["/usr/bin/unshare", "util-linux"],
  ["/usr/bin/nsenter", "util-linux"],
]

/** Null when the lab can run on this machine, else why not and how to enable it. Asks the kernel, changes nothing. */
export const whyNot = async (): Promise<string | null> => {
  if (process.platform !== "linux") return "the real-router lab needs Linux network namespaces; enable: run it on Linux"
  if (process.getuid?.() !== 0) return "the real-router lab needs root for network namespaces; enable: run as root"
  const missing = new Set(PROGRAMS.filter(([file]) => !isExecutable(file)).map(([, name]) => name))
  if (!(await succeeds(run("ip", ["-V"])))) missing.add("iproute2")
  // The SNMP modules are a package of their own on Debian; other systems put them elsewhere, or build them in.
  if (!missing.has("frr") && !hasSnmpModule()) missing.add("frr-snmp")
  if (missing.size > 0)
    return `the real-router lab lacks programs; enable: apt-get install --no-install-recommends ${[...missing].toSorted().join(" ")}`
  if (
    !(await succeeds(
      run("unshare", ["--net", "--mount", "--pid", "--uts", "--fork", "ip", "link", "add", "eth1", "type", "veth"]),
    ))
  )
    return "this kernel or container allows no namespaces with veth pairs; enable: CAP_SYS_ADMIN and CAP_NET_ADMIN (docker run --privileged)"
  return null
}

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const hasSnmpModule = (): boolean => globSync("/usr/lib{,64,/*}/frr/modules/ospfd_snmp.so").length > 0

export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
