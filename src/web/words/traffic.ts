/** Who should get the traffic of a pool, in words. */
import type { Mark } from './status.ts'

const KINDS: Readonly<Record<string, { readonly shape: Mark['shape']; readonly text: string }>> = {
  healthy: { shape: 'good', text: 'enough members pass: those that pass get the traffic' },
  backup: { shape: 'partly', text: 'too few of the first members pass: backups that pass get traffic too' },
  too_few: { shape: 'partly', text: 'too few members pass: those that pass get the traffic' },
  fail_open: { shape: 'partly', text: 'too few members pass: all get traffic, also those that do not pass' },
  fail_closed: { shape: 'bad', text: 'too few members pass: none of them gets traffic' },
  empty: { shape: 'bad', text: 'no member is switched on and has weight' },
  switched_off: { shape: 'off', text: 'the pool or its load balancer is switched off' },
}

export function trafficInWords(kind: string): string {
  return KINDS[kind]?.text ?? kind
}

export function trafficMark(kind: string): Mark {
  return { shape: KINDS[kind]?.shape ?? 'unknown', word: 'traffic' }
}
