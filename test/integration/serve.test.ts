import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { folderOfTest } from '../support/folders.ts'
import { isRunning, runProgram, type Service, startService, until } from '../support/service.ts'

/** As a person with the printed psql command reaches it. */
function databaseUrl(service: Service): string {
  const pgpass = readFileSync(join(service.dataDir, 'pgpass'), 'utf8')
  const password = pgpass.trim().split(':').at(-1)
  const port = readFileSync(join(service.dataDir, 'port'), 'utf8')
  return `postgresql://healthmonitor:${password}@127.0.0.1:${port}/healthmonitor`
}

async function statement(service: Service, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl(service) })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function text(url: string): Promise<string> {
  const response = await fetch(url)
  assert.equal(response.status, 200, url)
  return await response.text()
}

test('serve in an empty folder: the API answers, the metrics cover every process, and SIGTERM leaves no process', async (t) => {
  const service = await startService(t, folderOfTest(), { HM_PROBERS: '2' })
  await text(`${service.api}/healthcheck`)
  await text(`${service.api}/livez`)
  assert.equal((await fetch(`${service.api}/metrics`)).status, 404)
  assert.equal((await fetch(`${service.metrics}/healthcheck`)).status, 404)
  await until(async () => {
    const metrics = await text(`${service.metrics}/metrics`)
    return ['api', 'prober-1', 'prober-2', 'notifier'].every((name) =>
      metrics.includes(`process_resident_memory_bytes{process="${name}"}`),
    )
  }, 'the metrics of both probers')
  const everybody = service.alive()
  assert.equal(everybody.length, 5)
  service.kill('SIGTERM')
  const { code, err, out } = await service.finished
  assert.equal(code, 0, err)
  assert.deepEqual(everybody.filter(isRunning), [])
  assert.ok(!existsSync(join(service.dataDir, 'service.pid')))
  assert.match(out, /psql +PGPASSFILE=\S+ psql -h 127\.0\.0\.1 -p \d+/)
  assert.doesNotMatch(out + err, /postgresql:\/\/healthmonitor:[0-9a-f]/)
})

test('a second start finds what the first one stored, at the same address', async (t) => {
  const dir = folderOfTest()
  const first = await startService(t, dir)
  await statement(first, 'create table kept as select 42 as answer')
  first.kill('SIGINT')
  assert.equal((await first.finished).code, 0)
  const second = await startService(t, dir)
  assert.deepEqual(await statement(second, 'select answer from kept'), [{ answer: 42 }])
  assert.equal(databaseUrl(second), databaseUrl(first))
})

test('a taken port is named, the exit code is not 0, and nothing was started', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => void taken.close())
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const dir = folderOfTest()
  for (const setting of ['HM_LISTEN', 'HM_METRICS_LISTEN']) {
    const ports = {
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: '127.0.0.1:0',
      [setting]: `127.0.0.1:${port}`,
    }
    const { code, out, err } = await runProgram(['serve'], { HM_DATA_DIR: dir, ...ports })
    assert.equal(code, 1)
    assert.match(err, new RegExp(`port ${port} is taken \\(${setting}=127.0.0.1:${port}\\)`))
    assert.equal(out, '')
    assert.deepEqual(readdirSync(dir), [])
  }
})

test('kill -9 of the parent alone: probers and PostgreSQL end by themselves, and the next start works', async (t) => {
  const dir = folderOfTest()
  const first = await startService(t, dir)
  await until(() => first.alive().length === 4, 'parent, prober, notifier and PostgreSQL')
  const everybody = first.alive()
  first.kill('SIGKILL')
  await until(() => everybody.filter(isRunning).length === 0, 'everything to end')
  const second = await startService(t, dir)
  await text(`${second.api}/healthcheck`)
})

test('kill -9 of everything: the next start works', async (t) => {
  const dir = folderOfTest()
  const first = await startService(t, dir)
  await until(() => first.alive().length === 4, 'parent, prober, notifier and PostgreSQL')
  for (const pid of first.alive()) process.kill(pid, 'SIGKILL')
  const second = await startService(t, dir)
  await text(`${second.api}/healthcheck`)
})

test('a prober that dies is replaced', async (t) => {
  const service = await startService(t, folderOfTest())
  await until(() => service.alive().length === 4, 'the prober')
  process.kill(service.probers()[0] ?? 0, 'SIGKILL')
  await until(() => service.probers().length === 2 && isRunning(service.probers()[1] ?? 0), 'another prober')
})

