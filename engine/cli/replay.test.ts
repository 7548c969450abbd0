/** What `heliograph replay` prints is what was decided in the time that it was asked for. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import fc from "fast-check"
import { main } from "#engine/cli.ts"
import type { Asked } from "#engine/cli/replay.ts"
import { replayed } from "#engine/cli/replay.ts"
import { FIRST, live, RING, story, type Past } from "#engine/replay/past.fixture.ts"
import { poll, RULES, START_MS } from "#engine/tenant/network.fixture.ts"

const LAST_S = 600

/** Polls of a minute, nine minutes of nothing in which time alone decides, and polls again. */
const past = await live(
  [
    FIRST,
    { kind: "rules", atMs: START_MS, rev: 1, rules: RULES },
    ...story(60).slice(1),
    ...RING.devices.map(({ id }, i) => poll(id, START_MS + (LAST_S - 10 + i) * 1_000, { cpu: 5 })),
    poll(RING.devices[0]!.id, START_MS + LAST_S * 1_000, { cpu: 6 }),
  ],
  10,
)

const asked = (fromMs: number): Asked => ({
  tenant: null,
  fromMs,
  toMs: START_MS + LAST_S * 1_000,
  speed: null,
  events: true,
  verify: false,
  seek: 0,
  seed: 1,
  otherwise: null,
  fork: null,
})

const printed = async (fromMs: number): Promise<{ events: string[]; summary: Record<string, unknown> }> => {
  const lines: string[] = []
  const io = { env: {}, out: (line: string) => void lines.push(line), err: (line: string) => assert.fail(line) }
  assert.equal(await replayed(past, asked(fromMs), io), 0)
  return { events: lines.slice(0, -1), summary: JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

test("[7.4] --events prints what happened from then on, and nothing that was before", async () => {
  const decidedByTime = past.events.filter(
    ({ atMs }) => atMs > START_MS + 61_000 && atMs < START_MS + (LAST_S - 10) * 1_000,
  )
  assert.ok(decidedByTime.length > 0, "in the silence something was decided")
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 11, max: LAST_S - 1 }), async (seconds) => {
      // Between two inputs.
      const fromMs = START_MS + seconds * 1_000 + 500
      const { events } = await printed(fromMs)
      const expected = past.events.filter(({ atMs }) => atMs >= fromMs)
      assert.equal(events.length, expected.length)
      for (const [i, { atMs, type }] of expected.entries())
        assert.ok(
          events[i]!.startsWith(new Date(atMs).toISOString()) && events[i]!.includes(type),
          `${type}: ${events[i]}`,
        )
    }),
    { numRuns: 30 },
  )
})

test("the last line sums up: from where it folded, how many inputs, and the state at the end", async () => {
  const { summary } = await printed(START_MS + 30_500)
  assert.deepEqual(
    [summary["case"], summary["checkpointSeq"], summary["leadInputs"], summary["stateHash"]],
    ["replay", 30, 2, past.hashes.at(-1)],
  )
  assert.equal(summary["inputs"], past.inputs.length - 32)
})

