/** Several processes of one host with one environment: they work side by side, or say which variable to change. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { PROGRAM, runProgram, until } from '../support/service.ts'

type Command = 'serve' | 'api' | 'prober'

/** A process that is up: where its metrics are, and what it logged. */
async function started(database: TestDatabase, command: Command, environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [PROGRAM, command], {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url, HM_LISTEN: '127.0.0.1:0', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(child, 'exit')
  database.beforeDrop(async () => {
    child.kill('SIGTERM')
    await gone
  })
  let log = ''
  child.stderr.on('data', (data: Buffer) => (log += data.toString()))
  const ready = () => /"metrics_url":"([^"]+)","msg":"ready"/.exec(log)?.[1]
  await until(() => ready() !== undefined || child.exitCode !== null, `${command} to be ready`)
  return { metrics: ready() ?? assert.fail(log), log: () => log }
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : assert.fail()
}

test('serve, api and prober with one environment that does not name a port of metrics: each has its own, and says where', async (t) => {
  const database = await testDatabase(t)
  const processes = [
    await started(database, 'serve'),
    await started(database, 'api'),
    await started(database, 'prober'),
  ]
  assert.equal(new Set(processes.map(({ metrics }) => metrics)).size, 3)
  for (const { metrics } of processes) {
    assert.match(await (await fetch(metrics)).text(), /^process_cpu_seconds_total/m)
  }
  // Whether the first got the default port depends on what else runs on this host; the others cannot have it.
  for (const { log, metrics } of processes.slice(1)) {
    const warning = log()
      .split('\n')
      .find((line) => line.includes('the default port of metrics is taken'))
    assert.ok(warning?.includes(metrics), log())
    assert.match(warning ?? '', /"level":"warn".*set HM_METRICS_LISTEN/)
  }
})

for (const command of ['serve', 'api', 'prober'] as const) {
  test(`${command}: a port of metrics that was set and is taken is refused with the variable to change`, async (t) => {
    const database = await testDatabase(t)
    const port = await takenPort(t)
    const { code, err } = await runProgram([command], {
      DATABASE_URL: database.url,
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: `127.0.0.1:${port}`,
    })
    assert.equal(code, 1)
    assert.match(
      err,
      new RegExp(`healthmonitor: port ${port} is taken .*set HM_METRICS_LISTEN to another port`),
    )
  })
}

for (const command of ['serve', 'api'] as const) {
  test(`${command}: the port of another API is refused with the variable to change`, async (t) => {
    const database = await testDatabase(t)
    const port = await takenPort(t)
    const { code, err } = await runProgram([command], {
      DATABASE_URL: database.url,
      HM_LISTEN: `127.0.0.1:${port}`,
      HM_METRICS_LISTEN: 'off',
    })
    assert.equal(code, 1)
    assert.match(err, new RegExp(`healthmonitor: port ${port} is taken .*set HM_LISTEN to another port`))
  })
}
