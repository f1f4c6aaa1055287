/**
 * Timers that run when the test moves their clock. `t.mock.timers` of Node 20 loses a timer when several are cleared.
 */
import type { TestContext } from 'node:test'

/** Replaces setTimeout and clearTimeout until the test ends; the returned function moves the clock by so many milliseconds. */
export function movedClock(t: TestContext): (ms: number) => void {
  const timers = new Map<number, { readonly atMs: number; readonly run: () => void }>()
  let nowMs = 0
  let made = 0
  const start = (run: () => void, ms = 0): number => {
    timers.set(++made, { atMs: nowMs + ms, run })
    return made
  }
  t.mock.method(globalThis, 'setTimeout', start as never)
  t.mock.method(globalThis, 'clearTimeout', ((id: number) => void timers.delete(id)) as never)
  return (ms) => {
    const endMs = nowMs + ms
    for (;;) {
      const [next] = [...timers]
        .filter(([, { atMs }]) => atMs <= endMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)
      if (next === undefined) break
      const [id, { atMs, run }] = next
      timers.delete(id)
      nowMs = atMs
      run()
    }
    nowMs = endMs
  }
}
