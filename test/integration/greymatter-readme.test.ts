/** The chapter of README.md on Grey Matter, typed as it stands: only the addresses are those of the test. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { folderOfTest } from '../support/folders.ts'
import { startService, until } from '../support/service.ts'

const README_PORT = /\b8090\b/g
const README_API = 'http://127.0.0.1:9876'
/** The commands wait for a person's host; this one may be busy. */
const TIMES_SLOWER = 2
/** Milliseconds that the commands may take: they wait for about 26 s. */
const TYPED_MS = 90_000

function commands(): string {
  const chapter = readFileSync('README.md', 'utf8')
    .split(/^## /m)
    .find((text) => text.startsWith('Grey Matter\n'))
  const typed =
    /```sh\n([\s\S]*?)```/.exec(chapter ?? '')?.[1] ?? assert.fail('README.md has no such commands')
  assert.ok(typed.includes('8090') && typed.includes(README_API), typed)
  return typed
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise<unknown>((closed) => server.close(closed))
  return port
}

test('the commands of README.md show a server that dies: HEALTHY, then UNHEALTHY with the reason', async (t) => {
  for (const tool of ['bash', 'python3', 'curl'])
    if (spawnSync(tool, ['--version']).error !== undefined) return t.skip(`needs ${tool}`)
  const service = await startService(t, folderOfTest())
  const metrics = async () => await (await fetch(`${service.metrics}/metrics`)).text()
  await until(async () => (await metrics()).includes('hm_shards_owned 256'), 'the prober')
  const typed = commands()
    .replaceAll(README_PORT, String(await freePort()))
    .replaceAll(README_API, service.api)
    .replaceAll(/\bsleep (\d+)/g, (_, seconds: string) => `sleep ${TIMES_SLOWER * Number(seconds)}`)
  // What is left running in the background ends with the shell.
  const script = `trap 'kill $(jobs -p) 2>/dev/null' EXIT\n${typed}`
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    timeout: TYPED_MS,
    cwd: folderOfTest(),
  })
  // Answers follow each other without a line between them; the web server says where it serves.
  const answers = [...stdout.matchAll(/\{"result":[^\n]*?\}(?=\{"result":|\n|$|Serving)/g)].map(
    ([text]) => JSON.parse(text) as { readonly result: Record<string, unknown> },
  )
  assert.equal(answers.length, 3, `${status} ${stdout} ${stderr}`)
  const [cluster, before, after] = answers.map(({ result }) => result)
  assert.equal(cluster?.['cluster_key'], 'catalog-service')
  const instance = (health: typeof before) => {
    const { instances = [] } = (health ?? {}) as {
      readonly instances?: readonly { readonly status: string; readonly reason: string }[]
    }
    return [instances[0]?.status, instances[0]?.reason]
  }
  assert.deepEqual(instance(before), ['HEALTHY', 'PASSED'])
  assert.deepEqual(instance(after), ['UNHEALTHY', 'CONNECT_REFUSED'])
})
