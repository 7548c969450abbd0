/** The rule as text beside its form: line numbers, the lines with mistakes marked, and each mistake a way to its line. */
import { useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { lineOf, linesOf, RULE_TEXT_MAX } from "#client/state/rule-text.ts"
import type { RuleText } from "#client/state/rule-text.ts"
import type { RuleMistake } from "#protocol/rest-generated.ts"

const LINE_PX = 19

export const JsonPane = (props: {
  text: string
  read: RuleText
  mistakes: readonly RuleMistake[]
  readOnly: boolean
  set: (text: string) => void
}) => {
  const area = useRef<HTMLTextAreaElement>(null)
  const gutter = useRef<HTMLDivElement>(null)
  const { text, read } = props
  const lines = linesOf(text)
  const placed = props.mistakes.map((mistake) => ({ ...mistake, line: lineOf(lines, mistake.path) }))
  const marked = new Set(read.ok ? placed.map(({ line }) => line) : [read.line])
  const goTo = (line: number) => {
    const element = area.current
    if (element === null) return
    const start =
      text
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0)
    element.focus()
    element.setSelectionRange(start, start + (text.slice(start).split("\n")[0] ?? "").length)
    element.scrollTop = Math.max(0, (line - 4) * LINE_PX)
  }
  return (
    <div class="json-pane">
      <div class="json-box">
        <div class="json-gutter" aria-hidden="true">
          <div ref={gutter}>
            {text.split("\n").map((_, at) => (
              <span key={at} class={marked.has(at + 1) ? "wrong" : ""}>
                {at + 1}
              </span>
            ))}
          </div>
        </div>
        <textarea
          ref={area}
          class="mono"
          aria-label={t("rule.json")}
          aria-invalid={!read.ok || placed.length > 0}
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          maxLength={RULE_TEXT_MAX}
          readOnly={props.readOnly}
          value={text}
          onInput={(event) => props.set(event.currentTarget.value)}
          onScroll={(event) => {
            if (gutter.current !== null)
              gutter.current.style.transform = `translateY(${-event.currentTarget.scrollTop}px)`
          }}
        />
      </div>
      {!read.ok && (
        <p class="problem" role="alert">
          <button type="button" class="text-button" onClick={() => goTo(read.line)}>
            {t("rule.json.broken", { line: read.line, column: read.column })}
          </button>
        </p>
      )}
      {read.ok && placed.length > 0 && (
        <div role="status">
          <ul class="mistake-list" aria-label={t("rule.mistakes")}>
            {placed.map(({ path, problem, line }, at) => (
              <li key={at}>
                <button type="button" class="text-button" onClick={() => goTo(line)}>
                  {t("rule.line", { line })}
                </button>
                <code class="mono">{path === "" ? t("rule.whole") : path}</code>
                <span lang="en">{problem}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  )
}
