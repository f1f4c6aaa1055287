/**
 * The child's side of `child-slot.ts`: it sends its metrics and reads its files anew on request, and it ends when its
 * parent is gone.
 */
import type { Snapshot } from '../scrape/metrics-endpoint.ts'

export interface Answer {
  readonly kind: 'metrics'
  readonly id: number
  readonly snapshot: Snapshot
}

/** Whether a message of a child is an answer to a request for its metrics. */
export function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'snapshot' in message && 'id' in message
}

/** Whether a ChildSlot of another process of this service started this one. */
export function hasParent(): boolean {
  return process.send !== undefined
}

/** What a child does for its parent. */
export interface Child {
  readonly metrics: () => Promise<Snapshot>
  readonly reload: () => void
  /** Called once when the channel to the parent closes. */
  readonly gone: () => void
}

/** Asks a child to read its files anew. */
export const RELOAD = { kind: 'reload' } as const

/** Begins to answer the parent. */
export function attachToParent({ metrics: read, reload, gone }: Child): void {
  process.once('disconnect', gone)
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null) return
    if ('kind' in message && message.kind === RELOAD.kind) reload()
    if (!('id' in message)) return
    const id = message.id
    // A process that cannot read its metrics does not answer: the parent waits a little and shows the last ones.
    read().then(
      (snapshot) => process.send?.({ kind: 'metrics', id, snapshot }, () => undefined),
      () => undefined,
    )
  })
  // The parent may have died before we listened.
  if (!process.connected) gone()
}
