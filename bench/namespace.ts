/** A network of the bench's own, where one may be made (Linux, root). */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'

const INSIDE = 'HM_BENCH_IN_NAMESPACE'
const SETUP = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

/**
 * Runs this program again in a network namespace and takes its exit code; false where none may be made, or when this is
 * one already. Not with DATABASE_URL: that server is outside.
 */
export function isRunInNamespace(): boolean {
  if (process.env[INSIDE] !== undefined || process.env['DATABASE_URL'] !== undefined) return false
  if (spawnSync('unshare', [...SETUP, 'true']).status !== 0) return false
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const { status } = spawnSync('unshare', [...SETUP, ...command], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  })
  process.exitCode = status ?? 1
  return true
}

/**
 * The first free ports of all addresses from `first` on; `first` is to be below those that the kernel gives out itself,
 * because probes look twice at their own end when they aim at one of these.
 */
export async function freePorts(first: number, count: number): Promise<readonly number[]> {
  const found: number[] = []
  for (let port = first; found.length < count; port++) if (await isFree(port)) found.push(port)
  return found
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
