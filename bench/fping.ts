/** fping: echoes to all addresses, each once an interval. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RunningPeer } from './engine-peer.ts'

export interface FpingOptions {
  readonly addresses: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** Milliseconds between two packets: a fifth less than the interval needs, and no less than the program takes. */
const PACE_SHARE = 0.8

export function startFping({ addresses, intervalMs, timeoutMs }: FpingOptions): RunningPeer {
  const paceMs = (PACE_SHARE * intervalMs) / addresses.length
  const child = spawn(
    'fping',
    ['-l', '-q', '-p', String(intervalMs), '-t', String(timeoutMs), '-i', paceMs.toFixed(3), '-f', '-'],
    { stdio: ['pipe', 'ignore', 'ignore'] },
  )
  child.stdin.end(`${addresses.join('\n')}\n`)
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
