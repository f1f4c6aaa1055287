/** The one stream of events of the page, and who is told that something changed. */
import { signal } from '@preact/signals'
import { openStream } from './event-stream.ts'
import { noteRefusal } from './session.ts'
import type { ServiceEvent } from './types.ts'

/** Events that the page keeps: an hour of a flapping farm must not fill the memory of the tab. */
const KEPT = 200

export const isLive = signal(false)
/** Newest first. */
export const events = signal<readonly ServiceEvent[]>([])

type Listener = (event: ServiceEvent | undefined) => void
const listeners = new Set<Listener>()

/** Hears of every event, and undefined when events may have been missed; the returned function ends that. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Follows the events of a project, or of all that one may see; the returned function ends that. */
export function follow(projectId: string | undefined): () => void {
  events.value = []
  const query = projectId === undefined ? '' : `project_id=${encodeURIComponent(projectId)}`
  let waiting: ServiceEvent[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const show = () => {
    events.value = [...waiting.toReversed(), ...events.value].slice(0, KEPT)
    waiting = []
  }
  const close = openStream({
    query,
    onEvent: (event) => {
      if (waiting.length === 0) timer = setTimeout(show, 100)
      waiting.push(event)
      if (waiting.length > KEPT) waiting = waiting.slice(-KEPT)
      for (const listener of listeners) listener(event)
    },
    onGap: () => {
      for (const listener of listeners) listener(undefined)
    },
    onState: (isOpen) => {
      if (isOpen && !isLive.value) for (const listener of listeners) listener(undefined)
      isLive.value = isOpen
    },
    onRefused: noteRefusal,
  })
  return () => {
    close()
    clearTimeout(timer)
    // The next stream tells everybody to read when it opens.
    isLive.value = false
  }
}
