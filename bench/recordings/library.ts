/**
 * The recordings of real devices beside this repository, with what LibreNMS made of each (GPL-3: they are read where
 * they lie and never become part of it). Numbers are read as digits: JSON's would lose the end of a Counter64.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { ExpectedPort } from "#bench/recordings/compare.ts"
import { parseRecording } from "#lab/replay/recording.ts"
import type { Recording } from "#lab/replay/recording.ts"

export const RECORDINGS_DIRECTORY = resolve(import.meta.dirname, "../../../shared/data/snmprec")
export const HOW_TO_ENABLE = `put LibreNMS' tests/snmpsim/*.snmprec and tests/data/*.json into ${RECORDINGS_DIRECTORY}`

/** Names without ending, of those that have an expectation; empty when the directory is not there. */
export const recordingNames = (): readonly string[] =>
  existsSync(RECORDINGS_DIRECTORY)
    ? readdirSync(RECORDINGS_DIRECTORY)
        .filter((name) => name.endsWith(".snmprec"))
        .map((name) => name.slice(0, -".snmprec".length))
        .filter((name) => existsSync(`${RECORDINGS_DIRECTORY}/${name}.json`))
        .sort()
    : []

export const recordingFile = (name: string): string => `${RECORDINGS_DIRECTORY}/${name}.snmprec`

export const readRecording = (name: string): Recording => parseRecording(readFileSync(recordingFile(name)))

/** Ports after polling, or after discovery where polling changed nothing. */
export const expectedPorts = (name: string): readonly ExpectedPort[] => {
  const text = readFileSync(`${RECORDINGS_DIRECTORY}/${name}.json`, "utf8")
  const data = JSON.parse(text, digits as Parameters<typeof JSON.parse>[1]) as {
    readonly ports?: { readonly discovery?: Module; readonly poller?: Module | "matches discovery" }
  }
  const { discovery, poller } = data.ports ?? {}
  return (typeof poller === "object" ? poller : discovery)?.ports ?? []
}

interface Module {
  readonly ports?: readonly ExpectedPort[]
}

/** JSON.parse's reviver with the source text of primitives (ECMAScript 2026; Node 21 and later). */
const digits = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
  typeof value === "number" ? (context.source ?? String(value)) : value
