/**
 * Devices as CSV (RFC 4180), one a line: what comes out of a spreadsheet. The columns make an import document, which is
 * then checked as a JSON file is; mistakes are told by the line and column name of the CSV. Cells are data and nothing
 * else: a byte order mark is dropped, and a cell that a spreadsheet would run as a formula (it begins with = + - @) is
 * refused wherever it could come back out in an export; passwords and communities may begin as they like.
 */
import { CsvError, parse } from "csv-parse/sync"
import type { ImportError, ParsedImport } from "#engine/import/parse.ts"
import { IMPORT_BYTES_MAX, IMPORT_DEVICES_MAX, parseImport } from "#engine/import/parse.ts"
import { MISTAKES_MAX } from "#engine/import/read.ts"
import { nearest } from "#engine/nearest.ts"
import type { WrongAddress } from "#engine/net/reach.ts"

/** Every column that is known; name, address, site and roles must be there. docs/api.md tells what each holds. */
export const CSV_COLUMNS = [
  "name",
  "address",
  "site",
  "site_name",
  "latitude",
  "longitude",
  "roles",
  "poll_seconds",
  "ping_seconds",
  "snmp_version",
  "snmp_port",
  "community",
  "snmp_user",
  "auth_protocol",
  "auth_password",
  "priv_protocol",
  "priv_password",
  "routeros_user",
  "routeros_password",
  "routeros_port",
  "routeros_tls",
] as const
type Column = (typeof CSV_COLUMNS)[number]
const NEEDED: readonly Column[] = ["name", "address", "site", "roles"]
/** Their cells may begin with anything, and no mistake quotes them. */
const SECRET: ReadonlySet<Column> = new Set(["community", "auth_password", "priv_password", "routeros_password"])

/** All cells of one line together. */
const RECORD_BYTES_MAX = 64 * 1024

/** Sites that the tenant has: a line may name one without saying where it is. */
export type KnownSites = ReadonlyMap<
  string,
  { readonly name: string; readonly latitude: number; readonly longitude: number }
>

/** As parseImport; never throws. */
export const parseCsv = (input: string, known: KnownSites, wrong: WrongAddress = () => null): ParsedImport => {
  if (Buffer.byteLength(input) > IMPORT_BYTES_MAX)
    return failed([mistake(1, "", `is larger than ${IMPORT_BYTES_MAX} bytes`)])
  const table = readTable(input)
  if ("errors" in table) return failed(table.errors)
  const errors: ImportError[] = []
  for (const { line, cells } of table.rows)
    for (const [column, text] of Object.entries(cells) as Array<[Column, string]>)
      if (!SECRET.has(column) && isFormula(column, text))
        errors.push(mistake(line, column, "begins like a spreadsheet formula (= + - @): write it without"))
  const sites = sitesOf(table.rows, known, errors)
  const places = [...sites.values()]
  const document = {
    sites: places.map(({ site }) => site),
    devices: table.rows.map(({ cells }) => deviceOf(cells)),
    links: [],
  }
  const lines = table.rows.map(({ line }) => line)
  return told(parseImport(JSON.stringify(document), wrong), errors, lines, places)
}

interface PlacedSite {
  readonly site: object
  readonly line: number
}

/** Every site that a line names: placed by a line of the file, or known already. Notes those that nobody places. */
const sitesOf = (rows: readonly Row[], known: KnownSites, errors: ImportError[]): ReadonlyMap<string, PlacedSite> => {
  const sites = new Map<string, PlacedSite>()
  for (const { line, cells } of rows.filter((row) => isPlaced(row.cells))) {
    const name = cells.site_name === "" ? (known.get(cells.site)?.name ?? cells.site) : cells.site_name
    const site = { id: cells.site, name, latitude: number(cells.latitude), longitude: number(cells.longitude) }
    const before = sites.get(cells.site)
    if (before === undefined) sites.set(cells.site, { site, line })
    else if (JSON.stringify(before.site) !== JSON.stringify(site))
      errors.push(mistake(line, "site", `is placed elsewhere, or called otherwise, than on line ${before.line}`))
  }
  for (const { line, cells } of rows) {
    if (cells.site === "" || sites.has(cells.site)) continue
    const stored = known.get(cells.site)
    if (stored === undefined) errors.push(mistake(line, "site", UNPLACED))
    else sites.set(cells.site, { site: { ...stored, id: cells.site, ...named(cells.site_name) }, line })
  }
  return sites
}
const named = (name: string): object => (name === "" ? {} : { name })
const isPlaced = (cells: Cells): boolean => cells.site !== "" && (cells.latitude !== "" || cells.longitude !== "")

