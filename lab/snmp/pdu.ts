/**
 * The command responder of RFC 3416: GET, GETNEXT and GETBULK over a MIB view, SET refused. It takes a PDU and writes a
 * PDU; community or USM is around it (agent.ts). Hostile counts are clamped before anything is sized by them.
 */
import { BerError, TAG } from "#lab/snmp/ber.ts"
import type { Oid, Reader, Writer } from "#lab/snmp/ber.ts"
import { Cursor } from "#lab/snmp/mib.ts"
import type { Subject, Table } from "#lab/snmp/mib.ts"

export const PDU = {
  get: 0xa0,
  getNext: 0xa1,
  response: 0xa2,
  set: 0xa3,
  getBulk: 0xa5,
  trapV2: 0xa7,
  report: 0xa8,
} as const

const TOO_BIG = 1
const NOT_WRITABLE = 17
/** More names than this in one request get no answer; managers ask for some tens. */
const NAMES_MAX = 256
/** One VarBind is at most this long (longest name, a text of 255 octets): the slack that a Writer needs past a limit. */
export const VARBIND_MAX = 128 * 5 + 255 + 16

export interface Request {
  readonly type: number
  readonly requestId: number
  /** error-status, or non-repeaters of a GETBULK. */
  readonly first: number
  /** error-index, or max-repetitions of a GETBULK. */
  readonly second: number
  readonly names: readonly Oid[]
  /** The VarBindList as it came, to be returned with an error. */
  readonly varbinds: Buffer
}

/** Throws BerError on anything that is not a request of RFC 3416. */
export const readRequest = (reader: Reader): Request => {
  const type = reader.peek()
  if (type !== PDU.get && type !== PDU.getNext && type !== PDU.getBulk && type !== PDU.set)
    throw new BerError(`PDU type ${type} is no request`)
  const pdu = reader.into(type)
  const requestId = pdu.integer()
  const first = pdu.integer()
  const second = pdu.integer()
  const from = pdu.at
  const list = pdu.into(TAG.sequence)
  const names: Oid[] = []
  while (!list.done) {
    const varbind = list.into(TAG.sequence)
    names.push(varbind.oid())
    varbind.skip()
    if (!varbind.done) throw new BerError("a VarBind of more than a name and a value")
    if (names.length > NAMES_MAX) throw new BerError(`more than ${NAMES_MAX} names`)
  }
  return { type, requestId, first, second, names, varbinds: reader.bytes.subarray(from, list.end) }
}

/** Places in a MIB view, in OID order: what a command responder needs of one, wherever the values come from. */
export interface View {
  /** Exactly this instance. Tells which exception is due when there is none. */
  readonly find: (oid: Oid) => "found" | "noSuchObject" | "noSuchInstance"
  /** The first instance behind `oid`. */
  readonly seekBehind: (oid: Oid) => void
  /** False behind the last instance. */
  readonly valid: boolean
  /** The next instance in order; false, with the position kept for `oid`, when there is none. */
  readonly next: () => boolean
  /** Name and value of the instance, as one VarBind. */
  readonly write: (out: Writer) => void
  readonly oid: () => Oid
  readonly fork: () => View
}

/** Writes the Response-PDU, which ends before `limit` in `out`; `out` itself is VARBIND_MAX longer. */
export const respond = (
  request: Request,
  tables: readonly Table[],
  subject: Subject,
  out: Writer,
  limit: number,
): void => respondFrom(request, new Cursor(tables, subject), out, limit)

/** The same from any view; `out` is longer than `limit` by the view's longest VarBind. */
export const respondFrom = (request: Request, cursor: View, out: Writer, limit: number): void => {
  const start = out.at
  if (request.type === PDU.set) return writeError(request, NOT_WRITABLE, 1, out)
  const pdu = out.open(PDU.response)
  out.integer(request.requestId)
  out.integer(0)
  out.integer(0)
  const list = out.open(TAG.sequence)
  const complete = request.type === PDU.getBulk ? bulk(request, cursor, out, limit) : each(request, cursor, out, limit)
  if (!complete) {
    out.at = start
    return writeError({ ...request, varbinds: Buffer.from([TAG.sequence, 0]) }, TOO_BIG, 0, out)
  }
  out.close(list)
  out.close(pdu)
}

const writeError = (request: Request, status: number, index: number, out: Writer): void => {
  const pdu = out.open(PDU.response)
  out.integer(request.requestId)
  out.integer(status)
  out.integer(index)
  out.raw(request.varbinds)
  out.close(pdu)
}

/** GET and GETNEXT: all names or, when they do not fit, none. */
const each = (request: Request, cursor: View, out: Writer, limit: number): boolean => {
  for (const name of request.names) {
    if (request.type === PDU.getNext) writeNext(name, cursor, out)
    else {
      const found = cursor.find(name)
      if (found === "found") cursor.write(out)
      else writeException(name, TAG[found], out)
    }
    if (out.at > limit) return false
  }
  return true
}

const writeNext = (name: Oid, cursor: View, out: Writer): void => {
  cursor.seekBehind(name)
  if (cursor.valid) cursor.write(out)
  else writeException(name, TAG.endOfMibView, out)
}

/**
 * RFC 3416 s4.2.3: every repeated name gets max-repetitions successors, repetition by repetition; the list ends early
 * when the message is full or a whole repetition found nothing but the end of the view.
 */
const bulk = (request: Request, cursor: View, out: Writer, limit: number): boolean => {
  const nonRepeaters = Math.min(Math.max(request.first, 0), request.names.length)
  const repetitions = Math.max(request.second, 0)
  for (let i = 0; i < nonRepeaters; i++) {
    const before = out.at
    writeNext(request.names[i]!, cursor, out)
    if (out.at > limit) return cutAt(before, out)
  }
  const columns = request.names.slice(nonRepeaters).map((name): BulkColumn => {
    const column = cursor.fork()
    column.seekBehind(name)
    return { cursor: column, name, ended: !column.valid }
  })
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const over = columns.every((column) => column.ended)
    for (const column of columns) {
      const before = out.at
      writeRepetition(column, out)
      if (out.at > limit) return cutAt(before, out)
    }
    if (over) break
  }
  return true
}

/** A GETBULK answer may hold fewer VarBinds than asked for, but never half a one. */
const cutAt = (before: number, out: Writer): true => {
  out.at = before
  return true
}

interface BulkColumn {
  readonly cursor: View
  /** What endOfMibView is said about: the name asked for, later the last one found. */
  name: Oid
  ended: boolean
}

const writeRepetition = (column: BulkColumn, out: Writer): void => {
  if (column.ended) return writeException(column.name, TAG.endOfMibView, out)
  column.cursor.write(out)
  if (column.cursor.next()) return
  column.ended = true
  column.name = column.cursor.oid()
}

const writeException = (name: Oid, exception: number, out: Writer): void => {
  const varbind = out.open(TAG.sequence)
  out.oid(name)
  out.empty(exception)
  out.close(varbind)
}
