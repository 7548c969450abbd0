/**
 * A program that speaks like `fping -l`, for tests of what real networks do too rarely: addresses die when a file of
 * their name appears, the program crashes, babbles, forgets an address or falls silent. Started as a real process through the real code.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PingTool } from "#engine/probes/ping-tool.ts"

export interface FakeFping {
  readonly tool: PingTool
  readonly kill: (address: string) => Promise<void>
  readonly revive: (address: string) => Promise<void>
  /** Arguments of each start so far, one line each. */
  readonly starts: () => Promise<readonly string[]>
}

type Manner = "well" | "crashes" | "babbles" | "silent" | "forgets" | "leaps"

const SCRIPTS: Readonly<Record<Manner, string>> = {
  well: `
addresses=$(cat); seq=0
while :; do
  for a in $addresses; do
    if [ -e "$0.dead-$a" ]; then echo "$a : [$seq], timed out (NaN avg, 100% loss)" || exit
    else echo "$a : [$seq], 64 bytes, 1.50 ms (1.50 avg, 0% loss)" || exit; fi
  done
  seq=$((seq+1)); sleep 0.02
done`,
  crashes: `echo "can't create socket (must run as root?)" >&2; exit 4`,
  babbles: `
addresses=$(cat); set -- $addresses
while :; do
  echo "192.0.2.99 : [0], 64 bytes, 1.50 ms (1.50 avg, 0% loss)" || exit
  echo "$1 : [5], 64 bytes, 2.50 ms (2.50 avg, 0% loss)"
  echo "$1 : [5], 64 bytes, 3.50 ms (3.50 avg, 0% loss)"
  echo "$1 : [4], timed out (NaN avg, 100% loss)"
  printf 'x%.0s' 1 2 3 4 5 6 7 8 9; printf '\\033[2J\\000\\n'
  echo "ICMP Host Unreachable from 10.0.0.1 for ICMP Echo sent to $1" >&2
  echo "$1 : [6], timed out (NaN avg, 100% loss)"
  sleep 0.02
done`,
  // As one whose queue of time-outs is torn: of the second address its number 1 is never told, and after number 3 nothing.
  forgets: `
addresses=$(cat); set -- $addresses; seq=0
while :; do
  echo "$1 : [$seq], 64 bytes, 1.50 ms (1.50 avg, 0% loss)" || exit
  case $seq in 0|2|3) echo "$2 : [$seq], 64 bytes, 2.50 ms (2.50 avg, 0% loss)";; esac
  seq=$((seq+1)); sleep 0.02
done`,
  // As one that could not send for a while.
  leaps: `
address=$(cat); seq=0
while :; do
  echo "$address : [$seq], 64 bytes, 1.50 ms (1.50 avg, 0% loss)" || exit
  seq=$((seq+100)); sleep 0.02
done`,
  silent: `cat > /dev/null; exec sleep 1000`,
}

/** In a folder of its own; `t` cleans it up. */
export const fakeFping = async (
  t: { readonly after: (clean: () => Promise<void>) => void },
  manner: Manner,
): Promise<FakeFping> => {
  const folder = await mkdtemp(join(tmpdir(), "heliograph-fping-"))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, "fping")
  await writeFile(file, `#!/bin/sh\necho "$*" >> "$0.starts"\n${SCRIPTS[manner]}\n`)
  await chmod(file, 0o755)
  return {
    tool: { kind: "fping", file },
    kill: (address) => writeFile(`${file}.dead-${address}`, ""),
    revive: (address) => rm(`${file}.dead-${address}`),
    starts: async () => {
      const text = await readFile(`${file}.starts`, "utf8").catch(() => "")
      return text.split("\n").filter((line) => line !== "")
    },
  }
}
