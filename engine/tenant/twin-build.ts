/**
 * Which twin this is: a hash over the sources that decide what a state is (twin/, protocol/) and the way in which states are
 * hashed. Two builds may rightly make two states of one journal; a proof that compared them would raise a false alarm. So each
 * mark of the live twin says which build left it. Computed once: about 20 ms, of which most is reading the files.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Raised when state-hash.ts or twin/digest.ts puts together something else: 1 = until marks named their build. */
const HASH_FORMAT = 2
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url))
const DECISIVE = ["protocol", "twin", "engine/tenant/state-hash.ts"]

let known: string | null = null

/** `<format>-<12 hex digits>`: equal for equal sources, wherever they lie. */
export const twinBuild = (): string => (known ??= buildOf(REPOSITORY))

/** Of the sources below a directory, laid out as this repository. Throws when there are none: then nothing could be told apart. */
export const buildOf = (root: string): string => {
  const files = DECISIVE.flatMap((path) => (path.endsWith(".ts") ? [path] : sourcesIn(root, path))).toSorted()
  const hash = createHash("sha256")
  for (const path of files) {
    const text = readFileSync(join(root, path))
    hash.update(`${path} ${text.length}\n`).update(text)
  }
  return `${HASH_FORMAT}-${hash.digest("hex").slice(0, 12)}`
}

const sourcesIn = (root: string, folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/\.(?:test|fixture|d)\.ts$/.test(path))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
