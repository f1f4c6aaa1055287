/**
 * What `npm start` runs first: compiles when a source is newer than the last build, so that a second start is quick and
 * an account that may not write the checkout can start what another one built.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const PAGE = join(root, 'dist/web/index.html')
const PROGRAM = join(root, 'dist/src/bin/healthmonitor.js')
const PAGE_SOURCES = ['src/web', 'package-lock.json']
const SOURCES = ['src', 'migrations', 'tsconfig.json', 'package-lock.json']

/** @param {string} path */
function newestMs(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}

/**
 * Each build writes all of its files anew.
 * @param {string} built
 * @param {readonly string[]} sources
 */
function isStale(built, sources) {
  if (!existsSync(built)) return true
  return Math.max(...sources.map((name) => newestMs(join(root, name)))) > statSync(built).mtimeMs
}

/**
 * The folder of a package; undefined when only what the service needs at run time was installed.
 * @param {string} name
 */
function findPackage(name) {
  try {
    return join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..')
  } catch {
    return undefined
  }
}

const compiler = findPackage('typescript')
if (compiler === undefined) {
  // Whoever left the compiler out brings a build along, and its files may well be older than their sources.
  if (!existsSync(PROGRAM)) {
    process.stderr.write(
      'healthmonitor is not built, and the compiler is not installed: run "npm ci" without --omit=dev, or copy the folder dist of a build here\n',
    )
    process.exitCode = 1
  }
} else if (isStale(PROGRAM, SOURCES)) {
  const { status } = spawnSync(process.execPath, [join(compiler, 'bin/tsc'), '-p', root], {
    stdio: 'inherit',
  })
  // The compiler makes no file executable, and `npx healthmonitor` executes this one.
  if (existsSync(PROGRAM)) chmodSync(PROGRAM, 0o755)
  process.exitCode = status ?? 1
}

// Without Vite the page stays as it is; the service works without it.
if (findPackage('vite') !== undefined && isStale(PAGE, PAGE_SOURCES)) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build-web.js')], { stdio: 'inherit' })
  process.exitCode ||= status ?? 1
}
