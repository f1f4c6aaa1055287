/** What the page of a link shows, read from the service while somebody looks at it. */
import { signal } from '@preact/signals'
import { keepReading } from '../net/reading.ts'
import { pageVisibility } from '../net/page-visibility.ts'

/** Milliseconds between readings, and after a reading that failed. */
const EVERY_MS = 10_000
const AGAIN_MS = 30_000

export interface StatusPool {
  readonly name: string
  readonly status: string
  readonly since: string
  readonly uptime: readonly {
    readonly hours: number
    readonly up_share: number | null
    readonly coverage: number
  }[]
  readonly days: { readonly first: string; readonly up_shares: readonly (number | null)[] }
  readonly members?: {
    readonly total: number
    readonly online: number
    readonly shown: readonly { readonly name: string; readonly status: string }[]
  }
}

export interface StatusPage {
  readonly title: string
  readonly as_of: string
  readonly status: string
  readonly pools: readonly StatusPool[]
}

export type PageState =
  | { readonly kind: 'reading' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'shown'; readonly page: StatusPage; readonly isOld: boolean }
  | { readonly kind: 'trouble' }

export const state = signal<PageState>({ kind: 'reading' })

/** The last part of the address; relative, so that the prefix of a reverse proxy stays. */
const SOURCE = new URL(`../v1/public/${location.pathname.split('/').at(-1) ?? ''}`, location.href)

/** Reads at once, and every ten seconds while the page is visible; the returned function ends that. */
export function follow(): () => void {
  const reading = keepReading(
    { read: readPage, onAnswer: show, onFailure: () => showTrouble(state.peek()) },
    { ...pageVisibility, nowMs: () => performance.now() },
  )
  return reading.end
}

/** undefined: the link leads nowhere. Rejects when there is no answer, or one that is no page. */
async function readPage(signalOfEnd: AbortSignal): Promise<StatusPage | undefined> {
  const answer = await fetch(SOURCE, { credentials: 'omit', signal: signalOfEnd })
  if (answer.status === 404) return undefined
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return (await answer.json()) as StatusPage
}

/** A link that leads nowhere is not read again. */
function show(page: StatusPage | undefined): number | undefined {
  state.value = page === undefined ? { kind: 'unknown' } : { kind: 'shown', page, isOld: false }
  return page === undefined ? undefined : EVERY_MS
}

/** What was read last stays. */
function showTrouble(last: PageState): number {
  state.value = last.kind === 'shown' ? { ...last, isOld: true } : { kind: 'trouble' }
  return AGAIN_MS
}
