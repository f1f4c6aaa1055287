/** The target of outage-target.c: compiled at first use, so it takes a C compiler (`cc`). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** When a member was probed, in milliseconds around the mark; undefined = it was not. */
export interface Arrivals {
  readonly firstAfterMs: number | undefined
  readonly lastBeforeMs: number | undefined
}

export interface OutageTarget {
  /** What comes from now on is after the mark. */
  mark(): Promise<void>
  /** Members that were probed since the mark. */
  seen(): Promise<number>
  /** Probes since the start, and those that the target may have missed. */
  probes(): Promise<{ readonly count: number; readonly lost: number }>
  /** Of each member, in their order. */
  arrivals(): Promise<readonly Arrivals[]>
  readonly stop: () => void
}

/** Starts it on `port` of all addresses; the program is made in `folder`. Throws without a compiler. */
export async function startOutageTarget(
  folder: string,
  {
    port,
    members,
    handshake,
  }: { readonly port: number; readonly members: number; readonly handshake: 'whole' | 'half' },
): Promise<OutageTarget> {
  const program = join(folder, 'outage-target')
  // Sources are beside `dist`, not in it.
  const source = fileURLToPath(new URL('../../bench/outage-target.c', import.meta.url))
  const { status, stderr, error } = spawnSync('cc', ['-O2', '-o', program, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`this bench takes a C compiler: ${error?.message ?? stderr}`)
  const child = spawn(program, [String(port), String(members), handshake], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  const ask = (question: string, count: number): Promise<readonly string[]> =>
    new Promise((resolve) => {
      const answers: string[] = []
      const hear = (line: string): void => {
        if (answers.push(line) < count) return
        lines.off('line', hear)
        resolve(answers)
      }
      lines.on('line', hear)
      child.stdin.write(`${question}\n`)
    })
  return {
    mark: async () => void (await ask('m', 1)),
    seen: async () => Number((await ask('c', 1))[0]),
    probes: async () => {
      const [count = 0, lost = 0] = ((await ask('n', 1))[0] ?? '').split(' ').map(Number)
      return { count, lost }
    },
    arrivals: async () => (await ask('t', members)).map(arrivalsOf),
    stop: () => void child.kill('SIGKILL'),
  }
}

function arrivalsOf(line: string): Arrivals {
  const [first = -1, before = -1] = line.split(' ').map(Number)
  return {
    firstAfterMs: first < 0 ? undefined : first,
    lastBeforeMs: before < 0 ? undefined : before,
  }
}
