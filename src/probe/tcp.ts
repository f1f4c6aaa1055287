/**
 * TCP: connect within the timeout, then RST, as the ELB manual describes it (umn health_check) and so that neither side
 * keeps a TIME_WAIT; with `close: 'fin'` an orderly end. Phases: connect.
 *
 * Two ways to do the same: by system calls (tcp-libc.ts) on Linux where koffi loads, for targets that this suits, else on a
 * `net.Socket` (tcp-socket.ts). All tests run over both.
 */
import { findLibc } from './libc.ts'
import { LibcSockets } from './libc-sockets.ts'
import type { Probe } from './probe.ts'
import { makeProbeTcpByLibc, suitsLibc } from './tcp-libc.ts'
import { probeTcpBySocket } from './tcp-socket.ts'

export type TcpWay = 'system calls' | 'net.Socket'

/** The sockets of TCP probes that go by system calls; undefined where none do. */
export const tcpSockets: LibcSockets | undefined = LibcSockets.open(findLibc())

/** How TCP probes go here: for the log. */
export const tcpWay: TcpWay = tcpSockets === undefined ? 'net.Socket' : 'system calls'

export const probeTcp: Probe =
  tcpSockets === undefined ? probeTcpBySocket : withLibc(makeProbeTcpByLibc(tcpSockets))

function withLibc(probeByLibc: Probe): Probe {
  return (target, done) => (suitsLibc(target) ? probeByLibc : probeTcpBySocket)(target, done)
}
