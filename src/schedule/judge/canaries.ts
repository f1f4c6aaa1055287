/**
 * Targets that are always up (HM_CANARY): when none of them answers, the fault is the prober's. Probed only on demand.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { CANARY_TIMEOUT_MS } from '../../domain/limits.ts'
import type { Probe } from '../../probe/probe.ts'

export interface Canaries {
  readonly count: number
  /** Connects to all at once; resolves to whether one answered, as soon as that is known. Never rejects. */
  readonly ask: () => Promise<boolean>
}

/** Where a canary is: an address, or a name that is asked for anew each time. */
export interface CanaryEndpoint {
  readonly host: string
  readonly port: number
}

/** The address of a name, or a rejection: `dns.lookup`, as programs of this host resolve names. */
type LookUp = (host: string) => Promise<{ readonly address: string }>

/**
 * `probe` makes a TCP connection. A name that cannot be resolved counts as no answer: the resolver is part of our own
 * network.
 */
export function tcpCanaries(
  endpoints: readonly CanaryEndpoint[],
  probe: Probe,
  lookUp: LookUp = lookup,
): Canaries {
  const lookUpOnce = oncePerName(lookUp)
  return { count: endpoints.length, ask: () => askAll(endpoints, probe, lookUpOnce) }
}

/**
 * At most one look-up of a name runs at a time: a resolver that does not answer blocks a thread of libuv's pool for
 * much longer than a round of canaries takes, and look-ups would queue up for a thread.
 */
function oncePerName(lookUp: LookUp): LookUp {
  const underWay = new Map<string, ReturnType<LookUp>>()
  return (host) => {
    const known = underWay.get(host)
    if (known !== undefined) return known
    const asked = lookUp(host).finally(() => underWay.delete(host))
    underWay.set(host, asked)
    return asked
  }
}

async function askAll(endpoints: readonly CanaryEndpoint[], probe: Probe, lookUp: LookUp): Promise<boolean> {
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort('timeout'), CANARY_TIMEOUT_MS)
  try {
    return await Promise.any(endpoints.map((endpoint) => answerOf(endpoint, probe, lookUp, giveUp.signal)))
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    // Those that have not answered yet: nothing else would close them.
    giveUp.abort('shutdown')
  }
}

/** Resolves to true when the canary answers, and rejects when it does not or `giveUp` comes first. */
async function answerOf(
  { host, port }: CanaryEndpoint,
  probe: Probe,
  lookUp: LookUp,
  giveUp: AbortSignal,
): Promise<true> {
  const { address } = isIP(host) === 0 ? await beforeAbort(giveUp, lookUp(host)) : { address: host }
  return await new Promise((resolve, reject) => {
    const family = isIP(address) === 6 ? 6 : 4
    const cancel = probe(
      { type: 'TCP', address, family, port, timeoutMs: CANARY_TIMEOUT_MS },
      ({ outcome, reason }) => (outcome === 'passed' ? resolve(true) : reject(new Error(reason))),
    )
    giveUp.addEventListener('abort', () => cancel(giveUp.reason === 'timeout' ? 'timeout' : 'shutdown'))
  })
}

async function beforeAbort<Value>(signal: AbortSignal, promised: Promise<Value>): Promise<Value> {
  return await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the name was not resolved in time')))
    promised.then(resolve, reject)
  })
}
