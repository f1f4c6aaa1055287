/** The shape of a status, and its word. */
import type { Mark, Shape } from '../words/status.ts'

/** Drawn on 16 by 16: round is good, square is bad, half is partly, dashed is unknown. */
const DRAWINGS: Readonly<Record<Shape, preact.JSX.Element>> = {
  good: <circle cx="8" cy="8" r="5.5" class="fill" />,
  bad: (
    <>
      <rect x="2" y="2" width="12" height="12" rx="1.5" class="fill" />
      <path d="M5.5 5.5l5 5m0-5l-5 5" class="cut" />
    </>
  ),
  partly: (
    <>
      <circle cx="8" cy="8" r="5.25" class="line" />
      <path d="M8 2.75a5.25 5.25 0 0 0 0 10.5z" class="fill" />
    </>
  ),
  unknown: <circle cx="8" cy="8" r="5.25" class="line" stroke-dasharray="2.4 2.1" />,
  waiting: (
    <>
      <circle cx="8" cy="8" r="5.25" class="line" />
      <path d="M8 4.8V8l2.2 1.6" class="line" />
    </>
  ),
  off: <path d="M3 8h10" class="line thick" />,
  none: <circle cx="8" cy="8" r="2.7" class="fill" />,
  stale: (
    <>
      <path d="M8 2.2l6.2 11.3H1.8z" class="line" />
      <path d="M8 6.4v3.4m0 1.6v.4" class="line" />
    </>
  ),
  work: <path d="M8 1.8L14.2 8 8 14.2 1.8 8z" class="fill" />,
}

export function StatusMark({ mark, large }: { readonly mark: Mark; readonly large?: boolean }) {
  return (
    <span class={`mark ${mark.shape}${large === true ? ' large' : ''}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        {DRAWINGS[mark.shape]}
      </svg>
      {mark.word === '' ? null : <span class="word">{mark.word}</span>}
    </span>
  )
}

export function StatusMarks({ marks }: { readonly marks: readonly Mark[] }) {
  return (
    <span class="marks">
      {marks.map((mark) => (
        <StatusMark key={mark.word} mark={mark} />
      ))}
    </span>
  )
}