test('PostgreSQL killed under the service: it comes back, and so do the answers', async (t) => {
  const service = await startService(t, folderOfTest())
  const before = service.postmaster()
  process.kill(before, 'SIGKILL')
  await until(() => service.postmaster() > 0 && service.postmaster() !== before, 'another PostgreSQL')
  await until(async () => (await fetch(`${service.api}/healthcheck`)).status === 200, 'healthy again')
  assert.equal((await fetch(`${service.api}/livez`)).status, 200)
})

test('a second serve in the same data folder is refused, and the first goes on', async (t) => {
  const dir = folderOfTest()
  const service = await startService(t, dir)
  const ports = { HM_LISTEN: '127.0.0.1:0', HM_METRICS_LISTEN: 'off' }
  const { code, err } = await runProgram(['serve'], { HM_DATA_DIR: dir, ...ports })
  assert.equal(code, 1)
  assert.match(err, new RegExp(`another healthmonitor \\(process ${service.pid}\\) is using the data folder`))
  await text(`${service.api}/healthcheck`)
})

test('api, prober, notifier and migrate without DATABASE_URL say what to set', async () => {
  for (const command of ['api', 'prober', 'notifier', 'migrate']) {
    const { code, err } = await runProgram([command])
    assert.equal(code, 1)
    assert.match(err, new RegExp(`^healthmonitor: ${command} needs a PostgreSQL: set DATABASE_URL=`))
  }
})

test('--check-config of a command that needs a PostgreSQL also says when there is none', async () => {
  const without = await runProgram(['api', '--check-config'])
  assert.equal(without.code, 1)
  assert.match(without.err, /^healthmonitor: api needs a PostgreSQL: set DATABASE_URL=/)
  assert.equal((await runProgram(['serve', '--check-config'])).code, 0)
})

test('--check-config reports every problem, without secrets, and sets the exit code', async () => {
  const good = await runProgram(['--check-config'], { DATABASE_URL: 'postgresql://u:topsecret@127.0.0.1/x' })
  assert.equal(good.code, 0)
  assert.ok(!good.out.includes('topsecret'))
  const bad = await runProgram(['serve', '--check-config'], { HM_PROBERS: 'x', HM_OTHER: '1' })
  assert.equal(bad.code, 1)
  assert.match(bad.err, /HM_PROBERS must be a number[^]*HM_OTHER is not a setting/)
})

test('the program prints its help and exits with 0, and a mistake in one line and exits with 2', async () => {
  const help = await runProgram(['--help'])
  assert.equal(help.code, 0)
  assert.match(help.out, /^usage: healthmonitor COMMAND\n/)
  const mistake = await runProgram(['dance'])
  assert.equal(mistake.code, 2)
  assert.equal(mistake.err, 'healthmonitor: unknown command "dance" (healthmonitor --help says more)\n')
})

test('SIGTERM while the data folder is being made leaves no process that still writes there', async (t) => {
  const dataDir = folderOfTest()
  const env = { ...process.env, HM_DATA_DIR: dataDir, HM_LISTEN: '127.0.0.1:0', HM_METRICS_LISTEN: 'off' }
  const program = resolve(import.meta.dirname, '../../src/bin/healthmonitor.js')
  const child = spawn(process.execPath, [program, 'serve'], { env, stdio: 'ignore' })
  const exited = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  const making = (): string | undefined =>
    readdirSync(dataDir)
      .filter((name) => name.startsWith('initdb-'))
      .map((name) => join(dataDir, name, 'cluster'))
      .find((path) => existsSync(path))
  await until(() => making() !== undefined && writersBelow(dataDir).length > 0, 'initdb at work')
  child.kill('SIGTERM')
  await exited
  const left = writersBelow(dataDir)
  await until(() => !left.some(isRunning), 'initdb to end')
  // It took its half-made cluster away instead of going on until that was complete.
  assert.deepEqual(readdirSync(making() ?? assert.fail('no folder')), [])
})

/** Ids of processes whose command line names a cluster that is being made below a folder. */
function writersBelow(dir: string): readonly number[] {
  const processes = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return processes.filter((line) => line.includes(`${dir}/initdb-`)).map((line) => Number.parseInt(line, 10))
}
