/** What failed, how sure that is, why this and not another, and the evidence: what speaks for it, against it, what is missing. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import type { Key } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { evidenceOf } from "#client/state/incident-story.ts"
import { formatRoute } from "#client/state/route.ts"
import { deviceName, entityWord } from "#client/ui/alerts/words.ts"
import { formatAge, formatDuration } from "#client/ui/format.ts"
import { SureBar } from "#client/ui/incidents/incident-mark.tsx"
import { memberName, sureWord } from "#client/ui/incidents/words.ts"
import { Said } from "#client/ui/said.tsx"
import type { CauseMember, CauseView, EvidenceView } from "#protocol/incident.ts"

/** Of each standing; the rest on demand. */
const EVIDENCE_ROWS = 6

export const CauseCard = ({ cause, nth, of }: { cause: CauseView; nth: number; of: number }) => (
  <section class={`block cause cause-${cause.rank}`} data-testid="cause">
    <h3>
      {of === 1 ? t("incident.cause") : t("incident.cause.nth", { nth: nth + 1, of })}
      {cause.rank === "contributing" && <span class="chip">{t("incident.contributing")}</span>}
      <span class="quiet num cause-since">
        {t("incident.cause.since", { time: formatDuration(language.value, serverNowMs.value - cause.sinceMs) })}
      </span>
    </h3>
    <Members members={cause.members} />
    <p class="cause-sure">
      <span class="quiet">{t("incident.sure")}</span>
      <SureBar confidence={cause.confidence} />
      <b class="num">{sureWord(cause.confidence)}</b>
    </p>
    <p class="cause-because">
      <Said text={cause.because} />
    </p>
    <EvidenceList cause={cause} />
  </section>
)

/** More than one: nothing seen so far tells them apart, and the screen says so instead of choosing. */
const Members = ({ members }: { members: readonly CauseMember[] }) => (
  <ul class="cause-members">
    {members.map((member, at) => (
      <li key={`${member.kind} ${member.id} ${member.fault} ${member.entity ?? ""}`}>
        {at > 0 && <span class="quiet">{t("incident.or")}</span>}
        <MemberLink member={member} />
        <span class="chip">{t(`fault.${member.fault}`)}</span>
        {member.entity !== undefined && <span class="mono quiet">{entityWord(member.entity)}</span>}
      </li>
    ))}
    {members.length > 1 && <li class="quiet cause-class">{t("incident.class")}</li>}
  </ul>
)
const MemberLink = ({ member }: { member: CauseMember }) => {
  const kind = member.kind === "link" ? "link" : "device"
  if (member.kind === "site" || member.kind === "srlg") return <b>{memberName(member)}</b>
  return (
    <a
      class="text-button strong"
      href={formatRoute({ screen: "map", tab: null, camera: null, selection: { kind, id: member.id } })}
    >
      {memberName(member)}
    </a>
  )
}

const STANDINGS: readonly (readonly [EvidenceView["standing"], Key])[] = [
  ["for", "incident.evidence.for"],
  ["against", "incident.evidence.against"],
  ["missing", "incident.evidence.missing"],
]
const EvidenceList = ({ cause }: { cause: CauseView }) => {
  const sorted = evidenceOf(cause.evidence)
  if (cause.evidence.length === 0) return <p class="quiet">{t("incident.evidence.none")}</p>
  return (
    <div class="evidence" data-testid="evidence">
      {STANDINGS.map(
        ([standing, title]) =>
          sorted[standing].length > 0 && (
            <Standing key={standing} standing={standing} title={title} rows={sorted[standing]} />
          ),
      )}
    </div>
  )
}

const SIGNS = { for: "M3 8.5 6.5 12 13 4.5", against: "M4 4l8 8M12 4l-8 8", missing: "M8 3v6.5M8 12.6v.4" } as const
const Standing = (props: { standing: EvidenceView["standing"]; title: Key; rows: readonly EvidenceView[] }) => {
  const { standing, title, rows } = props
  const all = useSignal(false)
  const shown = all.value ? rows : rows.slice(0, EVIDENCE_ROWS)
  return (
    <div class={`standing standing-${standing}`}>
      <h4>
        {t(title)} <span class="count num">{rows.length}</span>
      </h4>
      <ol>
        {shown.map((one, at) => (
          <li key={at}>
            <svg class="sign" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
              <path d={SIGNS[standing]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
            </svg>
            <span class="evidence-text">
              <span>
                <Said text={one.text} lead />
              </span>
              <small class="quiet">
                <Where device={one.device} entity={one.entity} />
                {one.atMs === null
                  ? t("incident.evidence.never")
                  : formatAge(language.value, serverNowMs.value - one.atMs)}
              </small>
            </span>
          </li>
        ))}
      </ol>
      {rows.length > shown.length && (
        <button type="button" class="text-button" onClick={() => (all.value = true)}>
          {t("incident.more", { count: rows.length - shown.length })}
        </button>
      )}
    </div>
  )
}

export const Where = ({ device, entity }: { device: string | null; entity: string }) =>
  device === null || device === "" ? null : (
    <>
      <a
        class="text-button"
        href={formatRoute({ screen: "map", tab: null, camera: null, selection: { kind: "device", id: device } })}
      >
        {deviceName(device)}
      </a>
      {entityWord(entity) !== "" && <span class="mono">{entityWord(entity)}</span>}
    </>
  )
