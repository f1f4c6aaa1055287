/** The UDP sockets of one prober: shared ones, and those of single waiting probes. */
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { EchoChannel } from '../icmp/icmp-echo.ts'
import { UdpLanes } from './udp-lanes.ts'
import { type DatagramUser, sendOnOwnSocket } from './udp-socket.ts'

export class UdpSockets {
  readonly #lanes = new Map<EchoChannel, UdpLanes>()
  #own = 0

  /**
   * Lanes belong to the raw socket that receives their ICMP errors; lanes of a lost socket end with the probes that
   * they wait for.
   */
  lanesOn(channel: EchoChannel): UdpLanes {
    let lanes = this.#lanes.get(channel)
    if (lanes === undefined) {
      for (const old of this.#lanes.keys()) if (!old.isOpen) this.#lanes.delete(old)
      this.#lanes.set(channel, (lanes = new UdpLanes(channel)))
    }
    return lanes
  }

  /** Sends `payload` on a socket of its own; the returned function closes it. */
  sendOnOwn(target: ProbeTarget, payload: Uint8Array, user: DatagramUser): () => void {
    const close = sendOnOwnSocket(target, payload, user)
    let isClosed = false
    this.#own++
    return () => {
      if (isClosed) return
      isClosed = true
      this.#own--
      close()
    }
  }

  /** Sockets that are open: `shared` by probes (few), and one each of probes (`own`), which is a descriptor per waiting probe. */
  get counts(): { readonly shared: number; readonly own: number } {
    let shared = 0
    for (const lanes of this.#lanes.values()) shared += lanes.sockets
    return { shared, own: this.#own }
  }
}
