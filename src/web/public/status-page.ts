/** What the page of a link shows, read from the service while somebody looks at it. */
import { signal } from '@preact/signals'

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
  | { readonly kind: 'shown'; readonly page: StatusPage; readonly trouble: boolean }
  | { readonly kind: 'trouble' }

export const state = signal<PageState>({ kind: 'reading' })

/** The last part of the address; relative, so that the prefix of a reverse proxy stays. */
const SOURCE = new URL(`../v1/public/${location.pathname.split('/').at(-1) ?? ''}`, location.href)

/** Reads at once, and every ten seconds while the page is visible. A link that leads nowhere is not read again. */
export function follow(): () => void {
  const ending = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const read = async (): Promise<void> => {
    clearTimeout(timer)
    const last = state.peek()
    if (document.visibilityState === 'visible') state.value = await readPage(ending.signal, last)
    const now = state.peek()
    if (ending.signal.aborted || now.kind === 'unknown') return
    const isTrouble = now.kind === 'trouble' || (now.kind === 'shown' && now.trouble)
    timer = setTimeout(() => void read(), isTrouble ? AGAIN_MS : EVERY_MS)
  }
  const onVisible = () => {
    if (document.visibilityState === 'visible' && state.peek().kind !== 'unknown') void read()
  }
  document.addEventListener('visibilitychange', onVisible)
  void read()
  return () => {
    document.removeEventListener('visibilitychange', onVisible)
    clearTimeout(timer)
    ending.abort()
  }
}

async function readPage(signalOfEnd: AbortSignal, last: PageState): Promise<PageState> {
  try {
    const answer = await fetch(SOURCE, { credentials: 'omit', signal: signalOfEnd })
    if (answer.status === 404) return { kind: 'unknown' }
    if (answer.ok) return { kind: 'shown', page: (await answer.json()) as StatusPage, trouble: false }
  } catch {
    // As an answer that is no page: what was read last stays.
  }
  return last.kind === 'shown' ? { ...last, trouble: true } : { kind: 'trouble' }
}
