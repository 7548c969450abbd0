/**
 * docs/security/asvs.md holds what it says: every requirement of ASVS 5.0.0 levels 1 and 2 that applies stands there once,
 * every test that is named exists, and the figures in its head are right. Counts per chapter: OWASP/ASVS, tag 5.0.0.
 */
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { test } from "node:test"

const root = resolve(import.meta.dirname, "..")
const text = readFileSync(resolve(root, "docs/security/asvs.md"), "utf8")

interface Row {
  readonly id: string
  readonly status: string
}
const rows: readonly Row[] = [...text.matchAll(/^\| (\d+\.\d+\.\d+) \| [^|]+ \| (.+) \|$/gm)].map((match) => ({
  id: match[1]!,
  status: match[2]!,
}))

/** Requirements of levels 1 and 2 that apply, by section; 10.4 has two of the authorization server's, for our own refresh tokens. */
const SECTIONS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "1.1:2 1.2:6 1.3:8 1.4:2 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 " +
    "4.4:4 5.1:1 5.2:3 5.3:2 5.4:2 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.8:3 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 " +
    "7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:2 10.5:5 11.1:2 11.2:3 11.3:3 " +
    "11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 " +
    "15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3"
  )
    .split(" ")
    .map((pair) => pair.split(":") as [string, string])
    .map(([section, count]) => [section, Number(count)]),
)

test("every requirement that applies stands there once: 216, and two of our own", () => {
  const ids = rows.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const counted: Record<string, number> = {}
  for (const id of ids) {
    const section = id.slice(0, id.lastIndexOf("."))
    counted[section] = (counted[section] ?? 0) + 1
  }
  assert.deepEqual(counted, SECTIONS)
  assert.equal(ids.length, 216 + 2)
})

test("every test that is named exists", () => {
  const wrong = rows.flatMap(({ id, status }) =>
    [...status.matchAll(/`([^` ]+) :: ([^`]+)`/g)]
      .filter(([, file = "", words = ""]) => {
        const path = resolve(root, file)
        return !existsSync(path) || !readFileSync(path, "utf8").includes(words)
      })
      .map(([whole]) => `${id}: ${whole}`),
  )
  assert.deepEqual(wrong, [])
  assert.ok([...text.matchAll(/ :: /g)].length > 130)
})

test("each row is a test, a reason by design, or a gap, and the head counts them", () => {
  const isGap = ({ status }: Row): boolean => status.includes("gap: ")
  const isDesign = (row: Row): boolean => !isGap(row) && row.status.startsWith("by design: ")
  const rest = rows.filter((row) => !isGap(row) && !isDesign(row))
  assert.deepEqual(
    rest.filter(({ status }) => !/`[^`]+ :: [^`]+`/.test(status)).map(({ id }) => id),
    [],
  )
  const head = `**${rows.length} rows: ${rest.length} by a test, ${rows.filter(isDesign).length} by design, ${rows.filter(isGap).length} with a gap.**`
  assert.ok(text.includes(head), `the head should say ${head}`)
})
