/**
 * HM_SOURCE_ADDRESSES: probes leave from these addresses. A check keeps its address for life, so that members see few
 * sources and firewalls can name them; checks spread evenly over all addresses of their family.
 */
import { parseAddress } from './ip-address.ts'
import type { ProbeTarget } from './results.ts'

/** The target with a source address of its family; unchanged when there is none. */
export function withSourceAddress(
  target: ProbeTarget,
  memberId: string,
  sources: readonly string[],
): ProbeTarget {
  const usable = sources.filter((source) => parseAddress(source)?.family === target.family)
  const sourceAddress = usable[Number.parseInt(memberId.slice(-4), 16) % usable.length]
  return sourceAddress === undefined ? target : { ...target, sourceAddress }
}
