/** Something of the API that a view shows, and keeps up to date while it is shown. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { onChange } from './live.ts'
import { request } from './request.ts'
import { noteRefusal } from './session.ts'
import type { ServiceEvent } from './types.ts'

/** Milliseconds from an event to the reading, so that events of one moment cause one; and between two readings. */
const SETTLE_MS = 150
const PAUSE_MS = 1000
/** Milliseconds between readings without an event: times and checkpoints are no events. */
const EVERY_MS = 10_000

export interface Loaded<Body> {
  /** The last that was read; it stays while the next one is read, and when that fails. */
  readonly body?: Body
  readonly error?: string
}

export interface Resource<Body> {
  readonly state: Signal<Loaded<Body>>
  readonly reload: () => void
}

/** Reads a path at once, with each event that concerns it, and every ten seconds while the page is visible. */
export function useResource<Body>(
  path: string,
  concerns: (event: ServiceEvent) => boolean = () => true,
): Resource<Body> {
  const state = useSignal<Loaded<Body>>({})
  const reload = useSignal(() => {})
  useEffect(() => {
    state.value = {}
    const reader = startReading<Body>(path, (loaded) => {
      state.value = { ...state.peek(), error: undefined as never, ...loaded }
    })
    reload.value = reader.soon
    const unsubscribe = onChange((event) => {
      if (event === undefined || concerns(event)) reader.soon()
    })
    return () => {
      unsubscribe()
      reader.end()
    }
  }, [path])
  return { state, reload: () => reload.value() }
}

function startReading<Body>(path: string, show: (loaded: Loaded<Body>) => void) {
  const ending = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let readAt = 0
  let isReading = false
  let isWanted = false
  const later = (ms: number) => {
    clearTimeout(timer)
    dueAt = performance.now() + ms
    timer = setTimeout(() => void read(), ms)
  }
  const read = async (): Promise<void> => {
    if (document.visibilityState === 'hidden') return later(EVERY_MS)
    isReading = true
    isWanted = false
    readAt = performance.now()
    try {
      show({ body: await request<Body>('GET', path, undefined, ending.signal) })
    } catch (error) {
      if (ending.signal.aborted) return
      noteRefusal(error)
      show({ error: error instanceof Error ? error.message : String(error) })
    }
    isReading = false
    if (!ending.signal.aborted) later(isWanted ? PAUSE_MS : EVERY_MS)
  }
  const soon = () => {
    const ms = Math.max(SETTLE_MS, readAt + PAUSE_MS - performance.now())
    if (isReading) isWanted = true
    // Never later than it is due: in a storm of events each one would put it off.
    else if (performance.now() + ms < dueAt) later(ms)
  }
  const onVisible = () => {
    if (document.visibilityState === 'visible') soon()
  }
  document.addEventListener('visibilitychange', onVisible)
  void read()
  return {
    soon,
    end: () => {
      document.removeEventListener('visibilitychange', onVisible)
      clearTimeout(timer)
      ending.abort()
    },
  }
}
