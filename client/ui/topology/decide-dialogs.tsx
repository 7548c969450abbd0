/** The decisions that need more than a key: which ports, why not, whether a declared link may move, and many at once. */
import { useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { accept, reject } from "#client/state/proposals.ts"
import { BULK_MAX, bulkOf } from "#client/state/proposals-list.ts"
import type { Proposal } from "#client/state/proposals-list.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form, Notice, Problem } from "#client/ui/form.tsx"
import { formatNumber, formatPercent, roleName } from "#client/ui/format.ts"
import { problemText } from "#client/ui/problem-text.ts"
import type { LinkProposal } from "#protocol/rest-generated.ts"

const NOTE_MAX = 1_000
const PORT_MAX = 200

interface Deciding {
  readonly proposal: Proposal
  readonly done: () => void
  readonly close: () => void
}

export const RejectDialog = ({ proposal, done, close }: Deciding) => {
  const act = useAct()
  const note = useSignal("")
  return (
    <Dialog title={t("proposals.reject.title", { name: nameOf(proposal) })} close={close}>
      <Form
        act={act}
        label={t("proposals.reject")}
        danger
        cancel={close}
        disabled={note.value.trim() === ""}
        submit={() => void act.run(() => reject(proposal, note.value.trim()), done)}
      >
        <p>{t("proposals.reject.why")}</p>
        <Field label={t("proposals.note")} value={note} name="note" maxLength={NOTE_MAX} autoFocus />
      </Form>
    </Dialog>
  )
}

/** Which ports, and what capacity; also the place where somebody agrees that a declared link moves. */
export const EndsDialog = ({ row, done, close }: Omit<Deciding, "proposal"> & { row: LinkProposal }) => {
  const act = useAct()
  const a = useSignal(row.a.interface ?? "")
  const b = useSignal(row.b.interface ?? "")
  const megabits = useSignal("")
  const ends = {
    a: { device: row.a.device, interface: a.value.trim() },
    b: { device: row.b.device, interface: b.value.trim() },
    ...(megabits.value.trim() === "" ? {} : { capacityBps: Number(megabits.value) * 1e6 }),
  }
  return (
    <Dialog title={t("proposals.ends.title", { name: `${row.a.deviceName} ↔ ${row.b.deviceName}` })} close={close}>
      <Form
        act={act}
        label={t(row.contradicts === null ? "proposals.ends.accept" : "proposals.ends.move")}
        danger={row.contradicts !== null}
        cancel={close}
        disabled={ends.a.interface === "" || ends.b.interface === ""}
        submit={() => void act.run(() => accept({ kind: "link", id: row.id, row }, ends), done)}
      >
        {row.contradicts !== null && <p class="problem">{t("proposals.ends.moves", { name: row.contradicts.name })}</p>}
        <Port name={row.a.deviceName} device={row.a.device} letter="A" value={a} />
        <Port name={row.b.deviceName} device={row.b.device} letter="B" value={b} />
        <Field
          label={t("edit.megabits")}
          hint={t("proposals.capacity.hint")}
          name="capacity"
          type="number"
          min={0}
          step="any"
          required={false}
          value={megabits}
        />
      </Form>
    </Dialog>
  )
}

/** What was measured of the device names its ports; any other may be typed. */
const Port = (props: { name: string; device: string; letter: string; value: Signal<string> }) => {
  const asked = useAsk(() => call("network.device", { params: { id: props.device } }), props.device)
  const list = `proposed-ports-${props.letter}`
  return (
    <div class="field">
      <label>
        {t("proposals.port.of", { name: props.name })}
        <input
          name={`interface${props.letter}`}
          list={list}
          required
          autocomplete="off"
          spellcheck={false}
          class="mono"
          maxLength={PORT_MAX}
          value={props.value.value}
          onInput={(event) => (props.value.value = event.currentTarget.value)}
        />
      </label>
      <datalist id={list}>
        {(asked.value?.interfaces ?? []).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  )
}

export const nameOf = (proposal: Proposal): string =>
  proposal.kind === "link"
    ? `${proposal.row.a.deviceName} ↔ ${proposal.row.b.deviceName}`
    : `${proposal.row.device.name} → ${roleName(proposal.row.role)}`

const LEVELS = [0.95, 0.9, 0.8, 0.7, 0.5] as const
const FAILURES_SHOWN = 8

interface Progress {
  /** As it stood when it began: the list behind shrinks meanwhile. */
  readonly of: number
  readonly done: number
  readonly failed: readonly string[]
  readonly over: boolean
}

/** Shows what it would take before it takes anything; closing it stops after the one that is on its way. */
export const BulkDialog = ({
  rows,
  done,
  close,
}: {
  rows: readonly Proposal[]
  done: () => void
  close: () => void
}) => {
  const level = useSignal(0.9)
  const progress = useSignal<Progress | null>(null)
  const stopped = useRef(false)
  useEffect(() => () => void (stopped.current = true), [])
  const { taken, left } = bulkOf(rows, level.value)
  const run = async () => {
    if (progress.peek() !== null) return
    let now: Progress = { of: taken.length, done: 0, failed: [], over: false }
    progress.value = now
    for (const one of taken) {
      if (stopped.current) break
      const answer = await accept(one)
      now = answer.ok
        ? { ...now, done: now.done + 1 }
        : { ...now, failed: [...now.failed, `${nameOf(one)}: ${problemText(answer)}`] }
      progress.value = now
    }
    progress.value = { ...now, over: true }
    done()
  }
  const number = (value: number) => formatNumber(language.value, value)
  const running = progress.value
  return (
    <Dialog title={t("proposals.bulk")} close={close} wide>
      {running === null ? (
        <>
          <p class="sim-mode">
            <span id="bulk-level">{t("proposals.bulk.level")}</span>
            <span class="segments" role="group" aria-labelledby="bulk-level">
              {LEVELS.map((one) => (
                <button key={one} type="button" aria-pressed={level.value === one} onClick={() => (level.value = one)}>
                  {formatPercent(language.value, one * 100)}
                </button>
              ))}
            </span>
          </p>
          <p>
            <b>{tCount("proposals.bulk.takes", taken.length)}</b>{" "}
            {left.length > 0 && <span class="quiet">{t("proposals.bulk.left", { count: number(left.length) })}</span>}
          </p>
          {taken.length >= BULK_MAX && <p class="quiet">{t("proposals.bulk.max", { count: number(BULK_MAX) })}</p>}
          <ul class="bulk-preview panel" tabIndex={0} aria-label={t("proposals.bulk.preview")}>
            {taken.map((one) => (
              <li key={one.id}>
                <span class="grow">{previewOf(one)}</span>
                <span class="num">{formatPercent(language.value, Math.round(one.row.confidence * 100))}</span>
              </li>
            ))}
          </ul>
          <div class="form-end">
            <button type="button" class="button" onClick={close}>
              {t("form.cancel")}
            </button>
            <button type="button" class="primary" disabled={taken.length === 0} onClick={() => void run()}>
              {t("proposals.bulk.run", { count: number(taken.length) })}
            </button>
          </div>
        </>
      ) : (
        <>
          <Notice>
            {t(running.over ? "proposals.bulk.over" : "proposals.bulk.going", {
              done: number(running.done),
              of: number(running.of),
            })}
          </Notice>
          {running.failed.slice(0, FAILURES_SHOWN).map((text, at) => (
            <Problem key={at} text={text} />
          ))}
          <div class="form-end">
            <button type="button" class="primary" onClick={close}>
              {t(running.over ? "help.close" : "proposals.bulk.stop")}
            </button>
          </div>
        </>
      )}
    </Dialog>
  )
}

const previewOf = (proposal: Proposal): string =>
  proposal.kind === "role"
    ? nameOf(proposal)
    : `${proposal.row.a.deviceName} ${proposal.row.a.interface ?? "?"} ↔ ${proposal.row.b.deviceName} ${proposal.row.b.interface ?? "?"}`
