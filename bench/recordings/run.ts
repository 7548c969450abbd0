/**
 * One recording through the whole chain, as a user would: `lab replay` in a process of its own, `heliograph device
 * test --json` in another, and the comparison of its report.
 */
import { once } from "node:events"
import { compare } from "#bench/recordings/compare.ts"
import type { Comparison } from "#bench/recordings/compare.ts"
import { expectedPorts, readRecording, recordingFile } from "#bench/recordings/library.ts"
import type { DeviceReport } from "#engine/device-test/report.ts"
import { startChild } from "#lab/drive/child.ts"
import type { Child } from "#lab/drive/child.ts"

const READY_MS = 30_000
const TEST_MS = 60_000

export interface RecordingResult extends Comparison {
  readonly name: string
  /** Lines of the file that could not be served. */
  readonly unreadable: number
  readonly report: DeviceReport
  /** From the start of the command to its report. */
  readonly tookMs: number
}

export const runRecording = async (name: string): Promise<RecordingResult> => {
  const replay = startChild(["lab/cli.ts", "replay", recordingFile(name), "--listen", "127.0.0.1:0"], {})
  try {
    const ready = await replay.line((line) => line.startsWith("listening on "), READY_MS)
    const port = /^listening on 127\.0\.0\.1:(\d+)/.exec(ready)?.[1] ?? ""
    const startedMs = performance.now()
    const report = await deviceTest(port)
    const tookMs = performance.now() - startedMs
    const recording = readRecording(name)
    const comparison = compare(report.interfaces, expectedPorts(name), recording.values)
    return { name, unreadable: recording.unreadable, report, tookMs, ...comparison }
  } finally {
    await replay.stop()
  }
}

const deviceTest = async (port: string): Promise<DeviceReport> => {
  const words = ["device", "test", "127.0.0.1", "--snmp-v2c-env", "COMMUNITY", "--snmp-port", port, "--json"]
  const child: Child = startChild(["engine/cli.ts", ...words], { COMMUNITY: "public" })
  try {
    const gone = child.process.exitCode === null ? once(child.process, "exit") : null
    const line = await child.line((text) => text.startsWith("{"), TEST_MS)
    await gone
    if (child.process.exitCode !== 0) throw new Error(`device test ended with ${child.process.exitCode}`)
    return JSON.parse(line) as DeviceReport
  } finally {
    await child.stop()
  }
}
