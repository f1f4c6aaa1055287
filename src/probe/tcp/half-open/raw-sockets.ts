/** The two raw sockets of one family: TCP, which sends SYNs and hears the answers, and ICMP, which hears the errors. */
import type { BatchCalls } from '../../batch/batch-calls.ts'
import type { IpFamily } from '../../batch/ip-family.ts'
import { answersTo, errorsAbout, type PortBlock } from '../../batch/packet-filter.ts'
import { PacketSocket } from '../../batch/packet-socket.ts'
import { type SocketOption, STAMPED, word } from '../../batch/socket-option.ts'

const IPPROTO_TCP = 6
const SOL_RAW = 255
const IPV6_CHECKSUM = 7
const CHECKSUM_AT = 16

/** Where TCP has its checksum: the kernel computes it. */
const CHECKSUMMED: SocketOption = {
  level: SOL_RAW,
  option: IPV6_CHECKSUM,
  value: word(CHECKSUM_AT),
  name: 'IPV6_CHECKSUM',
}

export class RawSockets {
  readonly tcp: PacketSocket
  readonly icmp: PacketSocket

  /** Call `open` next. */
  constructor(calls: BatchCalls, family: IpFamily, ports: PortBlock) {
    const { version, icmpProtocol, icmpErrors } = family
    this.tcp = new PacketSocket(calls, {
      family,
      protocol: IPPROTO_TCP,
      filter: answersTo(version, ports),
      options: version === 6 ? [STAMPED, CHECKSUMMED] : [STAMPED],
    })
    this.icmp = new PacketSocket(calls, {
      family,
      protocol: icmpProtocol,
      filter: errorsAbout(version, ports),
      options: [family.icmpFilter(icmpErrors)],
    })
  }

  /** Undefined, or the call that failed. */
  open(): string | undefined {
    return this.tcp.open() ?? this.icmp.open()
  }

  get descriptors(): number {
    return this.tcp.descriptors + this.icmp.descriptors
  }

  close(): void {
    this.tcp.close()
    this.icmp.close()
  }
}
