/** Channels over raw sockets, one per family, which all probes of it share. */
import { isUnavailableForGood, type RawAvailability } from './raw-socket.ts'

/** Whether a channel can be used, and if not, why. */
export interface RawChannel {
  readonly availability: RawAvailability
  readonly isOpen: boolean
  close(): void
}

export class RawChannels<Channel extends RawChannel> {
  readonly #open: (family: 4 | 6) => Channel
  readonly #channels = new Map<4 | 6, Channel>()

  constructor(open: (family: 4 | 6) => Channel) {
    this.#open = open
  }

  /** The channel of a family: opened on first use, and again when its sockets were lost or there were none. */
  of(family: 4 | 6): Channel {
    const existing = this.#channels.get(family)
    if (existing !== undefined && (existing.isOpen || isUnavailableForGood(existing.availability)))
      return existing
    const channel = this.#open(family)
    this.#channels.set(family, channel)
    return channel
  }

  /** Closes the raw sockets. */
  close(): void {
    for (const channel of this.#channels.values()) channel.close()
    this.#channels.clear()
  }
}
