/**
 * HM_SOURCE_ADDRESSES: probes leave from these addresses. A check keeps its address for life, so that members see few
 * sources and firewalls can list them; checks spread evenly over all addresses of their family.
 */
import { parseAddress } from './ip-address.ts'
import type { ProbeTarget } from '../target/probe-target.ts'

/**
 * The target with a source address of its family: the one that the monitor names, if it is among them, else one that
 * depends on the check. If there is none of the family, the kernel chooses.
 */
export function withSourceAddress(
  target: ProbeTarget,
  memberId: string,
  sources: readonly string[],
): ProbeTarget {
  const { sourceAddress: wanted, ...anywhere } = target
  if (wanted !== undefined && sources.includes(wanted)) return target
  const usable = sources.filter((source) => parseAddress(source)?.family === target.family)
  const sourceAddress = usable[Number.parseInt(memberId.slice(-4), 16) % usable.length]
  if (sourceAddress !== undefined) return { ...anywhere, sourceAddress }
  return wanted === undefined ? target : anywhere
}