const UNPLACED = "is not known: give its latitude and longitude on this line"

type Cells = Readonly<Record<Column, string>>
interface Row {
  readonly line: number
  readonly cells: Cells
}

const readTable = (input: string): { readonly rows: readonly Row[] } | { readonly errors: readonly ImportError[] } => {
  const text = input.replace(/^\uFEFF/, "")
  // Spreadsheets of half the world separate by semicolons.
  const [head = ""] = text.split(/\r?\n/, 1)
  const delimiter = head.includes(";") && !head.includes(",") ? ";" : ","
  let records: ReadonlyArray<{ readonly record: readonly string[]; readonly info: { readonly lines: number } }>
  try {
    records = parse(text, {
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: RECORD_BYTES_MAX,
      to: IMPORT_DEVICES_MAX + 2,
    }) as never
  } catch (cause) {
    return { errors: [csvMistake(cause)] }
  }
  const [first, ...rest] = records
  if (first === undefined)
    return { errors: [mistake(1, "", `is empty; its first line names columns: ${NEEDED.join(",")}`)] }
  if (rest.length > IMPORT_DEVICES_MAX)
    return { errors: [mistake(1, "", `holds more than ${IMPORT_DEVICES_MAX} devices`)] }
  const names = first.record.map((name) => name.toLowerCase())
  const errors = headMistakes(names)
  if (errors.length > 0) return { errors }
  const rows: Row[] = []
  let before = first.info.lines
  for (const { record, info } of rest) {
    // A record begins behind the one before; `lines` counts where it ends (a quoted cell may hold line ends).
    const line = Math.max(before + 1, info.lines - record.join("").split("\n").length + 1)
    before = info.lines
    if (record.length > names.length)
      errors.push(mistake(line, "", `has ${record.length} cells; the first line names ${names.length}`))
    const cell = (column: Column): string => record[names.indexOf(column)] ?? ""
    rows.push({
      line,
      cells: Object.fromEntries(
        CSV_COLUMNS.map((column) => [column, names.includes(column) ? cell(column) : ""]),
      ) as Cells,
    })
  }
  return errors.length > 0 ? { errors } : { rows }
}

const headMistakes = (names: readonly string[]): ImportError[] => [
  ...names.flatMap((name, index) => {
    if (names.indexOf(name) < index) return [mistake(1, word(name), "is a column twice")]
    if ((CSV_COLUMNS as readonly string[]).includes(name)) return []
    const near = nearest(name, CSV_COLUMNS)
    const hint = near === null ? `known are: ${CSV_COLUMNS.join(", ")}` : `did you mean ${near}?`
    return [mistake(1, word(name), `is not a known column; ${hint}`)]
  }),
  ...NEEDED.filter((name) => !names.includes(name)).map((name) => mistake(1, name, "is missing as a column")),
]

const word = (name: string): string => JSON.stringify(name.slice(0, 60)).slice(1, -1)

/** The parser's own words may quote the file: only what kind of mistake it is goes on. */
const csvMistake = (cause: unknown): ImportError => {
  const line = cause instanceof CsvError && typeof cause["lines"] === "number" ? cause["lines"] : 1
  const isQuote = cause instanceof CsvError && cause.code.includes("QUOTE")
  return mistake(
    line,
    "",
    isQuote ? "has a quote that is not closed, or stands inside a cell" : "cannot be read as CSV",
  )
}

const deviceOf = (cells: Cells): object => ({
  name: cells.name,
  address: cells.address,
  site: cells.site,
  roles: cells.roles.split(/[|; ]+/).filter((role) => role !== ""),
  ...some({ pollSeconds: number(cells.poll_seconds) }),
  ...pingOf(cells.ping_seconds),
  ...group("snmp", {
    version: cells.snmp_version,
    port: number(cells.snmp_port),
    community: cells.community,
    user: cells.snmp_user,
    authProtocol: cells.auth_protocol,
    authPassword: cells.auth_password,
    privProtocol: cells.priv_protocol,
    privPassword: cells.priv_password,
  }),
  ...(cells.routeros_user === ""
    ? group("routeros", {
        password: cells.routeros_password,
        port: number(cells.routeros_port),
        tls: flag(cells.routeros_tls),
      })
    : {
        routeros: {
          user: cells.routeros_user,
          // RouterOS has users without a password; an empty cell is one.
          password: cells.routeros_password,
          ...some({ port: number(cells.routeros_port), tls: flag(cells.routeros_tls) }),
        },
      }),
})

