/** The child's side of `processes.ts`: it sends its metrics on request, and it ends when its parent is gone. */
import type { Snapshot } from './metrics-endpoint.ts'

export interface Answer {
  readonly kind: 'metrics'
  readonly id: number
  readonly snapshot: Snapshot
}

/** Whether a message of a child is an answer to a request for its metrics. */
export function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'snapshot' in message && 'id' in message
}

/** Whether this process was started by a parent of ours. */
export function hasParent(): boolean {
  return process.send !== undefined
}

/** Begins to answer the parent; `gone` is called once when the channel to it closes. */
export function attachToParent(read: () => Promise<Snapshot>, gone: () => void): void {
  process.once('disconnect', gone)
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('id' in message)) return
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
