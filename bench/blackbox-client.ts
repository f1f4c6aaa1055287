/** Asks a blackbox_exporter for a probe of each target once an interval, spread evenly. Ends with its parent. */
import { Pool } from 'undici'

export interface BlackboxLoad {
  readonly port: number
  readonly targets: readonly string[]
  readonly intervalMs: number
}

const CONNECTIONS = 64
const TURN_MS = 5
/** Who is slower than this is not asked faster. */
const WAITING_MAX = 1000

process.once('message', (load: BlackboxLoad) => {
  const pool = new Pool(`http://127.0.0.1:${load.port}`, { connections: CONNECTIONS })
  const paths = load.targets.map((target) => `/probe?module=bench&target=${encodeURIComponent(target)}`)
  let asked = 0
  let waiting = 0
  const start = performance.now()
  setInterval(() => {
    const due = ((performance.now() - start) / load.intervalMs) * paths.length
    for (; asked < due && waiting < WAITING_MAX; asked++) {
      waiting++
      void ask(pool, paths[asked % paths.length] ?? '').finally(() => waiting--)
    }
  }, TURN_MS)
})
process.once('disconnect', () => process.exit(0))

async function ask(pool: Pool, path: string): Promise<void> {
  const { statusCode, body } = await pool.request({ method: 'GET', path })
  const text = await body.text()
  if (statusCode !== 200 || !text.includes('\nprobe_success 1')) throw new Error(`${statusCode}: ${text}`)
}
