/**
 * Datagrams of many probes on few sockets. A lane is one unconnected UDP socket that takes new datagrams for
 * UDP_LANE_MS and then only receives, until it waits for no more answers. It sends to a target at most once, so that
 * every answer from an address and port belongs to exactly one probe; a late answer to an earlier probe finds its lane
 * closed.
 *
 * The kernel does not report a closed port to an unconnected socket. The raw ICMP socket (icmp-echo.ts) receives that
 * error, which quotes our port. Without the right to open one there are no lanes, and every probe has a connected
 * socket of its own (udp-socket.ts).
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { formatAddress, parseAddress } from '../../domain/address/ip-address.ts'
import { UDP_LANE_MS, UDP_LANES_MAX } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { EchoChannel } from '../icmp/icmp-echo.ts'
import type { UndeliverableDatagram } from '../icmp/icmp-packet.ts'
import { closeQuietly, type DatagramUser, withoutLookup } from './udp-socket.ts'

class UdpLane {
  readonly openedAt = performance.now()
  readonly #channel: EchoChannel
  /** The address that the socket is bound to; undefined = to all of this host. */
  readonly #source: string | undefined
  readonly #socket: Socket
  readonly #onEmpty: (lane: UdpLane) => void
  /** Targets that were asked on this lane, and who waits for them; undefined = answered, or no longer awaited. */
  readonly #users = new Map<string, DatagramUser | undefined>()
  #awaited = 0
  /** Our port; 0 until the socket is bound. */
  #port = 0
  #isClosed = false
  #stopHearing: (() => void) | undefined

  constructor(channel: EchoChannel, source: ProbeTarget, onEmpty: (lane: UdpLane) => void) {
    this.#channel = channel
    this.#onEmpty = onEmpty
    this.#socket = createSocket({ type: source.family === 4 ? 'udp4' : 'udp6', lookup: withoutLookup })
    this.#socket.on('error', (error) => this.#failAll(error))
    this.#socket.on('message', (datagram, from) => this.#onMessage(datagram, from))
    this.#socket.on('listening', () => this.#onBound())
    this.#source = source.sourceAddress
    this.#socket.bind({
      port: 0,
      exclusive: true,
      ...(this.#source === undefined ? {} : { address: this.#source }),
    })
  }

  /** Whether a datagram to `target` may go on this lane: not after its time, not twice, and not to our own port. */
  takes(key: string, target: ProbeTarget): boolean {
    if (this.#isClosed || performance.now() - this.openedAt >= UDP_LANE_MS) return false
    return !this.#users.has(key) && this.#port !== target.port
  }

  send(key: string, { target, payload, user }: Datagram): () => void {
    this.#users.set(key, user)
    this.#awaited++
    this.#socket.send(payload, target.port, target.address, (error) => {
      if (this.#users.get(key) !== user) return
      if (error === null || error === undefined) user.onSent()
      else this.#settle(key)?.onFailure(error)
    })
    return () => void this.#settle(key)
  }

  /** Removes and returns the waiting probe of `key`; undefined when there is none. */
  #settle(key: string): DatagramUser | undefined {
    const user = this.#users.get(key)
    if (user === undefined) return undefined
    this.#users.set(key, undefined)
    if (--this.#awaited === 0) this.#close()
    return user
  }

  #onBound(): void {
    this.#port = this.#socket.address().port
    const onUndeliverable = (what: UndeliverableDatagram): void => this.#onUndeliverable(what)
    const onDeaf = (): void => this.#onDeaf()
    this.#stopHearing = this.#channel.watchPort(this.#port, this.#source, onUndeliverable, onDeaf)
    // The kernel chose the port of a target that is already being probed: the target may be this host.
    for (const key of this.#users.keys()) {
      if (key.endsWith(` ${this.#port}`)) this.#settle(key)?.onOwnPort()
    }
  }

  #onMessage(datagram: Buffer, { address, port }: RemoteInfo): void {
    const key = `${address} ${port}`
    const known = this.#users.has(key) ? key : keyOf(parseAddress(address)?.canonical ?? address, port)
    this.#settle(known)?.onReply(datagram)
  }

  #onUndeliverable(what: UndeliverableDatagram): void {
    const { destination, destinationPort, isPortUnreachable, isFinal } = what
    const key = keyOf(formatAddress([...destination]), destinationPort)
    if (isFinal) this.#settle(key)?.onUnreachable(isPortUnreachable ? 'port unreachable' : 'unreachable')
    else this.#users.get(key)?.onDoubt()
  }

  /** Silence would say nothing any more. */
  #onDeaf(): void {
    this.#failAll(Object.assign(new Error('the raw socket is gone'), { code: 'ECANCELED', syscall: 'icmp' }))
  }

  #failAll(error: NodeJS.ErrnoException): void {
    for (const key of this.#users.keys()) this.#settle(key)?.onFailure(error)
    if (this.#isClosed) closeQuietly(this.#socket)
    this.#close()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopHearing?.()
    this.#socket.close()
    this.#onEmpty(this)
  }
}

export interface Datagram {
  readonly target: ProbeTarget
  readonly payload: Uint8Array
  readonly user: DatagramUser
}

/** All lanes that go with one raw ICMP socket: one is open for new datagrams per source address. */
export class UdpLanes {
  readonly #channel: EchoChannel
  readonly #lanes = new Set<UdpLane>()
  readonly #open = new Map<string, UdpLane>()

  constructor(channel: EchoChannel) {
    this.#channel = channel
  }

  get sockets(): number {
    return this.#lanes.size
  }

  /** Sends the datagram; the returned function stops waiting. Undefined where no lane can take it. */
  send(datagram: Datagram): (() => void) | undefined {
    const { target } = datagram
    const source = target.sourceAddress ?? ''
    const key = keyOf(target.address, target.port)
    let lane = this.#open.get(source)
    if (lane?.takes(key, target) !== true) {
      if (this.#lanes.size >= UDP_LANES_MAX) return undefined
      lane = new UdpLane(this.#channel, target, (closed) => {
        this.#lanes.delete(closed)
        if (this.#open.get(source) === closed) this.#open.delete(source)
      })
      this.#lanes.add(lane)
      this.#open.set(source, lane)
    }
    return lane.send(key, datagram)
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`
}
