/**
 * Makes the wall clock of a process wrong: `NODE_OPTIONS=--import=FILE` and `TEST_CLOCK_OFF_MS` (ahead; less than 0: behind).
 * The monotonic clock stays as it is, as on a host whose time is set wrongly.
 */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

/** The environment of a process whose clock is ahead by so many milliseconds. */
export function clockAhead(ms: number): NodeJS.ProcessEnv {
  const file = pathToFileURL(join(import.meta.dirname, 'shifted-clock.js')).href
  return { NODE_OPTIONS: `--import=${file}`, TEST_CLOCK_OFF_MS: String(ms) }
}

const aheadMs = Number(process.env['TEST_CLOCK_OFF_MS'] ?? 0)
if (aheadMs !== 0) {
  const now = Date.now.bind(Date)
  const shifted = (): number => now() + aheadMs
  const Real = Date
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: unknown[], made) =>
      Reflect.construct(target, args.length === 0 ? [shifted()] : args, made) as Date,
    apply: () => new Real(shifted()).toString(),
    get: (target, key) => (key === 'now' ? shifted : (Reflect.get(target, key) as unknown)),
  })
}
