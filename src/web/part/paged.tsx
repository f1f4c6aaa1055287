/** Pages of a list: the first, and on from the last row. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

export interface Paging {
  /** `&marker=…`, or nothing on the first page. */
  readonly query: string
  readonly markers: Signal<readonly string[]>
}

/** Begins anew whenever `of` (what is listed) changes. */
export function usePaging(of: string): Paging {
  const markers = useSignal<readonly string[]>([])
  useEffect(() => {
    markers.value = []
  }, [of])
  const marker = markers.value.at(-1)
  return { query: marker === undefined ? '' : `&marker=${marker}`, markers }
}

export function Pager({
  paging: { markers },
  next,
  of,
}: {
  readonly paging: Paging
  readonly next: string | null
  readonly of: string
}) {
  const isFirst = markers.value.length === 0
  if (isFirst && next === null) return null
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <button type="button" disabled={isFirst} onClick={() => (markers.value = markers.value.slice(0, -1))}>
        Worse ones
      </button>
      <span class="quiet">page {markers.value.length + 1}</span>
      <button
        type="button"
        disabled={next === null}
        onClick={() => {
          if (next !== null) markers.value = [...markers.value, next]
        }}
      >
        Next 100
      </button>
    </nav>
  )
}
