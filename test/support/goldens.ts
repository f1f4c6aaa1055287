/** Recordings of real services under test/vectors. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const VECTORS = resolve('test/vectors')

/** One exchange with a real Keystone. */
export interface KeystoneGolden {
  readonly case: string
  readonly curl_args: readonly string[]
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- recorded JSON of many shapes
  readonly body: any
}

export function keystoneGolden(name: string): KeystoneGolden {
  return JSON.parse(readFileSync(join(VECTORS, 'keystone-golden', `${name}.json`), 'utf8')) as KeystoneGolden
}

/** One request to a real Octavia with Keystone, and what it answered. */
export interface OctaviaGolden {
  readonly case: string
  /** Whose token was sent. */
  readonly as: string
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown }
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- recorded JSON of many shapes
  readonly body: any
}

/** All recordings of a folder of octavia-golden. */
export function octaviaGoldens(folder: string): readonly OctaviaGolden[] {
  const path = join(VECTORS, 'octavia-golden', folder)
  return readdirSync(path)
    .toSorted()
    .map((file) => JSON.parse(readFileSync(join(path, file), 'utf8')) as OctaviaGolden)
}
