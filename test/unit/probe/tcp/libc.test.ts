import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { SourcePorts } from '../../../../src/probe/source-ports.ts'
import { findLibc, type Koffi, type Libc } from '../../../../src/probe/tcp/libc.ts'
import { KernelSockets } from '../../../../src/probe/tcp/kernel-sockets.ts'

const linuxOnly = { skip: process.platform === 'linux' ? false : 'the system calls are those of Linux' }
const libc = findLibc()
const sourcePorts = new SourcePorts()

/** libc with some functions replaced. */
function libcWith(changed: Partial<Libc>): Libc {
  return { ...(libc ?? assert.fail('no libc')), ...changed }
}

test('libc is called where the package is installed and the kernel is Linux', linuxOnly, () => {
  assert.notEqual(libc, undefined)
  assert.notEqual(KernelSockets.open(libc, sourcePorts), undefined)
})

test('without the package, or with one that cannot load or declare, there is no libc', () => {
  const packages: Readonly<Record<string, () => Koffi>> = {
    'not installed': () => {
      throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' })
    },
    'for another machine': () => {
      throw new Error('Cannot find the native Koffi module; did you bundle it correctly?')
    },
    'that cannot load': () => ({
      load: () => {
        throw new Error('dlopen failed')
      },
      errno: () => 0,
      address: () => 0n,
    }),
    'that finds no function': () => ({
      load: () => ({
        func: (prototype) => {
          throw new Error(`Cannot find function '${prototype}' in shared library`)
        },
      }),
      errno: () => 0,
      address: () => 0n,
    }),
  }
  for (const [name, load] of Object.entries(packages)) assert.equal(findLibc(load), undefined, name)
  assert.equal(KernelSockets.open(undefined, sourcePorts), undefined)
})

test('a kernel that does other than expected is not used, and keeps no descriptor', linuxOnly, () => {
  const real = libc ?? assert.fail('no libc')
  const isDissolution = (address: Uint8Array) => address[0] === 0 && address[1] === 0
  const kernels: Readonly<Record<string, Partial<Libc>>> = {
    'whose first function cannot be called': {
      epoll_create1: () => {
        throw new TypeError('Unexpected Number value for argument 1, expected int')
      },
    },
    'without epoll': { epoll_create1: () => -1 },
    'that makes no socket': { socket: () => -1 },
    'that reports nothing': { epoll_wait: () => 0 },
    'that reports another socket': {
      epoll_wait: (epoll, events, count, timeoutMs) => {
        const ended = real.epoll_wait(epoll, events, count, timeoutMs)
        events.fill(0x7f)
        return ended
      },
    },
    'that dissolves nothing': {
      connect: (fd, address, bytes) => (isDissolution(address) ? -1 : real.connect(fd, address, bytes)),
    },
    'that refuses to connect': { connect: () => -1, errno: () => 1 },
    'without TCP_INFO': { getsockopt: () => -1, errno: () => 92 },
    'that has no names': { getsockname: () => -1 },
    'whose function cannot be called': {
      getsockname: () => {
        throw new TypeError('Unexpected Number value for argument 2, expected void *')
      },
    },
    'that reads no address': { inet_pton: () => 0 },
  }
  const before = readdirSync('/proc/self/fd').length
  for (const [name, changed] of Object.entries(kernels))
    assert.equal(KernelSockets.open(libcWith(changed), sourcePorts), undefined, name)
  assert.equal(readdirSync('/proc/self/fd').length, before)
})

const RUNTIME = new URL('../../../../src/probe/probe-runtime.js', import.meta.url).href

/** The way of TCP probes in a process of its own that cannot load koffi, and what it says on stderr. */
function wayWithoutKoffi(): readonly [way: string, warnings: string] {
  const program = `
    const Module = require('node:module')
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (name, ...more) {
      if (name === 'koffi') throw Object.assign(new Error('not installed'), { code: 'MODULE_NOT_FOUND' })
      return resolve.call(this, name, ...more)
    }
    import(${JSON.stringify(RUNTIME)}).then(({ ProbeRuntime }) => console.log(new ProbeRuntime().tcpWay))`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  return [stdout.trim(), stderr]
}

test('a process without koffi probes TCP on net.Socket, and warns of nothing', () => {
  assert.deepEqual(wayWithoutKoffi(), ['net.Socket', ''])
})
