import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findBareTcp } from '../../../src/probe/bare-tcp.ts'

const MODULE = new URL('../../../src/probe/bare-tcp.js', import.meta.url).href

const handle = {
  bind: () => 0,
  bind6: () => 0,
  connect: () => 0,
  connect6: () => 0,
  reset: () => 0,
  close: () => undefined,
  getsockname: (name: { address?: string; port?: number }) => {
    name.address = '127.0.0.1'
    name.port = 40_000
    return 0
  },
}
const bindingWith = (changed: object) => () => ({
  TCP: function TCP() {
    return { ...handle, ...changed }
  },
  TCPConnectWrap: function TCPConnectWrap() {
    return {}
  },
  constants: { SOCKET: 0 },
})

test('a binding with everything that is used is taken', () => {
  assert.notEqual(findBareTcp(bindingWith({})), undefined)
})

test('a runtime without the binding, or with another one, has no bare handles', () => {
  const others: Readonly<Record<string, (name: string) => unknown>> = {
    absent: () => undefined,
    refused: () => {
      throw new Error('access to this API has been restricted')
    },
    empty: () => ({}),
    'without reset': bindingWith({ reset: undefined }),
    'that cannot bind': bindingWith({ bind: () => -22 }),
    'whose names are other': bindingWith({ getsockname: () => 0 }),
  }
  for (const [name, binding] of Object.entries(others)) assert.equal(findBareTcp(binding), undefined, name)
})

/** Whether a new process finds bare handles, and what it says on stderr. */
function findWith(flags: readonly string[]): { readonly isFound: boolean; readonly warnings: string } {
  const program = `import(${JSON.stringify(MODULE)}).then((bare) => console.log(bare.findBareTcp() !== undefined))`
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
  return { isFound: stdout.trim() === 'true', warnings: stderr }
}

test('without flags there are bare handles and no warning is printed', () => {
  assert.deepEqual(findWith([]), { isFound: true, warnings: '' })
})

test('with --pending-deprecation there are none and no warning is printed', () => {
  assert.deepEqual(findWith(['--pending-deprecation']), { isFound: false, warnings: '' })
})
