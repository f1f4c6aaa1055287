/** A Prometheus of our own (Debian's package), and what any Prometheus answers to a query. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts } from './namespace.ts'

/** Seconds between two scrapes. */
const SCRAPE_SECONDS = 1
const START_MS = 30_000
const STOP_MS = 10_000
const PORTS_FROM = 19_900

export interface Prometheus {
  /** Without a slash at its end. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts one that scrapes this address as `job`, with the alert rules. Throws when there is no program for it. */
export async function startPrometheus(job: string, target: URL): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'hm-prometheus-'))
  const [port = 0] = await freePorts(PORTS_FROM, 1)
  const config = {
    global: { scrape_interval: `${SCRAPE_SECONDS}s`, evaluation_interval: `${SCRAPE_SECONDS}s` },
    rule_files: [resolve('deploy/prometheus/healthmonitor.rules.yml')],
    scrape_configs: [
      {
        job_name: job,
        scheme: target.protocol.replace(':', ''),
        tls_config: { insecure_skip_verify: true },
        static_configs: [{ targets: [target.host] }],
      },
    ],
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const child = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', (data: Buffer) => (log = (log + data.toString()).slice(-4000)))
  const ended = once(child, 'exit').catch((error: unknown) => {
    log += String(error)
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(late)
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const isUp = await answers(`${url}/-/ready`, () => child.exitCode !== null || child.pid === undefined)
  if (isUp) return { url, stop }
  await stop()
  throw new Error(`Prometheus did not start: ${log}`)
}

async function answers(url: string, isOver: () => boolean): Promise<boolean> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline && !isOver()) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return true
    await wait(100)
  }
  return false
}

export type Answer =
  | { readonly kind: 'data'; readonly series: number; readonly first: string }
  | { readonly kind: 'no data' }
  | { readonly kind: 'error'; readonly message: string }

interface Body {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

/** What Prometheus says to a query at this moment. A value that is no number (a rate of nothing) is no data. */
export async function ask(url: string, expr: string): Promise<Answer> {
  const response = await fetch(`${url}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
  })
  const { status, error, data } = (await response.json()) as Body
  if (status !== 'success' || data === undefined) return { kind: 'error', message: error ?? status }
  const values = data.result.map(({ value: [, text] }) => text).filter((text) => text !== 'NaN')
  const [first] = values
  return first === undefined ? { kind: 'no data' } : { kind: 'data', series: values.length, first }
}

/** Why Prometheus could not scrape targets of this job, one line each. */
export async function scrapeErrors(url: string, job: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/v1/targets?state=active`)
  const { data } = (await response.json()) as {
    readonly data: {
      readonly activeTargets: readonly {
        readonly scrapePool: string
        readonly scrapeUrl: string
        readonly lastError: string
      }[]
    }
  }
  return data.activeTargets
    .filter(({ scrapePool, lastError }) => scrapePool === job && lastError !== '')
    .map(({ scrapeUrl, lastError }) => `${scrapeUrl}: ${lastError}`)
}
