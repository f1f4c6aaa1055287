/** What was read of the API for a view, kept up to date: with each event that concerns it, and every ten seconds. */
import type { Signal } from '@preact/signals'
import type { Listener } from './event-feed.ts'
import { keepReading, type Reading, type Surroundings } from './reading.ts'
import { messageOf } from './sender.ts'
import type { ServiceEvent } from './types.ts'

/** Milliseconds between readings without an event: times and checkpoints are no events. */
export const EVERY_MS = 10_000

export interface Loaded<Body> {
  /** The last that was read; it stays while the next one is read, and when that fails. */
  readonly body?: Body | undefined
  /** Why the last reading failed, for people; absent = it did not fail. */
  readonly error?: string
}

export interface Question {
  /** Below the root of the service. */
  readonly path: string
  /** Whether an event may have changed the answer. */
  readonly concerns: (event: ServiceEvent) => boolean
}

/** The page around it. */
export interface LoadedParts extends Surroundings {
  readonly get: <Body>(path: string, signal: AbortSignal) => Promise<Body>
  /** Called with events; undefined = some may have been missed. The returned function ends it. */
  readonly onChange: (listener: Listener) => () => void
  /** Called with each refusal. */
  readonly noteRefusal: (error: unknown) => void
}

/** Keeps `state` the answer to a question, and nothing of another one; `end` of what it returns ends that. */
export function keepLoaded<Body>(
  { path, concerns }: Question,
  state: Signal<Loaded<Body>>,
  parts: LoadedParts,
): Reading {
  state.value = {}
  const reading = keepReading<Body>(
    {
      read: (signal) => parts.get<Body>(path, signal),
      onAnswer: (body) => {
        state.value = { body }
        return EVERY_MS
      },
      onFailure: (error) => {
        parts.noteRefusal(error)
        state.value = { body: state.peek().body, error: messageOf(error) }
        return EVERY_MS
      },
    },
    parts,
  )
  const stopListening = parts.onChange((event) => {
    if (event === undefined || concerns(event)) reading.soon()
  })
  return {
    soon: reading.soon,
    end: () => {
      stopListening()
      reading.end()
    },
  }
}
