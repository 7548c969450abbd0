/**
 * The same samples and the same conditions through Prometheus, where its Debian package is installed: blocks are made of
 * the samples with promtool, a server is started on them, and each rule's expression is asked as the rule manager asks it,
 * an instant query per evaluation. That leaves out what Prometheus also pays for (scraping, alert states, ALERTS series),
 * so that the comparison is in its favour. Its CPU time is the process's own, all threads.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createWriteStream, existsSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { START_MS, STEP_MS, valueAt } from "#bench/rules/workload.ts"

const PROMETHEUS = "/usr/bin/prometheus"
const PROMTOOL = "/usr/bin/promtool"
export const hasPrometheus = (): boolean => existsSync(PROMETHEUS) && existsSync(PROMTOOL)

/** Evaluations of each rule whose CPU is measured. */
const EVALUATIONS = 5
const READY_WITHIN_MS = 30_000
/** Of /proc/PID/stat on Linux (USER_HZ). */
const TICK_MS = 10

export interface Size {
  readonly series: number
  readonly steps: number
  readonly window: number
  readonly seed: number
}

export interface PrometheusRun {
  readonly version: string
  readonly nsPerEvaluation: number
  readonly cpuMs: number
  /** `<rule> <series> <step>` where its condition held, of all steps whose windows are full. */
  readonly held: ReadonlySet<string>
}

/**
 * The ten conditions in PromQL. A range selector of 2.x takes in both its ends, so that a window of n samples is one second
 * shorter than n steps; a window of n changes needs n + 1 samples.
 */
export const expressions = (window: number): Readonly<Record<string, string>> => {
  const seconds = (window * STEP_MS) / 1000
  const range = `u[${seconds - 1}s]`
  const step = STEP_MS / 1000
  return {
    avg: `avg_over_time(${range}) > 70`,
    max: `max_over_time(${range}) > 99`,
    min: `min_over_time(${range}) < 1`,
    p95: `quantile_over_time(0.95, ${range}) > 92`,
    last: "u > 90",
    sum: `sum_over_time(${range}) > ${75 * window}`,
    rate: `(u - u offset ${seconds}s) / abs(u offset ${seconds}s) > 1`,
    thrice: `min_over_time(u[${3 * step - 1}s]) > 85`,
    flap: `changes(u[${seconds}s]) >= ${Math.max(2, window - 2)}`,
    both: `avg_over_time(${range}) > 65 and min_over_time(${range}) > 40`,
  }
}

export const runPrometheus = async (size: Size): Promise<PrometheusRun> => {
  const folder = await mkdtemp(join(tmpdir(), "bench-prometheus-"))
  try {
    await writeBlocks(folder, size)
    return await withServer(folder, (url, pid, version) => ask(url, pid, version, size))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const writeBlocks = async (folder: string, size: Size): Promise<void> => {
  const text = join(folder, "samples.txt")
  const out = createWriteStream(text)
  out.write("# HELP u utilization\n# TYPE u gauge\n")
  for (let series = 0; series < size.series; series++) {
    let lines = ""
    for (let step = 1; step <= size.steps; step++)
      lines += `u{s="${series}"} ${valueAt(series, step, size.seed)} ${(START_MS + step * STEP_MS) / 1000}\n`
    if (!out.write(lines)) await once(out, "drain")
  }
  out.end("# EOF\n")
  await once(out, "finish")
  await promisify(execFile)(PROMTOOL, ["tsdb", "create-blocks-from", "openmetrics", text, join(folder, "data")])
}

const withServer = async <A>(
  folder: string,
  use: (url: string, pid: number, version: string) => Promise<A>,
): Promise<A> => {
  const port = await freePort()
  await writeFile(join(folder, "prometheus.yml"), "global: {}\n")
  const server = spawn(
    PROMETHEUS,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  )
  const ended = once(server, "exit")
  try {
    const url = `http://127.0.0.1:${port}`
    await ready(url, server)
    const { version } = await answered<{ version: string }>(`${url}/api/v1/status/buildinfo`)
    return await use(url, server.pid as number, version)
  } finally {
    server.kill("SIGKILL")
    await ended
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** It says nowhere when it is ready but at this address. */
const ready = async (url: string, server: ChildProcess): Promise<void> => {
  for (const untilMs = Date.now() + READY_WITHIN_MS; Date.now() < untilMs && server.exitCode === null;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await sleep(100)
  }
  throw new Error(`Prometheus ended, or was not ready within ${READY_WITHIN_MS / 1000} s`)
}

const answered = async <A>(url: string): Promise<A> => {
  const body = (await (await fetch(url)).json()) as { status: string; data: A; error?: string }
  if (body.status !== "success") throw new Error(`Prometheus: ${body.error ?? "no success"}`)
  return body.data
}

const ask = async (url: string, pid: number, version: string, size: Size): Promise<PrometheusRun> => {
  const rules = Object.entries(expressions(size.window))
  const steps = fullSteps(size)
  const held = new Set<string>()
  for (const [rule, expression] of rules) for (const line of await heldOf(url, rule, expression, steps)) held.add(line)
  // Only counted, so that no answer has to be written as JSON; the samples are warm by now.
  const before = cpuMsOf(pid)
  for (const step of steps.slice(-EVALUATIONS))
    for (const [, expression] of rules) {
      const query = new URLSearchParams({ query: `count(${expression})`, time: String(secondsAt(step)) })
      await answered(`${url}/api/v1/query?${query.toString()}`)
    }
  const cpuMs = cpuMsOf(pid) - before
  const evaluations = Math.min(EVALUATIONS, steps.length) * rules.length * size.series
  return { version, nsPerEvaluation: (cpuMs * 1e6) / evaluations, cpuMs, held }
}

/** Steps at which every window, and the sample before it, is there. */
export const fullSteps = ({ steps, window }: Size): readonly number[] =>
  Array.from({ length: steps }, (_, index) => index + 1).filter((step) => step > window + 1)

const secondsAt = (step: number): number => (START_MS + step * STEP_MS) / 1000

const heldOf = async (
  url: string,
  rule: string,
  expression: string,
  steps: readonly number[],
): Promise<readonly string[]> => {
  const query = new URLSearchParams({
    query: expression,
    start: String(secondsAt(steps[0] as number)),
    end: String(secondsAt(steps.at(-1) as number)),
    step: String(STEP_MS / 1000),
  })
  const { result } = await answered<{
    result: ReadonlyArray<{ metric: { s: string }; values: ReadonlyArray<readonly [number, string]> }>
  }>(`${url}/api/v1/query_range?${query.toString()}`)
  return result.flatMap(({ metric, values }) =>
    values.map(([at]) => `${rule} ${metric.s} ${Math.round((at * 1000 - START_MS) / STEP_MS)}`),
  )
}

/** utime and stime, fields 14 and 15 of /proc/PID/stat; the name in parentheses may hold spaces. */
const cpuMsOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
