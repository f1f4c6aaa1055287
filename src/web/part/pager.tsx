/** Pages of a list: the first, and on from the last row. */
import { useSignal } from '@preact/signals'

export interface Paging {
  /** Where the page begins; undefined = it is the first. */
  readonly marker: string | undefined
  /** 1 is the first. */
  readonly number: number
  readonly goOn: (marker: string) => void
  readonly goBack: () => void
}

/** Begins anew whenever `of` (what is listed) changes. */
export function usePaging(of: string): Paging {
  // With what they are of: markers of another list are none, from the first drawing on.
  const walked = useSignal<{ readonly of: string; readonly markers: readonly string[] }>({ of, markers: [] })
  const markers = walked.value.of === of ? walked.value.markers : []
  return {
    marker: markers.at(-1),
    number: markers.length + 1,
    goOn: (marker) => (walked.value = { of, markers: [...markers, marker] }),
    goBack: () => (walked.value = { of, markers: markers.slice(0, -1) }),
  }
}

export function Pager({
  paging: { number, goOn, goBack },
  next,
  of,
}: {
  readonly paging: Paging
  readonly next: string | null
  readonly of: string
}) {
  const isFirst = number === 1
  if (isFirst && next === null) return null
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <button type="button" disabled={isFirst} onClick={goBack}>
        Worse ones
      </button>
      <span class="quiet">page {number}</span>
      <button
        type="button"
        disabled={next === null}
        onClick={() => {
          if (next !== null) goOn(next)
        }}
      >
        Next 100
      </button>
    </nav>
  )
}
