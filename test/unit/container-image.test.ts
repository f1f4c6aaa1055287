/** The image holds every file that the program reads beside its own code. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Of the package, and not of the image: what people read, and what builds it. */
const NOT_READ = ['CHANGELOG.md', 'docs', 'deploy', 'npm-shrinkwrap.json']

test('what the package has and the program reads is copied into the image', () => {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] }
  const text = readFileSync('deploy/container/Containerfile', 'utf8').replaceAll('\\\n', ' ')
  const copied = [...text.matchAll(/cp -r ([^&]+?) \/image\/\S*/g)].flatMap(([, names = '']) =>
    names.split(/\s+/),
  )
  for (const file of files.filter((name) => !NOT_READ.includes(name)))
    assert.ok(copied.includes(file), `${file} is not in the image`)
})
