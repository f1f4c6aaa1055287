/**
 * TCP: connect within the timeout, then RST, as the ELB manual describes it (umn health_check) and so that neither side
 * keeps a TIME_WAIT; with `close: 'fin'` an orderly end. Phases: connect.
 *
 * Two ways to do the same: by system calls (tcp-by-system-calls.ts) on Linux where koffi loads, for targets that this suits, else on a
 * `net.Socket` (tcp-by-node.ts). All tests run over both.
 */
import { findLibc } from './libc.ts'
import { KernelSockets } from './kernel-sockets.ts'
import type { Probe } from '../probe.ts'
import { makeProbeTcpBySystemCalls, suitsSystemCalls } from './tcp-by-system-calls.ts'
import { probeTcpByNode } from './tcp-by-node.ts'

export type TcpWay = 'system calls' | 'net.Socket'

/** The sockets of TCP probes that go by system calls; undefined where none do. */
export const tcpSockets: KernelSockets | undefined = KernelSockets.open(findLibc())

/** How TCP probes go here: for the log. */
export const tcpWay: TcpWay = tcpSockets === undefined ? 'net.Socket' : 'system calls'

export const probeTcp: Probe =
  tcpSockets === undefined ? probeTcpByNode : withLibc(makeProbeTcpBySystemCalls(tcpSockets))

function withLibc(probeByLibc: Probe): Probe {
  return (target, done) => (suitsSystemCalls(target) ? probeByLibc : probeTcpByNode)(target, done)
}
