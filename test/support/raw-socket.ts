/** A raw socket that sends nothing: tests decide what arrives on it. */
import { EventEmitter } from 'node:events'
import type { RawSocket } from '../../src/probe/raw-socket.ts'

export class FakeRawSocket extends EventEmitter implements RawSocket {
  readonly buffer = Buffer.alloc(128)
  readonly sent: { readonly packet: Buffer; readonly address: string }[] = []
  readonly arrived: { readonly packet: Buffer; readonly source: string }[] = []
  sendError: Error | undefined
  paused = false

  readonly wrap = {
    send: (...[packet, , , address, sent]: Parameters<RawSocket['wrap']['send']>): void => {
      if (this.sendError !== undefined) throw this.sendError
      this.sent.push({ packet: Buffer.from(packet), address })
      sent()
    },
    recv: (buffer: Buffer, received: (buffer: Buffer, bytes: number, source: string) => void): void => {
      const next = this.arrived.shift()
      if (next === undefined) throw new Error('Resource temporarily unavailable')
      received(buffer, next.packet.copy(buffer), next.source)
    },
  }

  setOption(): void {
    throw new Error('Protocol not available')
  }

  pauseRecv(): void {
    this.paused = true
  }

  resumeRecv(): void {
    this.paused = false
  }

  close(): void {
    this.emit('close')
  }

  /** The reply to the `index`th request that was sent, as an IPv6 raw socket delivers it. */
  replyTo(index: number): Buffer {
    const packet = Buffer.from(this.sent[index]?.packet ?? [])
    packet[0] = 129
    return packet
  }
}
