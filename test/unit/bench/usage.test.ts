import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type TestContext, test } from 'node:test'
import { cpuSecondsOf } from '../../../bench/usage.ts'

/** Less than a tick of /proc/PID/stat, which is 10 ms. */
const ROUND_MS = 2
const ROUNDS = 10
const ASLEEP_WITHIN_MS = 5000
/** What a process of Node uses beside the work that a test gives it. */
const ELSE_MS = 200

const hasNanoseconds = (): boolean => {
  try {
    // A process that has run for a while; a kernel that keeps no such figures says 0.
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) > 0
  } catch {
    return false
  }
}

/** A process that works for so many milliseconds of CPU when it is asked to, in its only thread or in others. */
function worker(t: TestContext, work: string): ChildProcess {
  const code = `
    process.on('message', async (ms) => {
      const before = process.cpuUsage()
      const used = () => { const { user, system } = process.cpuUsage(before); return (user + system) / 1000 }
      ${work}
      process.send(used())
    })
    process.send('ready')`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Milliseconds of CPU that it says it used; it is asleep again, so that the kernel has counted all of it. */
async function worked(child: ChildProcess, ms: number): Promise<number> {
  child.send(ms)
  const [used] = (await once(child, 'message')) as [number]
  await asleep(child)
  return used
}

async function asleep(child: ChildProcess): Promise<void> {
  const deadline = performance.now() + ASLEEP_WITHIN_MS
  while (!/\) S /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) {
    assert.ok(performance.now() < deadline, 'the process does not rest')
    await wait(1)
  }
}

test('work of another process that is shorter than a tick of 10 ms counts', async (t) => {
  if (!hasNanoseconds()) return t.skip('this kernel keeps no nanoseconds of a process')
  const child = worker(t, 'while (used() < ms);')
  await once(child, 'message')
  await asleep(child)
  for (let round = 0; round < ROUNDS; round++) {
    const before = cpuSecondsOf(child.pid!)
    const used = await worked(child, ROUND_MS)
    const counted = (cpuSecondsOf(child.pid!) - before) * 1000
    assert.ok(counted >= used * 0.9, `${counted} of ${used} ms in round ${round}`)
  }
})

test('work of every thread of a process counts, and the process is the one that was asked for', async (t) => {
  if (!hasNanoseconds()) return t.skip('this kernel keeps no nanoseconds of a process')
  const hash = `const { pbkdf2 } = await import('node:crypto')
    while (used() < ms) await new Promise((done) => pbkdf2('a', 'b', 20_000, 32, 'sha256', done))`
  const [busy, idle] = [worker(t, hash), worker(t, hash)]
  await Promise.all([once(busy, 'message'), once(idle, 'message')])
  await Promise.all([asleep(busy), asleep(idle)])
  const [busyBefore, idleBefore] = [cpuSecondsOf(busy.pid!), cpuSecondsOf(idle.pid!)]
  const used = await worked(busy, 2 * ELSE_MS)
  const counted = (cpuSecondsOf(busy.pid!) - busyBefore) * 1000
  assert.ok(counted >= used * 0.9, `${counted} of ${used} ms`)
  assert.ok((cpuSecondsOf(idle.pid!) - idleBefore) * 1000 < ELSE_MS)
})

test('a process that is gone has used nothing', async (t) => {
  const child = worker(t, '')
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  assert.equal(cpuSecondsOf(child.pid!), 0)
})