describe("[5.4] --rules and --topology", () => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-replay-"))
  after(() => rmSync(dir, { recursive: true, force: true }))
  const file = (name: string, content: unknown): string => {
    const path = join(dir, name)
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content))
    return path
  }
  const cpuAbove = (threshold_num: number): readonly unknown[] =>
    RULES.map((rule) => (rule.id === "cpu" ? { ...rule, condition: { ...rule.condition, threshold_num } } : rule))
  const compare = async (otherwise: Asked["otherwise"]) => {
    const said = { out: [] as string[], err: [] as string[] }
    const io = {
      env: {},
      out: (line: string) => void said.out.push(line),
      err: (line: string) => void said.err.push(line),
    }
    const code = await replayed(busy, { ...asked(START_MS + 20_500), otherwise }, io)
    const summary = code === 0 ? (JSON.parse(said.out.at(-1)!) as Summary) : null
    return { code, lines: said.out.slice(0, -1), summary, err: said.err }
  }
  interface Summary {
    readonly case: string
    readonly same: number
    readonly onlyBefore: number
    readonly onlyNow: number
    readonly alerts: { readonly onlyBefore: number; readonly onlyNow: number; readonly otherwise: number }
    readonly told: Readonly<Record<string, { readonly before: number; readonly now: number }>>
  }
  let busy: Past
  before(async () => {
    const polls = RING.devices.flatMap(({ id }, i) =>
      [30, 100].map((seconds) =>
        poll(id, START_MS + (seconds + i) * 1_000, { cpu: 95, rightUp: i !== 0 || seconds < 100 }),
      ),
    )
    const inputs = [...story(20).slice(1), ...polls.toSorted((a, b) => a.atMs - b.atMs)]
    busy = await live([FIRST, { kind: "rules", atMs: START_MS, rev: 1, rules: RULES }, ...inputs], 10)
  })

  test("[5.4] the tenant's own pack prints nothing but the last line, alone and beside the others", async () => {
    for (const rulesJoin of [false, true]) {
      const { code, lines, summary } = await compare({ topology: null, rules: file("own.json", RULES), rulesJoin })
      assert.deepEqual([code, lines], [0, []])
      assert.deepEqual([summary!.case, summary!.onlyBefore, summary!.onlyNow], ["replay-compare", 0, 0])
      assert.ok(summary!.same > 0)
    }
  })

  test("[5.4] one threshold changed: what would not have begun, and who would not have been told", async () => {
    const rules = file("calm.json", { rules: cpuAbove(99) })
    const { code, lines, summary } = await compare({ topology: null, rules, rulesJoin: false })
    assert.equal(code, 0)
    const gone = lines.filter((line) => line.startsWith("alert cpu "))
    assert.equal(gone.length, RING.devices.length)
    for (const { name } of RING.devices)
      assert.ok(
        gone.some((line) => line.startsWith(`alert cpu "${name}" "": `) && line.endsWith("told 1 -> none")),
        name,
      )
    assert.ok(
      lines.every((line) => !line.startsWith("+ ")),
      "nothing is decided that was not",
    )
    assert.deepEqual(summary!.alerts, { onlyBefore: 4, onlyNow: 0, otherwise: 0, otherSeverity: 0 })
    assert.deepEqual(summary!.told["anybody"], { before: 4, now: 0 })
    // What joins replaces what has its id, and leaves the rest.
    const one = file("one.json", cpuAbove(99)[0])
    assert.deepEqual((await compare({ topology: null, rules: one, rulesJoin: true })).lines, lines)
    const alone = await compare({ topology: null, rules: one, rulesJoin: false })
    assert.ok(alone.lines.length > lines.length, "alone, the other rules are gone, too")
  })

  test("[5.4] topology and rules together", async () => {
    const sites = [{ id: RING.sites[0]!.id, name: RING.sites[0]!.name, latitude: -23.5, longitude: -46.6 }]
    const devices = RING.devices.map(({ name, address, site, roles, pollSeconds }) => ({
      name,
      address,
      site,
      roles,
      pollSeconds,
    }))
    const topology = file("planned.json", { sites, devices, links: [] })
    const { code, lines, err } = await compare({ topology, rules: file("both.json", cpuAbove(99)), rulesJoin: false })
    assert.deepEqual([code, err], [0, []])
    assert.ok(lines.some((line) => line.startsWith("alert cpu ")))
    assert.ok(
      lines.some((line) => line.startsWith("- ") && line.includes(RING.links[0]!.id)),
      lines.join("\n"),
    )
  })

  test("[5.4] a wrong file: every mistake by its path in the file, on the error output, and nothing is folded", async () => {
    const bad = file("bad.json", [...RULES, { ...RULES[0]!, id: "x", severity: "loud" }, { ...RULES[0]!, for_secs: 1 }])
    const { code, lines, err } = await compare({ topology: null, rules: bad, rulesJoin: false })
    assert.deepEqual([code, lines], [2, []])
    assert.ok(
      err.some((line) => line.startsWith(`${bad}: rules[3].severity `)),
      err.join("\n"),
    )
    assert.ok(
      err.some((line) => line.startsWith(`${bad}: rules[4].for_secs `)),
      err.join("\n"),
    )
    const both = await compare({ topology: file("no-import.json", { links: 1 }), rules: bad, rulesJoin: true })
    assert.equal(both.code, 2)
    assert.ok(both.err.length > err.length, "both files are named")
    await assert.rejects(compare({ topology: null, rules: join(dir, "none"), rulesJoin: false }), /none cannot be read/)
    await assert.rejects(
      compare({ topology: null, rules: file("x.json", "{"), rulesJoin: false }),
      /x\.json is not JSON/,
    )
  })

  test("[5.4] words that contradict each other are refused", async () => {
    const words = async (...args: readonly string[]) => {
      let err = ""
      const code = await main(["replay", ...args], { env: {}, out: () => undefined, err: (line) => void (err += line) })
      return [code, err] as const
    }
    for (const [args, why] of [
      [["--rules", "a", "--rules-add", "b"], /--rules-add has no place/],
      [["--rules", "a", "--fork-at=-1h", "--inputs", "b", "--to=-0s"], /ask for one of the two/],
    ] as const) {
      const [code, err] = await words(...args)
      assert.equal(code, 2)
      assert.match(err, why)
    }
  })
})

test("[5.4] --verify: a live twin that was another one is told by the inputs between which, and the actor", async () => {
  const told = story(60)
  const whole = await live(told, 10)
  const other = await live(
    [...told.slice(0, 39), poll(RING.devices[2]!.id, told[39]!.atMs, { cpu: 99 }), ...told.slice(40)],
    10,
  )
  const verify = async (source: Past): Promise<string[]> => {
    const lines: string[] = []
    const io = { env: {}, out: (line: string) => void lines.push(line), err: (line: string) => assert.fail(line) }
    const from = START_MS + 20_500
    assert.equal(
      await replayed(source, { ...asked(from), toMs: START_MS + 61_000, events: false, verify: true }, io),
      0,
    )
    return lines
  }
  const [words, summary] = await verify(whole)
  assert.match(words!, /^4 of 4 marks equal over /)
  assert.deepEqual([(JSON.parse(summary!) as { equal: number }).equal], [4])
  // From input 40 on the marks and snapshots are those of the other life.
  const planted: Past = {
    ...whole,
    marks: async (after, toMs, limit) =>
      [...whole.marked.slice(0, 3), ...other.marked.slice(3)]
        .filter(({ seq, atMs }) => seq > after && atMs <= toMs)
        .slice(0, limit),
    snapshotAt: (seq) => (seq >= 40 ? other : whole).snapshotAt(seq),
  }
  await assert.rejects(verify(planted), {
    message: `the replay differs from the live twin: equal at input 30, different at 40; first in router ${RING.devices[2]!.name}`,
  })
})
