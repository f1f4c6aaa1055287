/** The events that the page keeps, and the calls when something changed. */
import { signal } from '@preact/signals'
import type { StreamParts } from './event-stream.ts'
import type { ServiceEvent } from './types.ts'

/** Events that the page keeps: an hour of a flapping farm must not fill the memory of the tab. */
export const KEPT = 200
/** Milliseconds for which events are collected before they are shown, so that a storm does not draw the page each time. */
export const SHOWN_AFTER_MS = 100

/** Gets every event, and undefined when events may have been missed. */
export type Listener = (event: ServiceEvent | undefined) => void

export class EventFeed {
  readonly isLive = signal(false)
  /** Newest first. */
  readonly events = signal<readonly ServiceEvent[]>([])
  readonly #listeners = new Set<Listener>()
  /** Not shown yet, oldest first. */
  #collected: ServiceEvent[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  /** The returned function ends it. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Forgets the events of before, and follows another stream; the returned function ends that. */
  follow(open: (parts: Omit<StreamParts, 'connect' | 'onRefused'>) => () => void): () => void {
    this.events.value = []
    const close = open({
      onEvent: (event) => {
        this.#collect(event)
        this.#publish(event)
      },
      onGap: () => this.#publish(undefined),
      onState: (isOpen) => {
        if (isOpen && !this.isLive.value) this.#publish(undefined)
        this.isLive.value = isOpen
      },
    })
    return () => {
      close()
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#collected = []
      // The next stream tells everybody to read when it opens.
      this.isLive.value = false
    }
  }

  #collect(event: ServiceEvent): void {
    this.#timer ??= setTimeout(() => this.#show(), SHOWN_AFTER_MS)
    this.#collected.push(event)
    if (this.#collected.length > KEPT) this.#collected = this.#collected.slice(-KEPT)
  }

  #show(): void {
    this.#timer = undefined
    this.events.value = [...this.#collected.toReversed(), ...this.events.value].slice(0, KEPT)
    this.#collected = []
  }

  #publish(event: ServiceEvent | undefined): void {
    for (const listener of this.#listeners) listener(event)
  }
}
