/**
 * PostgreSQL refuses to run as root, so under root it runs as an unprivileged account of this machine. Whether that
 * account can use a folder is asked of the kernel, by trying, not computed from mode bits.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { StartRefusal } from '../start-refusal.ts'

/** Who PostgreSQL runs as; `undefined` where it is used: as ourselves. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Tried in this order under root; then any account without root's rights. */
const PREFERRED = ['nobody', 'postgres', 'daemon']

/**
 * The account that PostgreSQL runs as, or undefined when this process may run it itself (it is not root).
 * A data folder that exists keeps its owner, so that a service which ran as a user can later be started by root.
 */
export function chooseAccount(existingClusterDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = parsePasswd(existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '')
  if (existsSync(existingClusterDir)) {
    const { uid, gid } = statSync(existingClusterDir)
    if (uid !== 0) return { name: accounts.find((a) => a.uid === uid)?.name ?? String(uid), uid, gid }
  }
  const usable = accounts.filter((account) => account.uid !== 0)
  for (const name of PREFERRED) {
    const account = usable.find((candidate) => candidate.name === name)
    if (account !== undefined) return account
  }
  const first = usable[0]
  if (first === undefined) {
    throw new StartRefusal(
      'PostgreSQL does not run as root, and /etc/passwd has no other account: start the service as an ordinary user or set DATABASE_URL',
    )
  }
  return first
}

/** The accounts of a passwd(5) text. Negative ids, as macOS writes `nobody`, are taken modulo 2^32. */
export function parsePasswd(text: string): readonly Account[] {
  const accounts: Account[] = []
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name === undefined || uid === undefined || gid === undefined) continue
    if (!/^-?\d+$/.test(uid) || !/^-?\d+$/.test(gid)) continue
    accounts.push({ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 })
  }
  return accounts
}

/** The part of spawn's options that makes a child run as this account (its supplementary groups are dropped too). */
export function runAs(account: Account | undefined): { readonly uid?: number; readonly gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid }
}

/** Whether the account can pass into this folder: every parent counts. */
export function canEnter(account: Account | undefined, dir: string): boolean {
  const tried = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], {
    cwd: '/',
    stdio: 'ignore',
    ...runAs(account),
  })
  return tried.status === 0
}
