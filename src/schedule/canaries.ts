/** Targets that are always up (HM_CANARY): when none of them answers, the trouble is the prober's. Asked only on demand. */
import { CANARY_TIMEOUT_MS } from '../domain/limits.ts'
import type { ProbeTarget } from '../domain/results.ts'
import type { Probe } from '../probe/probe.ts'

export interface Canaries {
  readonly count: number
  /** Connects to all at once; resolves to whether one answered, as soon as that is known. Never rejects. */
  readonly ask: () => Promise<boolean>
}

/** `probe` makes a TCP connection. */
export function tcpCanaries(
  endpoints: readonly { readonly host: string; readonly port: number }[],
  probe: Probe,
): Canaries {
  const targets = endpoints.map(
    ({ host, port }): ProbeTarget => ({
      type: 'TCP',
      address: host,
      family: host.includes(':') ? 6 : 4,
      port,
      timeoutMs: CANARY_TIMEOUT_MS,
    }),
  )
  return { count: targets.length, ask: () => askAll(targets, probe) }
}

function askAll(targets: readonly ProbeTarget[], probe: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    let open = targets.length
    const cancels: ReturnType<Probe>[] = []
    let hasEnded = false
    const end = (answer: boolean): void => {
      if (hasEnded) return
      hasEnded = true
      clearTimeout(timer)
      // Those that have not answered yet: nothing else would close them.
      for (const cancel of cancels) cancel('shutdown')
      resolve(answer)
    }
    const timer = setTimeout(() => cancels.forEach((cancel) => cancel('timeout')), CANARY_TIMEOUT_MS)
    if (open === 0) return end(false)
    for (const target of targets) {
      cancels.push(
        probe(target, ({ outcome }) => {
          open--
          if (outcome === 'passed') end(true)
          else if (open === 0) end(false)
        }),
      )
    }
  })
}
