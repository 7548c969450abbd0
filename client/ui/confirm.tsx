/** "Are you sure", with what it means; for what cannot be taken back, a word has to be typed. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import type { Answer } from "#client/state/api.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form } from "#client/ui/form.tsx"

export const Confirm = <T,>(props: {
  title: string
  text: string
  label: string
  /** Must be typed; null = a click is enough. */
  word?: string
  ask: () => Promise<Answer<T>>
  done: (value: T) => void
  close: () => void
}) => {
  const act = useAct()
  const typed = useSignal("")
  return (
    <Dialog title={props.title} close={props.close}>
      <Form
        act={act}
        label={props.label}
        danger
        cancel={props.close}
        disabled={props.word !== undefined && typed.value !== props.word}
        submit={() => void act.run(props.ask, props.done)}
      >
        <p>{props.text}</p>
        {props.word !== undefined && (
          <Field label={t("confirm.type", { word: props.word })} value={typed} name="confirm" mono autoFocus />
        )}
      </Form>
    </Dialog>
  )
}
