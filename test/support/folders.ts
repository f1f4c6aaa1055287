/** Folders of tests that start programs in them. */
import { rmSync } from 'node:fs'
import { after } from 'node:test'
import { temporaryFolder } from './postgres.ts'

const folders: string[] = []

/**
 * A folder that goes when all tests of the file have ended. Not with its own test: hooks of a test run in the order in
 * which they were added, and what the test starts in the folder is stopped by a later one.
 */
export function folderOfTest(): string {
  const dir = temporaryFolder()
  folders.push(dir)
  return dir
}

// A PostgreSQL whose service was killed on purpose may still be shutting down.
after(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
})
