/** An ICMP echo before another probe, in the same time: profile elb asks for it with UDP (ELB manual, umn health_check). */
import type { ProbeResult } from '../domain/results.ts'
import { echoChannel } from './icmp-echo.ts'
import { probePing } from './ping.ts'
import type { Probe } from './probe.ts'

/**
 * `probe`, preceded by an echo where the target has `echoFirst`: no reply is the end of it, a reply starts the probe. Where
 * this process can send no echo the step is skipped, and the detail says so.
 */
export function afterEcho(probe: Probe): Probe {
  return (target, done) => {
    if (target.echoFirst !== true) return probe(target, done)
    if (!echoChannel(target.family).availability.available) {
      return probe(target, (given) => done({ ...given, detail: `${given.detail}; echo skipped` }))
    }
    let cancel = probePing(target, (echo) => {
      if (echo.outcome !== 'passed') return done(echo)
      const echoMs = echo.phases.totalMs
      cancel = probe(target, (given) => done(later(given, echoMs)))
    })
    return (why) => cancel(why)
  }
}

/** The result of a probe that began `echoMs` after the attempt. */
function later(given: ProbeResult, echoMs: number): ProbeResult {
  const { firstByteMs, totalMs } = given.phases
  const phases = { echoMs, totalMs: totalMs + echoMs }
  return {
    ...given,
    phases: firstByteMs === undefined ? phases : { ...phases, firstByteMs: firstByteMs + echoMs },
  }
}
