/** How members are divided: one bar, whose parts are told in words beside it. */
import type { Counts } from '../net/types.ts'

const PARTS = ['offline', 'unknown', 'no_monitor', 'disabled', 'online'] as const

export function CountsBar({ counts }: { readonly counts: Counts }) {
  if (counts.total === 0) return null
  let x = 0
  return (
    <svg class="counts-bar" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
      {PARTS.map((part) => {
        const share = (counts[part] / counts.total) * 1000
        // What is there is seen, however few they are.
        const width = counts[part] === 0 ? 0 : Math.max(share, 4)
        const at = x
        x += width
        return <rect key={part} class={part} x={Math.min(at, 996)} y="0" width={width} height="8" />
      })}
    </svg>
  )
}

/** `2 of 10 OFFLINE`, in short for rows of a table. */
export function CountsInShort({ counts }: { readonly counts: Counts }) {
  const troubles = [
    counts.offline > 0 ? `${counts.offline.toLocaleString()} OFFLINE` : '',
    counts.unknown > 0 ? `${counts.unknown.toLocaleString()} unknown` : '',
    counts.pending > 0 ? `${counts.pending.toLocaleString()} pending` : '',
    counts.disabled > 0 ? `${counts.disabled.toLocaleString()} off` : '',
    counts.no_monitor > 0 ? `${counts.no_monitor.toLocaleString()} without monitor` : '',
  ].filter((text) => text !== '')
  return (
    <>
      <span class="number">{counts.online.toLocaleString()}</span>
      <span class="quiet"> of {counts.total.toLocaleString()} ONLINE</span>
      {troubles.length === 0 ? null : <div class="troubles">{troubles.join(', ')}</div>}
    </>
  )
}
