/** How members are divided: one bar, whose parts are named beside it. */
import type { Counts } from '../net/types.ts'
import { numberOf } from '../words/time.ts'

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

const TROUBLES = [
  ['offline', 'OFFLINE'],
  ['unknown', 'unknown'],
  ['pending', 'pending'],
  ['disabled', 'off'],
  ['no_monitor', 'without monitor'],
] as const

/** `8 of 10 ONLINE`, and what the others are, in short for rows of a table. */
export function CountsInShort({ counts }: { readonly counts: Counts }) {
  const troubles = TROUBLES.flatMap(([part, word]) =>
    counts[part] > 0 ? [`${numberOf(counts[part])} ${word}`] : [],
  )
  return (
    <>
      <span class="number">{numberOf(counts.online)}</span>
      <span class="quiet"> of {numberOf(counts.total)} ONLINE</span>
      {troubles.length === 0 ? null : <div class="troubles">{troubles.join(', ')}</div>}
    </>
  )
}
