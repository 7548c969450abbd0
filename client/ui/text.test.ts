/** Numbers, times, colours and chart columns as people see them. */
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { makePalette, parseColor } from "#client/map/palette.ts"
import type { Rgb } from "#client/map/palette.ts"
import { MARKS } from "#client/map/mark.ts"
import { chartData } from "#client/ui/chart-data.ts"
import {
  formatAge,
  formatBps,
  formatBytes,
  formatCompact,
  formatDuration,
  formatMetric,
  formatPercent,
  NOTHING,
} from "#client/ui/format.ts"

/** Intl puts no-break spaces between number and unit in some languages. */
const spaced = (text: string) => text.replace(/[\u00a0\u202f]/g, " ")

test("rates are SI, memory is IEC, and both follow the language", () => {
  assert.equal(formatBps("pt-BR", 12_345_000_000), "12,3 Gbit/s")
  assert.equal(formatBps("en", 12_345_000_000), "12.3 Gbit/s")
  assert.equal(formatBps("en", 0), "0 bit/s")
  assert.equal(formatBps("en", 999), "999 bit/s")
  assert.equal(formatBytes("en", 1_536 * 1024 ** 2), "1.5 GiB")
  assert.equal(formatPercent("pt-BR", 7.25), "7,3 %")
  assert.equal(spaced(formatCompact("pt-BR", 20_300)), "20,3 mil")
  assert.equal(formatCompact("en", 20_300), "20.3K")
  assert.equal(formatMetric("en", 41.5, "°C"), "41.5 °C")
  assert.equal(formatMetric("pt-BR", 3_600, "s"), "1 h")
})

test("[X1] nothing measured is a dash, never a zero", () => {
  assert.equal(formatBps("en", null), NOTHING)
  assert.equal(formatBytes("en", null), NOTHING)
  assert.equal(formatPercent("en", null), NOTHING)
  assert.equal(formatCompact("en", null), NOTHING)
})

test("durations and ages", () => {
  const cases: readonly (readonly [number, string])[] = [
    [40, "40 ms"],
    [4_200, "4 s"],
    [300_000, "5 min"],
    [3 * 3_600_000 + 12 * 60_000, "3 h 12 min"],
    [12 * 86_400_000 + 4 * 3_600_000, "12 d 4 h"],
    [212 * 86_400_000, "212 d"],
    [-5, "0 ms"],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration("pt-BR", ms), text)
  assert.equal(formatAge("pt-BR", 4_000), "há 4 s")
  assert.equal(formatAge("en", 4_000), "4 s ago")
  assert.equal(formatAge("pt-BR", 10), "agora")
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e13, noNaN: true }), (ms) =>
      assert.match(formatDuration("en", ms), /^[\d,]+ (ms|s|min|h|d)( \d+ (min|h))?$/),
    ),
  )
})

test("a chart joins stored and live samples once, in order, with its holes", () => {
  const history = { atMs: [1_000, 2_000, 3_000], avg: [1, null, 3] }
  const live = [
    { atMs: 2_500, value: 9 },
    { atMs: 4_000, value: 4 },
  ]
  assert.deepEqual(chartData([{ history, live }], 0), [
    [1, 2, 3, 4],
    [1, null, 3, 4],
  ])
  assert.deepEqual(chartData([{ history: null, live: [] }], 0), [[], []])
  const two = chartData(
    [
      { history, live: [] },
      { history: null, live },
    ],
    0,
  )
  assert.deepEqual(two[0], [1, 2, 2.5, 3, 4])
  assert.equal(two[2]?.[0], undefined, "a time that only the other series has is drawn through")
})

const TOKENS = await readFile(fileURLToPath(new URL("tokens.css", import.meta.url)), "utf8")
const themeTokens = (theme: string): ((name: string) => string) => {
  const block = new RegExp(`\\[data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(TOKENS)?.[1] ?? ""
  const tokens = new Map(
    [...block.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{3,8})/g)].map(([, name = "", value = ""]) => [name, value]),
  )
  return (name) => {
    const value = tokens.get(name)
    assert.ok(value !== undefined, `${theme} has ${name}`)
    return value
  }
}
const luminance = (color: Rgb): number => {
  const [r, g, b] = color.map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const contrast = (a: string, b: string): number => {
  const [high = 0, low = 0] = [luminance(parseColor(a)), luminance(parseColor(b))].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

for (const theme of ["dark", "light"]) {
  test(`${theme}: marks keep 3:1 on panel and land, text keeps 4.5:1`, () => {
    const token = themeTokens(theme)
    for (const mark of MARKS) {
      for (const ground of ["--panel", "--land"]) {
        const ratio = contrast(token(`--${mark}`), token(ground))
        assert.ok(ratio >= 3, `${mark} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
    for (const ink of ["--ink", "--ink-2", "--ink-3", "--accent"]) {
      for (const ground of ["--panel", "--bg"]) {
        const ratio = contrast(token(ink), token(ground))
        assert.ok(ratio >= 4.5, `${ink} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
  })
}

test("the map's palette: the ramp ends at its stops, unknown load is not a load", () => {
  const token = themeTokens("dark")
  const pixels = makePalette(token)
  const pixel = (row: number, column: number) => [
    ...pixels.subarray((row * 256 + column) * 4, (row * 256 + column) * 4 + 3),
  ]
  assert.deepEqual(pixel(0, 0), [...parseColor(token("--load-0"))])
  assert.deepEqual(pixel(0, 200), [...parseColor(token("--load-4"))])
  assert.deepEqual(pixel(0, 254), [...parseColor(token("--load-4"))])
  assert.deepEqual(pixel(0, 255), [...parseColor(token("--load-unknown"))])
  MARKS.forEach((mark, index) => assert.deepEqual(pixel(1, index), [...parseColor(token(`--${mark}`))]))
})
