/** Counters that the kernel keeps of this network namespace. */
import { readFileSync } from 'node:fs'

/** One of them, since the namespace was made (RFC 4022, RFC 2011: /proc/net/snmp). */
export function kernelCount(protocol: 'Tcp' | 'Icmp', name: string): number {
  const [names = '', numbers = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${protocol}:`))
  return Number(numbers.split(' ')[names.split(' ').indexOf(name)])
}