const pingOf = (text: string): object => {
  if (text === "") return {}
  const seconds = number(text)
  return { ping: seconds === 0 ? false : { intervalSeconds: seconds } }
}

/** Members that have a value; none of them, no group. */
const group = (name: string, members: Readonly<Record<string, unknown>>): object => {
  const given = some(members)
  return Object.keys(given).length === 0 ? {} : { [name]: given }
}
const some = (members: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ""))

/** The text itself when it is no number: the document's check then says so. A decimal comma is understood. */
const number = (text: string): number | string => {
  const plain = /^[+-]?\d+,\d+$/.test(text) ? text.replace(",", ".") : text
  return plain !== "" && /^[+-]?\d+(\.\d+)?$/.test(plain) ? Number(plain) : text
}
const flag = (text: string): boolean | string => {
  const lower = text.toLowerCase()
  return ["true", "yes", "1"].includes(lower) ? true : ["false", "no", "0"].includes(lower) ? false : text
}

const isFormula = (column: Column, text: string): boolean =>
  /^[=+\-@\t\r]/.test(text) && !((column === "latitude" || column === "longitude") && typeof number(text) === "number")

/** Which column a field of the document came from. */
const COLUMN_OF: Readonly<Record<string, Column>> = {
  pollSeconds: "poll_seconds",
  ping: "ping_seconds",
  "ping.intervalSeconds": "ping_seconds",
  "snmp.version": "snmp_version",
  "snmp.port": "snmp_port",
  "snmp.community": "community",
  "snmp.user": "snmp_user",
  "snmp.authProtocol": "auth_protocol",
  "snmp.authPassword": "auth_password",
  "snmp.privProtocol": "priv_protocol",
  "snmp.privPassword": "priv_password",
  "routeros.user": "routeros_user",
  "routeros.password": "routeros_password",
  "routeros.port": "routeros_port",
  "routeros.tls": "routeros_tls",
}

/** The document's mistakes with the lines and columns of the CSV. */
const told = (
  parsed: ParsedImport,
  errors: ImportError[],
  lines: readonly number[],
  sites: readonly PlacedSite[],
): ParsedImport => {
  if (parsed.ok) return errors.length === 0 ? parsed : failed(errors)
  const more = parsed.errors.map(({ path, message }) => {
    const [, kind, index, field = ""] = /^(devices|sites)\[(\d+)\]\.?(.*)$/.exec(path) ?? []
    const line = (kind === "sites" ? sites[Number(index)]?.line : lines[Number(index)]) ?? 1
    const plain = field.replace(/\[\d+\]$/, "")
    const column =
      kind === "sites"
        ? plain === "id"
          ? "site"
          : plain === "name"
            ? "site_name"
            : plain
        : (COLUMN_OF[plain] ?? plain)
    return mistake(
      line,
      column,
      message.replaceAll(
        /\b(devices|sites)\[(\d+)\]/g,
        (_, of: string, at: string) => `line ${(of === "sites" ? sites[Number(at)]?.line : lines[Number(at)]) ?? 1}`,
      ),
    )
  })
  // A site without a place is missing in the document, so that its devices are blamed as well: once is enough.
  const unplaced = new Set(errors.filter(({ message }) => message === UNPLACED).map(({ line }) => line))
  const own = more.filter(({ line, path }) => !(path === "site" && unplaced.has(line)))
  return failed([...errors, ...own], parsed.total - (more.length - own.length) + errors.length)
}

const mistake = (line: number, path: string, message: string): ImportError => ({ line, column: 1, path, message })
const failed = (errors: readonly ImportError[], total = errors.length): ParsedImport => ({
  ok: false,
  errors: errors.toSorted((a, b) => a.line - b.line).slice(0, MISTAKES_MAX),
  total: Math.max(total, errors.length),
})
