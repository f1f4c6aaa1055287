/** A log that cannot be written: the service works, counts what is lost, and ends when it is asked to. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { isRunning, PROGRAM, until } from '../support/service.ts'

/** Milliseconds that an end may take on a busy machine: far less than the bound after which it would be killed. */
const END_MS = 15_000

interface Running {
  readonly child: ChildProcess
  /** Base URLs of its listeners. */
  urls(): readonly string[]
  /** Asks it to end and answers its exit code; fails when it does not end. */
  end(): Promise<number | null>
}

/** Starts a command with this standard error and, where it is a descriptor, output. */
function start(
  database: TestDatabase,
  command: 'serve' | 'api' | 'prober',
  stderr: number | 'pipe',
  stdout: number | 'ignore' = 'ignore',
): Running {
  const child = spawn(process.execPath, [PROGRAM, command], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: '127.0.0.1:0',
    },
    stdio: ['ignore', stdout, stderr],
  })
  const gone = once(child, 'exit')
  database.beforeDrop(async () => {
    child.kill('SIGKILL')
    await gone
  })
  return {
    child,
    urls: () => listenersOf(child.pid ?? 0).map((address) => `http://${address}`),
    end: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
      const [code, signal] = (await gone) as [number | null, string | null]
      clearTimeout(late)
      assert.equal(signal, null, 'it did not end when it was asked to')
      return code
    },
  }
}

/** Addresses that a process listens on: with no log and no banner there is nobody else to ask. */
function listenersOf(pid: number): readonly string[] {
  const { stdout } = spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' })
  const inodes = new Set(stdout.match(/(?<=socket:\[)\d+/g))
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
    .map(([, local]) => `127.0.0.1:${Number.parseInt(local?.split(':')[1] ?? '', 16)}`)
}

async function answers(running: Running, path: string, wanted: RegExp): Promise<boolean> {
  for (const url of running.urls()) {
    const response = await fetch(`${url}${path}`).catch(() => undefined)
    if (response?.status === 200 && wanted.test(await response.text())) return true
  }
  return false
}

const LINES_WERE_DROPPED = /^hm_log_lines_dropped_total [1-9]/m

async function proberPids({ db }: TestDatabase): Promise<readonly number[]> {
  const rows = await query<{ pid: number }>(db, 'select pid from prober where lease_until > now()')
  return rows.map(({ pid }) => pid)
}

/** Whether the lease of a prober goes on: its loop turns. */
async function beats({ db }: TestDatabase): Promise<void> {
  const lease = async () =>
    (await query<{ at: Date }>(db, 'select max(lease_until) as at from prober'))[0]?.at?.getTime() ?? 0
  const first = await lease()
  await until(async () => (await lease()) > first, 'another heartbeat')
}

test('serve with standard output and error on a full disk: it answers, counts, probes, and SIGTERM leaves no process', async (t) => {
  const database = await testDatabase(t)
  const full = openSync('/dev/full', 'w')
  t.after(() => closeSync(full))
  const service = start(database, 'serve', full, full)
  await until(() => answers(service, '/healthcheck', /ok/), 'the API')
  await until(() => answers(service, '/metrics', LINES_WERE_DROPPED), 'the count of lost lines')
  await until(async () => (await proberPids(database)).length === 1, 'the prober')
  await beats(database)
  const probers = await proberPids(database)
  assert.equal(await service.end(), 0)
  assert.deepEqual(probers.filter(isRunning), [])
})

for (const command of ['api', 'prober'] as const) {
  test(`${command} whose log has no reader any more goes on and ends when it is asked to`, async (t) => {
    const database = await testDatabase(t)
    const running = start(database, command, 'pipe')
    running.child.stderr?.destroy()
    if (command === 'prober') await until(async () => (await proberPids(database)).length === 1, 'the prober')
    else await until(() => answers(running, '/healthcheck', /ok/), 'the API')
    await until(() => answers(running, '/metrics', LINES_WERE_DROPPED), 'the count of lost lines')
    assert.equal(await running.end(), 0)
  })

  test(`${command} whose log nobody reads goes on, keeps its lines for later, and ends when it is asked to`, async (t) => {
    const database = await testDatabase(t)
    const pipe = fullPipe(t)
    const running = start(database, command, pipe.descriptor)
    if (command === 'prober') {
      await until(async () => (await proberPids(database)).length === 1, 'the prober')
      await beats(database)
    } else await until(() => answers(running, '/healthcheck', /ok/), 'the API')
    await until(() => pipe.drain().includes('"msg":"ready"'), 'the first lines, once somebody reads')
    pipe.fill()
    assert.equal(await running.end(), 0)
  })
}

test('a log on a disk that fills up comes back when there is room, and says how many lines are missing', async (t) => {
  const dir = join(folderOfTest(), 'small')
  mkdirSync(dir)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status !== 0) {
    t.skip('no right to mount a small file system')
    return
  }
  t.after(() => void spawnSync('umount', ['-l', dir]))
  const path = join(dir, 'log')
  const log = openSync(path, 'a')
  t.after(() => closeSync(log))
  const database = await testDatabase(t)
  const running = start(database, 'api', log)
  await until(() => readFileSync(path, 'utf8').includes('"msg":"ready"'), 'the first lines')
  assert.throws(() => writeFileSync(join(dir, 'filler'), Buffer.alloc(128 * 1024)), { code: 'ENOSPC' })
  const lost = async () => {
    await answers(running, '/v2.0/lbaas/pools', /pools/)
    return await answers(running, '/metrics', LINES_WERE_DROPPED)
  }
  await until(lost, 'lines to be lost')
  rmSync(join(dir, 'filler'))
  await until(() => /lines were lost here/.test(readFileSync(path, 'utf8')), 'the log to come back')
  assert.equal(await running.end(), 0)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const notices = lines.filter((line) => line.includes('lines were lost here'))
  assert.equal(notices.length, 1)
  const { lines: missing, level } = JSON.parse(notices[0] ?? '') as { lines: number; level: string }
  assert.ok(missing >= 1)
  assert.equal(level, 'warn')
  assert.match(lines.at(-1) ?? '', /"msg":"ending"/)
  const broken = lines.filter((line) => !line.endsWith('}'))
  assert.ok(broken.length <= 1, 'at most the one line that was cut off')
})

/** A pipe of the kernel that is full, with both ends in this process. */
function fullPipe(t: TestContext) {
  const path = join(folderOfTest(), 'pipe')
  execFileSync('mkfifo', [path])
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const descriptor = openSync(path, constants.O_WRONLY)
  t.after(() => {
    closeSync(both)
    closeSync(descriptor)
  })
  const untilItWouldWait = (step: () => void): void => {
    try {
      for (;;) step()
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
    }
  }
  const fill = (): void => untilItWouldWait(() => writeSync(both, '.'.repeat(4096)))
  fill()
  return {
    descriptor,
    fill,
    /** Everything that is in it. */
    drain: (): string => {
      const buffer = Buffer.alloc(65_536)
      let text = ''
      untilItWouldWait(() => {
        text += buffer.toString('utf8', 0, readSync(both, buffer))
      })
      return text
    },
  }
}
