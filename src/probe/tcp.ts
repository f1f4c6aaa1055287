/**
 * TCP: connect within the timeout, then RST, as the ELB manual describes it (umn health_check) and so that neither side
 * keeps a TIME_WAIT; with `close: 'fin'` an orderly end. Phases: connect.
 *
 * Three ways to do the same, the first that this runtime has: by system calls (tcp-libc.ts), on the handle below `net.Socket`
 * (tcp-handle.ts), on a `net.Socket` (tcp-socket.ts). All tests run over all of them.
 */
import { findBareTcp } from './bare-tcp.ts'
import { findLibc } from './libc.ts'
import { LibcSockets } from './libc-sockets.ts'
import type { Probe } from './probe.ts'
import { makeProbeTcpByHandle } from './tcp-handle.ts'
import { makeProbeTcpByLibc, suitsLibc } from './tcp-libc.ts'
import { probeTcpBySocket } from './tcp-socket.ts'

export type TcpWay = 'system calls' | 'bare handle' | 'net.Socket'

const bare = findBareTcp()

/** The sockets of TCP probes that go by system calls; undefined where none do. */
export const tcpSockets: LibcSockets | undefined = LibcSockets.open(findLibc())

const probeByNode = bare === undefined ? probeTcpBySocket : makeProbeTcpByHandle(bare)

/** How TCP probes go here: for the log. */
export const tcpWay: TcpWay =
  tcpSockets !== undefined ? 'system calls' : bare !== undefined ? 'bare handle' : 'net.Socket'

export const probeTcp: Probe =
  tcpSockets === undefined ? probeByNode : withLibc(makeProbeTcpByLibc(tcpSockets))

function withLibc(probeByLibc: Probe): Probe {
  return (target, done) => (suitsLibc(target) ? probeByLibc : probeByNode)(target, done)
}
